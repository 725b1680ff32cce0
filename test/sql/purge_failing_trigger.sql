-- Whatever SQLSTATE a user's trigger raises as a row is erased, that row is kept,
-- and the others go.
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA purge_failing_trigger;
SET search_path = purge_failing_trigger;
CREATE TABLE item (id int PRIMARY KEY, code text);
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF old.code IS NOT NULL THEN
		RAISE EXCEPTION 'not this one' USING ERRCODE = old.code;
	END IF;
	RETURN old;
END $$;
CREATE TRIGGER fail BEFORE DELETE ON item FOR EACH ROW EXECUTE FUNCTION fail();
SELECT softdelete.enable('item', retention => '0', triggers => 'update');
INSERT INTO item VALUES (1, NULL), (2, 'XX000'), (3, 'XX001'), (4, '53100'), (5, '53200'), (6, '57014'),
	(7, '58030'), (8, '40001'), (9, 'P0001'), (10, '25006'), (11, NULL), (12, 'P0004');
DELETE FROM item;
SELECT * FROM softdelete.purge_expired('item');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM softdelete.purge_expired('item');
COMMIT;
SET softdelete.visibility = deleted;
SELECT string_agg(code, ' ' ORDER BY id) FROM item;

-- the same in a table that refers to itself
CREATE TABLE node (id int PRIMARY KEY, up int REFERENCES node, code text);
CREATE TRIGGER fail BEFORE DELETE ON node FOR EACH ROW EXECUTE FUNCTION fail();
RESET softdelete.visibility;
SELECT softdelete.enable('node', retention => '0', triggers => 'update');
INSERT INTO node VALUES (1, NULL, NULL), (2, 1, 'XX000'), (3, NULL, NULL), (4, 3, NULL);
DELETE FROM node;
SELECT * FROM softdelete.purge_expired('node');
SET softdelete.visibility = deleted;
SELECT id FROM node ORDER BY id;
