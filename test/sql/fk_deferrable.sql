-- Deferrable keys are checked when native PostgreSQL checks them: at the end
-- of the statement, at SET CONSTRAINTS or at the commit.  Parents and children
-- may come and go in any order within one transaction; what counts is what is
-- left at the end.  Each transaction runs twice, on tables that are managed
-- and on a native twin, and has to end the same way, messages included.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
SET client_min_messages = error;
CREATE SCHEMA deferrable_managed;
CREATE SCHEMA deferrable_native;
DO $$
DECLARE
	name	text;
BEGIN
	FOREACH name IN ARRAY ARRAY['deferrable_managed', 'deferrable_native'] LOOP
		PERFORM set_config('search_path', name, true);
		CREATE TABLE parent (id int PRIMARY KEY);
		INSERT INTO parent SELECT generate_series(1, 99);
		CREATE TABLE lazy (id int PRIMARY KEY, up int CONSTRAINT "Lazy Key" REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
		CREATE TABLE eager (id int PRIMARY KEY, up int CONSTRAINT "Eager Key" REFERENCES parent DEFERRABLE);
		CREATE TABLE cascading (id int PRIMARY KEY, up int CONSTRAINT cascading_key REFERENCES parent ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
		CREATE TABLE restricted (id int PRIMARY KEY, up int CONSTRAINT restricted_key REFERENCES parent ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED);
		CREATE TABLE tree (id int PRIMARY KEY, up int CONSTRAINT tree_key REFERENCES tree DEFERRABLE INITIALLY DEFERRED);
		CREATE TABLE hen (id int PRIMARY KEY, egg int);
		CREATE TABLE egg (id int PRIMARY KEY, hen int CONSTRAINT laid_by REFERENCES hen DEFERRABLE INITIALLY DEFERRED);
		ALTER TABLE hen ADD CONSTRAINT hatched_from FOREIGN KEY (egg) REFERENCES egg DEFERRABLE INITIALLY DEFERRED;
	END LOOP;
END $$;
SELECT count(softdelete.enable(format('deferrable_managed.%s', t)::regclass, "unique" => 'keep'))
  FROM unnest('{lazy,eager,cascading,restricted,parent,tree,hen,egg}'::text[]) t;

------------------------------------------------------------------------------
-- Delete the parent, then its child, then commit: the order that ORMs use
------------------------------------------------------------------------------
\set run 'BEGIN; INSERT INTO lazy VALUES (1, 1); COMMIT; BEGIN; DELETE FROM parent WHERE id = 1; DELETE FROM lazy WHERE up = 1; COMMIT;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
-- the child stays: the commit fails, and nothing has happened
\set run 'INSERT INTO lazy VALUES (2, 2); BEGIN; DELETE FROM parent WHERE id = 2; SELECT count(*) FROM parent WHERE id = 2; COMMIT; SELECT count(*) FROM parent WHERE id = 2;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
-- the child is given another parent in time
\set run 'BEGIN; DELETE FROM parent WHERE id = 2; UPDATE lazy SET up = 3 WHERE up = 2; COMMIT; SELECT count(*) FROM parent WHERE id = 2;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
-- a key that is not deferred just now: at the end of the statement
\set run 'INSERT INTO eager VALUES (4, 4); BEGIN; DELETE FROM parent WHERE id = 4; ROLLBACK;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
-- RESTRICT does not wait (from 18 on with an SQLSTATE of its own)
SET search_path = deferrable_managed; INSERT INTO restricted VALUES (5, 5);
SET search_path = deferrable_native; INSERT INTO restricted VALUES (5, 5);
CREATE FUNCTION pg_temp.code(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	name	text;
BEGIN
	EXECUTE sql;
	RETURN 'fine';
EXCEPTION WHEN integrity_constraint_violation THEN
	GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
	RETURN SQLSTATE || ' ' || name;
END $$;
SELECT pg_temp.code('DELETE FROM deferrable_managed.parent WHERE id = 5') AS managed,
	   pg_temp.code('DELETE FROM deferrable_native.parent WHERE id = 5') AS native \gset
SELECT :'managed' = :'native' AND :'native' ~ '^(23503|23001) restricted_key$' AS same;

------------------------------------------------------------------------------
-- SET CONSTRAINTS, by name and for all, both ways
------------------------------------------------------------------------------
\set run 'BEGIN; SET CONSTRAINTS "Eager Key" DEFERRED; DELETE FROM parent WHERE id = 4; DELETE FROM eager WHERE up = 4; COMMIT; SELECT count(*) FROM parent WHERE id = 4;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
\set run 'INSERT INTO eager VALUES (6, 6); BEGIN; SET CONSTRAINTS ALL DEFERRED; DELETE FROM parent WHERE id = 6; COMMIT;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
\set run 'INSERT INTO lazy VALUES (7, 7); BEGIN; SET CONSTRAINTS "Lazy Key" IMMEDIATE; DELETE FROM parent WHERE id = 7; ROLLBACK;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
-- what waits is looked at as the key becomes immediate
\set run 'BEGIN; DELETE FROM parent WHERE id = 7; SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
\set run 'BEGIN; DELETE FROM parent WHERE id = 7; DELETE FROM lazy WHERE up = 7; SET CONSTRAINTS ALL IMMEDIATE; INSERT INTO lazy VALUES (70, 7); ROLLBACK;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
-- a setting lasts until the end of its transaction, or of its savepoint
\set run 'BEGIN; DELETE FROM parent WHERE id = 6; ROLLBACK; BEGIN; SAVEPOINT s; SET CONSTRAINTS "Eager Key" DEFERRED; ROLLBACK TO s; DELETE FROM parent WHERE id = 6; ROLLBACK;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
\set run 'BEGIN; SAVEPOINT s; SET CONSTRAINTS "Eager Key" DEFERRED; RELEASE s; DELETE FROM parent WHERE id = 6; DELETE FROM eager WHERE up = 6; COMMIT; SELECT count(*) FROM parent WHERE id = 6;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run

------------------------------------------------------------------------------
-- All in one transaction: inserted and deleted again
------------------------------------------------------------------------------
\set run 'BEGIN; INSERT INTO lazy VALUES (100, 100); INSERT INTO parent VALUES (100); DELETE FROM parent WHERE id = 100; DELETE FROM lazy WHERE id = 100; COMMIT;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
\set run 'BEGIN; INSERT INTO lazy VALUES (101, 101); INSERT INTO parent VALUES (101); DELETE FROM parent WHERE id = 101; COMMIT;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
\set run 'BEGIN; INSERT INTO lazy VALUES (102, 102); COMMIT;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
-- the cascade takes the child whose check has yet to come
\set run 'BEGIN; INSERT INTO parent VALUES (103); INSERT INTO cascading VALUES (103, 103); DELETE FROM parent WHERE id = 103; COMMIT; SELECT count(*) FROM cascading;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
-- a child that comes after the delete
\set run 'BEGIN; DELETE FROM parent WHERE id = 10; INSERT INTO cascading VALUES (10, 10); COMMIT; SELECT count(*) FROM parent WHERE id = 10;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
\set run 'BEGIN; DELETE FROM parent WHERE id = 10; INSERT INTO cascading VALUES (10, 10); DELETE FROM cascading WHERE id = 10; COMMIT; SELECT count(*) FROM parent WHERE id = 10;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
\set run 'BEGIN; DELETE FROM parent WHERE id = 11; INSERT INTO eager VALUES (11, 11); ROLLBACK;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
-- two children, one of which is forgotten
\set run 'INSERT INTO lazy VALUES (12, 12), (13, 12); BEGIN; DELETE FROM parent WHERE id = 12; DELETE FROM lazy WHERE id = 12; COMMIT;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
-- by one data-modifying WITH query
\set run 'BEGIN; WITH p AS (DELETE FROM parent WHERE id = 12 RETURNING id) DELETE FROM lazy USING p WHERE up = p.id RETURNING lazy.id; COMMIT;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run

------------------------------------------------------------------------------
-- Savepoints: what was rolled back neither waits nor helps
------------------------------------------------------------------------------
\set run 'INSERT INTO lazy VALUES (20, 20); BEGIN; SAVEPOINT s; DELETE FROM parent WHERE id = 20; ROLLBACK TO s; COMMIT; SELECT count(*) FROM parent WHERE id = 20;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
\set run 'BEGIN; DELETE FROM parent WHERE id = 20; SAVEPOINT s; DELETE FROM lazy WHERE id = 20; ROLLBACK TO s; COMMIT; SELECT count(*) FROM parent WHERE id = 20;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
\set run 'BEGIN; SAVEPOINT s; DELETE FROM parent WHERE id = 20; RELEASE s; SAVEPOINT t; DELETE FROM lazy WHERE id = 20; RELEASE t; COMMIT; SELECT count(*) FROM parent WHERE id = 20;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
\set run 'INSERT INTO lazy VALUES (21, 21); BEGIN; SAVEPOINT s; DELETE FROM parent WHERE id = 21; RELEASE s; COMMIT; SELECT count(*) FROM parent WHERE id = 21;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run

------------------------------------------------------------------------------
-- A table that refers to itself, a cycle of two tables
------------------------------------------------------------------------------
\set run 'BEGIN; INSERT INTO tree VALUES (2, 1), (1, NULL), (3, 3), (5, 4), (4, 5); COMMIT; BEGIN; DELETE FROM tree WHERE id = 1; COMMIT; BEGIN; DELETE FROM tree WHERE id = 1; DELETE FROM tree WHERE id = 2; DELETE FROM tree WHERE id = 3; COMMIT; DELETE FROM tree WHERE id = 4; SELECT id, up FROM tree ORDER BY id; DELETE FROM tree; SELECT count(*) FROM tree;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run
\set run 'BEGIN; INSERT INTO hen VALUES (1, 1); INSERT INTO egg VALUES (1, 1); COMMIT; BEGIN; DELETE FROM hen WHERE id = 1; COMMIT; BEGIN; DELETE FROM hen WHERE id = 1; DELETE FROM egg WHERE id = 1; COMMIT; SELECT (SELECT count(*) FROM hen) AS hens, (SELECT count(*) FROM egg) AS eggs;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run

------------------------------------------------------------------------------
-- Two-phase commit: what waits is looked at as the transaction is prepared
------------------------------------------------------------------------------
\set run 'INSERT INTO lazy VALUES (30, 30); BEGIN; DELETE FROM parent WHERE id = 30; PREPARE TRANSACTION \'softdelete deferrable\'; SELECT count(*) FROM parent WHERE id = 30;'
SET search_path = deferrable_managed; :run
SET search_path = deferrable_native; :run

------------------------------------------------------------------------------
-- What an application sees is the same in the end
------------------------------------------------------------------------------
SET search_path = pg_catalog;
CREATE TEMP VIEW managed AS SELECT 'parent' AS t, id, NULL::int AS up FROM deferrable_managed.parent UNION ALL SELECT 'lazy', id, up FROM deferrable_managed.lazy
	UNION ALL SELECT 'eager', id, up FROM deferrable_managed.eager UNION ALL SELECT 'cascading', id, up FROM deferrable_managed.cascading
	UNION ALL SELECT 'restricted', id, up FROM deferrable_managed.restricted;
CREATE TEMP VIEW native AS SELECT 'parent' AS t, id, NULL::int AS up FROM deferrable_native.parent UNION ALL SELECT 'lazy', id, up FROM deferrable_native.lazy
	UNION ALL SELECT 'eager', id, up FROM deferrable_native.eager UNION ALL SELECT 'cascading', id, up FROM deferrable_native.cascading
	UNION ALL SELECT 'restricted', id, up FROM deferrable_native.restricted;
SELECT t, count(*) FROM pg_temp.managed GROUP BY t ORDER BY t;
(TABLE pg_temp.managed EXCEPT TABLE pg_temp.native) UNION ALL (TABLE pg_temp.native EXCEPT TABLE pg_temp.managed);

------------------------------------------------------------------------------
-- Restore obeys the keys as well: a child under a deleted parent, and back
------------------------------------------------------------------------------
SET search_path = deferrable_managed;
SELECT softdelete.restore('parent', 1);
BEGIN;
SET LOCAL softdelete.deletion_scope = statement;
DELETE FROM parent WHERE id = 1;
DELETE FROM lazy WHERE id = 1;
COMMIT;
SELECT softdelete.restore('lazy', 1);
BEGIN;
SELECT softdelete.restore('parent', 1), softdelete.restore('lazy', 1);
DELETE FROM parent WHERE id = 1;
COMMIT;
SELECT count(*) FROM parent WHERE id = 1;
BEGIN;
SELECT softdelete.restore('parent', 1), softdelete.restore('lazy', 1);
COMMIT;
SELECT p.id, l.id FROM parent p JOIN lazy l ON l.up = p.id WHERE p.id = 1;

------------------------------------------------------------------------------
-- A primary key that is deferrable finds rows like any other
------------------------------------------------------------------------------
CREATE TABLE dp (b int, a int, code text UNIQUE, PRIMARY KEY (a, b) DEFERRABLE INITIALLY DEFERRED);
SELECT softdelete.enable('dp', "unique" => 'keep');
INSERT INTO dp VALUES (1, 2, 'x');
SELECT softdelete.delete('dp', 2, 1) > 0 AS deleted;
\set VERBOSITY default
INSERT INTO dp VALUES (3, 4, 'x') ON CONFLICT (code) DO UPDATE SET a = 5;
SELECT softdelete.restore('dp', 2, 1);
SELECT softdelete.restore('dp', 1, 2);
SELECT key FROM softdelete.trash('dp');
DELETE FROM dp;
SELECT key FROM softdelete.trash('dp');
SELECT softdelete.purge('dp', 2, 1);
