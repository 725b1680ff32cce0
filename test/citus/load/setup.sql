SET client_min_messages = warning;
SET ROLE shop_owner;
CREATE TABLE posts (tenant int, id int, title text, PRIMARY KEY (tenant, id));
CREATE TABLE files (tenant int, id int, post int NOT NULL, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, post) REFERENCES posts ON DELETE CASCADE);
CREATE INDEX ON files (tenant, post);
SELECT create_distributed_table('posts', 'tenant');
SELECT create_distributed_table('files', 'tenant');
SELECT softdelete.enable('posts', cascade => true);
INSERT INTO posts SELECT t, i, 'post ' || i FROM generate_series(1, 12) t, generate_series(1, 20) i;
INSERT INTO files SELECT t, 10 * i + j, i FROM generate_series(1, 12) t, generate_series(1, 20) i, generate_series(1, 3) j;
CREATE SEQUENCE numbers START 1000000;
CREATE TABLE refused (sqlstate text, message text);

-- one step of the load; what may be refused in a race is noted
CREATE PROCEDURE step(command text) LANGUAGE plpgsql AS $$
DECLARE
	message	text;
BEGIN
	EXECUTE command;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
	INSERT INTO refused VALUES (SQLSTATE, regexp_replace(message, '[0-9]+', 'N', 'g'));
END $$;
