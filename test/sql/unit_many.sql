-- Calls for services: state() of a row; delete_many() and restore_many(), whose
-- outcomes are rows and not errors.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA "Many";
SET search_path = "Many";
CREATE TABLE "Item" (id bigint PRIMARY KEY, name text, status text NOT NULL DEFAULT 'open');
CREATE TABLE part (id int PRIMARY KEY, item bigint REFERENCES "Item" ON DELETE CASCADE, up int REFERENCES part ON DELETE CASCADE);
SELECT softdelete.enable('"Item"', 'status', cascade => true);
INSERT INTO "Item" SELECT n, 'item ' || n FROM generate_series(1, 12) n;
INSERT INTO part SELECT n, (n + 1) / 2 FROM generate_series(1, 20) n;

------------------------------------------------------------------------------
-- state()
------------------------------------------------------------------------------
SELECT softdelete.state('"Item"', 1), softdelete.state('"Item"', '2'), softdelete.state('"Item"', 99), softdelete.state('"Item"', NULL::int);
DELETE FROM "Item" WHERE id = 12;
SELECT softdelete.state('"Item"', 12);
SET softdelete.visibility = only_deleted;
SELECT softdelete.state('"Item"', 1), softdelete.state('"Item"', 12);
RESET softdelete.visibility;
\set VERBOSITY sqlstate
SELECT softdelete.state('"Item"', 'x');
SELECT softdelete.state('"Item"', 1, 2);
SELECT softdelete.state('pg_class', 1);
\set VERBOSITY default
GRANT USAGE ON SCHEMA "Many" TO sd_user;
GRANT SELECT ON "Item" TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SELECT softdelete.state('"Item"', 12);
SELECT * FROM softdelete.delete_many('"Item"', '{1}'::int[]);
\set VERBOSITY sqlstate
SELECT softdelete.state('part', 1);
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
BEGIN READ ONLY;
SELECT softdelete.state('"Item"', 12);
COMMIT;

------------------------------------------------------------------------------
-- delete_many(): one deletion, the keys in their order, NULLs and repeated ones, too
------------------------------------------------------------------------------
CREATE FUNCTION short(id bigint) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN id IS NULL THEN NULL WHEN id = (SELECT max(d.id) FROM softdelete.deletions d) THEN 'last' ELSE 'earlier' END $$;
SELECT key, pg_typeof(key), outcome, short(deletion_id) FROM softdelete.delete_many('"Item"', ARRAY[2, 1, 12, 99, 2, NULL, 3]);
SELECT id FROM "Item" ORDER BY id;
SELECT rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT key, outcome, short(deletion_id) FROM softdelete.delete_many('"Item"', '{1,4}'::text[]);
SELECT count(*) FROM softdelete.delete_many('"Item"', '{}'::bigint[]);
SELECT key, outcome FROM softdelete.delete_many('"Item"', '{5}'::numeric[]);
\set VERBOSITY sqlstate
SELECT * FROM softdelete.delete_many('"Item"', '{5.5}'::numeric[]);
SELECT * FROM softdelete.delete_many('"Item"', '{x}'::text[]);
SELECT * FROM softdelete.delete_many('"Item"', NULL::int[]);
SELECT * FROM softdelete.delete_many('pg_class', '{1}'::int[]);
\set VERBOSITY default
-- whatever is visible, and however DELETE is set; a live row that refers to one is an error
SET softdelete.visibility = only_deleted;
SELECT key, outcome FROM softdelete.delete_many('"Item"', '{6,1}'::int[]);
RESET softdelete.visibility;
CREATE TABLE strict (id int PRIMARY KEY, item bigint REFERENCES "Item");
INSERT INTO strict VALUES (1, 7);
SELECT key, outcome FROM softdelete.delete_many('"Item"', '{8,7}'::int[]);
SELECT softdelete.state('"Item"', 8);
-- within a transaction it joins the others
BEGIN;
DELETE FROM strict WHERE id = 1;
DELETE FROM part WHERE item = 7;
SELECT key, outcome FROM softdelete.delete_many('"Item"', '{7}'::int[]);
SELECT rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
ROLLBACK;

