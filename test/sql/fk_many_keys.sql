-- However many keys a delete has to follow, and of whatever type, each is
-- followed: keys that take more than one array's room, and keys of a type that has
-- no array type (domains from before PostgreSQL 11 came so through pg_upgrade).
\set SHOW_CONTEXT never
SELECT current_user AS superuser \gset
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA fk_many_keys;
SET search_path = fk_many_keys;

-- 200 keys of 100 kB, 20 MB as an array; compressed they fit into an index
CREATE TABLE parent (id text PRIMARY KEY, n int);
CREATE TABLE child (id int PRIMARY KEY, up text REFERENCES parent ON DELETE CASCADE,
	other text REFERENCES parent ON DELETE SET NULL, kept text REFERENCES parent);
INSERT INTO parent SELECT n || repeat('x', 100000), n FROM generate_series(1, 200) n;
INSERT INTO child SELECT n, id FROM parent WHERE n <= 199;
CREATE INDEX ON child (up);
SELECT softdelete.enable('parent', cascade => true);
DELETE FROM parent;
SELECT rows FROM softdelete.deletions WHERE target = 'parent'::regclass;
SELECT count(*) FROM child;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions WHERE target = 'parent'::regclass;
SELECT count(*) FROM child;
-- the one that refuses is among the last
INSERT INTO child (id, kept) SELECT 1000 + n, id FROM parent WHERE n = 200;
DO $$
BEGIN
	DELETE FROM parent;
EXCEPTION WHEN foreign_key_violation THEN
	RAISE NOTICE '%', SQLERRM;
END $$;
SELECT count(*) FROM child;
DROP TABLE child, parent;

-- no array type
CREATE DOMAIN number AS int;
SET SESSION AUTHORIZATION :superuser;
UPDATE pg_type SET typarray = 0 WHERE oid = 'fk_many_keys.number'::regtype;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = fk_many_keys;
CREATE TABLE parent (id number PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, up number REFERENCES parent ON DELETE CASCADE,
	kept number REFERENCES parent ON DELETE SET NULL);
CREATE TABLE log (id int PRIMARY KEY);
INSERT INTO parent SELECT generate_series(1, 8);
INSERT INTO child SELECT 10 + id, id FROM parent;
INSERT INTO log SELECT generate_series(1, 4);
SELECT softdelete.enable('parent', cascade => true);
-- a rule's DELETE, whose rows nobody has counted
CREATE RULE also AS ON DELETE TO log DO ALSO DELETE FROM parent WHERE id = old.id;
DELETE FROM log;
SELECT array_agg(id ORDER BY id) AS live FROM child;
-- restored in one go
SET softdelete.visibility = deleted;
UPDATE parent SET deleted_at = NULL;
RESET softdelete.visibility;
SELECT array_agg(id ORDER BY id) AS live FROM child;
-- new references by a key that keeps its links
BEGIN;
INSERT INTO child (id, kept) VALUES (20, 5), (21, 6);
DELETE FROM parent WHERE id IN (5, 6, 7);
UPDATE child SET id = -id WHERE kept IS NOT NULL;
SAVEPOINT s;
INSERT INTO child (id, kept) VALUES (22, 1), (23, 7), (24, 2);
ROLLBACK TO s;
COMMIT;
SELECT id, kept FROM child WHERE kept IS NOT NULL ORDER BY id;
