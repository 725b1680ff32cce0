-- Deleted rows that made room for new ones are not forgotten: disable() says that
-- they stay, and an undo() that cannot bring one back says so, too.
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA "replaced Stays";
SET search_path = "replaced Stays";
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE TABLE "T" (id int PRIMARY KEY, v text);
CREATE TABLE s (id int PRIMARY KEY, state text);
SELECT softdelete.enable('"T"'), softdelete.enable('s', 'state', 'gone');
INSERT INTO "T" VALUES (1, 'first'), (2, 'other');
DELETE FROM "T" WHERE id = 1;
INSERT INTO "T" VALUES (1, 'second');
-- the columns cannot go while there are deleted rows, wherever
SELECT softdelete.disable('"T"', drop_columns => true);
SELECT softdelete.disable('"T"');
SELECT v FROM "T" ORDER BY id;
SELECT row_data ->> 'v' AS v FROM softdelete.replaced WHERE target = '"T"'::regclass;
-- nothing was lost: managed again, they come back
SELECT softdelete.enable('"T"');
DELETE FROM "T" WHERE id = 1;
SELECT softdelete.undo(min(deletion_id)) FROM softdelete.replaced WHERE target = '"T"'::regclass;
SELECT v FROM "T" ORDER BY id;
-- or go
SELECT count(*) FROM softdelete.replaced WHERE target = '"T"'::regclass;
INSERT INTO s VALUES (1, 'a'), (2, 'b');
DELETE FROM s;
INSERT INTO s VALUES (1, 'c'), (2, 'd');
SELECT softdelete.disable('s');
SELECT softdelete.enable('s', 'state', 'gone');
SELECT expired, purged, kept FROM softdelete.purge_expired('s', older_than => '0');
SELECT softdelete.disable('s', drop_columns => true);
SELECT * FROM s ORDER BY id;
-- of another's table nobody is told
SET SESSION AUTHORIZATION sd_user;
SELECT softdelete.count_replaced((SELECT c.oid FROM pg_class c WHERE relname = 'T' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'replaced Stays')));
SET SESSION AUTHORIZATION sd_owner;

-- Parent and child were deleted together, by a key that does not cascade, and the
-- child's key was inserted again.
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (code text PRIMARY KEY, parent int REFERENCES parent, v text);
SELECT softdelete.enable('parent'), softdelete.enable('child');
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES ('a', 1, 'first'), ('b', 1, 'first');
BEGIN;
DELETE FROM child;
DELETE FROM parent WHERE id = 1;
COMMIT;
SELECT max(id) AS deletion FROM softdelete.deletions WHERE target IN ('child'::regclass, 'parent'::regclass) \gset
INSERT INTO child VALUES ('a', 2, 'second');
SET client_min_messages = notice;
SELECT softdelete.undo(:deletion);
SELECT * FROM parent ORDER BY id;
-- by hand: the rest
\set VERBOSITY sqlstate
BEGIN;
SELECT softdelete.undo(:deletion, 'skip');
SELECT code, parent, v FROM child ORDER BY code;
ROLLBACK;
SELECT softdelete.restore('parent', 1);
\set VERBOSITY default
SELECT code, parent, v FROM child ORDER BY code;
-- and the replaced one, once its key is free
SELECT row_data ->> 'v' AS v FROM softdelete.replaced WHERE target = 'child'::regclass;
UPDATE child SET code = 'c' WHERE v = 'second';
SELECT softdelete.undo(:deletion);
SELECT code, parent, v FROM child ORDER BY code;
SELECT count(*) FROM softdelete.replaced WHERE target = 'child'::regclass;
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP SCHEMA "replaced Stays" CASCADE;