------------------------------------------------------------------------------
-- restore_many()
------------------------------------------------------------------------------
SELECT * FROM softdelete.restore_many('"Item"', ARRAY[2, 99, 1, 8, NULL, 2, 12]);
SELECT i.id, count(*) FROM part JOIN "Item" i ON i.id = part.item GROUP BY 1 ORDER BY 1;
SELECT rows, restored FROM softdelete.deletions WHERE target = '"Item"'::regclass ORDER BY id;
-- a child alone, with its parent after it, and a chain in the wrong order
DELETE FROM part;
INSERT INTO part VALUES (100, NULL, NULL), (101, NULL, 100), (102, NULL, 101), (103, 9, 102);
DELETE FROM part WHERE id = 103;
DELETE FROM part WHERE id = 102;
DELETE FROM part WHERE id = 101;
DELETE FROM part WHERE id = 100;
SELECT * FROM softdelete.restore_many('part', '{103,101}'::int[]);
SELECT * FROM softdelete.restore_many('part', '{103,102,101,100}'::int[]);
-- all in one deletion: 102 comes along with 100, and is counted there
DELETE FROM part WHERE id = 100;
SELECT * FROM softdelete.restore_many('part', '{102,100}'::int[]);
-- a live row has taken a key
CREATE TABLE login (id int PRIMARY KEY, email text UNIQUE);
SELECT softdelete.enable('login');
SELECT softdelete.create_live_unique('login', 'email') IS NOT NULL AS live_unique;
INSERT INTO login SELECT n, 'user ' || n FROM generate_series(1, 9) n;
SELECT count(*) FROM softdelete.delete_many('login', '{1,2,3,4,5,6,7,8,9}'::int[]) WHERE outcome = 'deleted';
INSERT INTO login VALUES (10, 'user 3'), (11, 'user 8');
SELECT * FROM softdelete.restore_many('login', '{1,2,3,4,5,6,7,8,9,10}'::int[]);
SELECT count(*), count(DISTINCT email) FROM login;
SELECT total, restored FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
-- two of the array with one key: the first one has it
DELETE FROM login WHERE id = 10;
INSERT INTO login VALUES (12, 'user 3');
DELETE FROM login WHERE id = 12;
SELECT * FROM softdelete.restore_many('login', '{3,10,12}'::int[]);
-- of several deletions, each counted for its own
SELECT softdelete.delete('login', 1) > 0 AS deleted;
SELECT softdelete.delete('login', 2) > 0 AS deleted;
SELECT * FROM softdelete.restore_many('login', '{1,2}'::int[]);
SELECT total, restored FROM softdelete.deletions ORDER BY id DESC LIMIT 2;
-- keys of several columns, none
CREATE TABLE pair (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE none (a int);
CREATE TABLE plain (a int PRIMARY KEY);
SELECT softdelete.enable('pair'), softdelete.enable('none');
SELECT * FROM softdelete.delete_many('pair', '{1}'::int[]);
SELECT * FROM softdelete.restore_many('pair', ARRAY[ROW(1, 2)]);
SELECT * FROM softdelete.restore_many('none', '{1}'::int[]);
SELECT * FROM softdelete.restore_many('plain', '{1}'::int[]);
-- other types: a domain, uuid, text
CREATE DOMAIN code AS text CHECK (value <> '');
CREATE TABLE word (w code PRIMARY KEY);
CREATE TABLE doc (id uuid PRIMARY KEY);
SELECT softdelete.enable('word'), softdelete.enable('doc');
INSERT INTO word VALUES ('a'), ('b');
INSERT INTO doc VALUES ('00000000-0000-0000-0000-00000000000a');
SELECT key, outcome FROM softdelete.delete_many('word', '{b,c}'::text[]);
SELECT * FROM softdelete.restore_many('word', '{b,a,c}'::varchar[]);
SELECT key, outcome FROM softdelete.delete_many('doc', '{00000000-0000-0000-0000-00000000000A,00000000-0000-0000-0000-00000000000b}'::text[]);
SELECT * FROM softdelete.restore_many('doc', '{00000000-0000-0000-0000-00000000000a}'::uuid[]);
-- partitions
CREATE TABLE parted (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
SELECT softdelete.enable('parted');
INSERT INTO parted SELECT n FROM generate_series(1, 19) n;
SELECT key, outcome FROM softdelete.delete_many('parted', '{5,15,25}'::int[]);
SELECT * FROM softdelete.restore_many('parted', '{5,15,25}'::int[]);
-- a trigger that keeps the row is no outcome
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE DELETE ON word FOR EACH ROW EXECUTE FUNCTION keep();
SELECT * FROM softdelete.delete_many('word', '{a}'::text[]);
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP SCHEMA "Many" CASCADE;
