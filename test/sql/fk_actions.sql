-- Every ON DELETE action, with the child managed and not, does what native
-- PostgreSQL would do if the deleted rows were gone: the same rows, the same
-- SQLSTATE, the same constraint name.  SET NULL and SET DEFAULT alone wait for
-- the purge, so that a restore brings the links back.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA fk_actions;
CREATE SCHEMA fk_native;		-- nothing is managed
CREATE SCHEMA fk_managed;		-- parents and children are
CREATE SCHEMA fk_unmanaged;		-- the parents are, the children are not
SET search_path = fk_actions;

-- run a statement in each of the three schemas; the outcome, if it is the same
CREATE FUNCTION everywhere(sql text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	name		text;
	n			bigint;
	failed_at	text;
	outcome		text;
	outcomes	text[] := '{}';
BEGIN
	FOREACH name IN ARRAY ARRAY['fk_native', 'fk_managed', 'fk_unmanaged'] LOOP
		BEGIN
			PERFORM set_config('search_path', name, true);
			EXECUTE sql;
			GET DIAGNOSTICS n = ROW_COUNT;
			outcome := format('%s rows', n);
		EXCEPTION WHEN integrity_constraint_violation THEN
			GET STACKED DIAGNOSTICS failed_at = CONSTRAINT_NAME;
			outcome := format('%s by %I', SQLSTATE, failed_at);
		END;
		outcomes := outcomes || format('%s: %s', name, outcome);
	END LOOP;
	PERFORM set_config('search_path', 'fk_actions', true);
	IF outcomes[2] = replace(outcomes[1], 'native', 'managed') AND outcomes[3] = replace(outcomes[1], 'native', 'unmanaged') THEN
		-- from 18 on RESTRICT has an SQLSTATE of its own
		RETURN regexp_replace(outcome, '^(23001|23503)', 'refused');
	END IF;
	RETURN array_to_string(outcomes, ', ');
END $$;

-- is what an application sees of a table the same everywhere?
CREATE FUNCTION rows_of(name text) RETURNS TABLE (schema text, visible text)
LANGUAGE plpgsql AS $$
DECLARE
	columns	text := (SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) FROM pg_attribute
					  WHERE attrelid = ('fk_native.' || name)::regclass AND attnum > 0);
	this	text;
BEGIN
	FOREACH this IN ARRAY ARRAY['fk_native', 'fk_managed', 'fk_unmanaged'] LOOP
		EXECUTE format('SELECT coalesce(string_agg(t::text, '' '' ORDER BY t::text), '''') FROM (SELECT %s FROM %I.%s) t',
					   columns, this, name) INTO visible;
		schema := this;
		RETURN NEXT;
	END LOOP;
END $$;
CREATE FUNCTION same(name text) RETURNS text
LANGUAGE sql AS $$
	SELECT CASE count(DISTINCT visible) WHEN 1 THEN min(visible)
		   ELSE string_agg(schema || ': ' || visible, ', ' ORDER BY schema) END
	  FROM rows_of(name)
$$;

-- one parent and one child table for each action
DO $$
DECLARE
	name	text;
	action	text;
BEGIN
	FOREACH name IN ARRAY ARRAY['fk_native', 'fk_managed', 'fk_unmanaged'] LOOP
		PERFORM set_config('search_path', name, true);
		FOREACH action IN ARRAY ARRAY['RESTRICT', 'NO ACTION', 'SET NULL', 'SET DEFAULT', 'CASCADE'] LOOP
			CONTINUE WHEN name = 'fk_unmanaged' AND action = 'CASCADE';
			EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, note text)', 'Parent ' || action);
			EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, up int DEFAULT 9
							CONSTRAINT %I REFERENCES %I ON UPDATE CASCADE ON DELETE %s, note text)',
						   'Child ' || action, 'Key ' || action, 'Parent ' || action, action);
			EXECUTE format('INSERT INTO %I SELECT n FROM generate_series(1, 9) n', 'Parent ' || action);
			EXECUTE format('INSERT INTO %I SELECT 10 * n, n FROM generate_series(1, 5) n', 'Child ' || action);
			IF name <> 'fk_native' THEN
				PERFORM softdelete.enable(format('%I', 'Parent ' || action)::regclass, cascade => true);
			END IF;
			IF name = 'fk_managed' AND action <> 'CASCADE' THEN
				PERFORM softdelete.enable(format('%I', 'Child ' || action)::regclass);
			END IF;
		END LOOP;
	END LOOP;
END $$;
-- the cascading twin without a managed child is treated below
CREATE TABLE fk_unmanaged."Parent CASCADE" (LIKE fk_native."Parent CASCADE" INCLUDING ALL);
CREATE TABLE fk_unmanaged."Child CASCADE" (LIKE fk_native."Child CASCADE" INCLUDING ALL,
	CONSTRAINT "Key CASCADE" FOREIGN KEY (up) REFERENCES fk_unmanaged."Parent CASCADE" ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO fk_unmanaged."Parent CASCADE" SELECT * FROM fk_native."Parent CASCADE";
INSERT INTO fk_unmanaged."Child CASCADE" SELECT * FROM fk_native."Child CASCADE";

------------------------------------------------------------------------------
-- A parent with a live child
------------------------------------------------------------------------------
SELECT everywhere('DELETE FROM "Parent RESTRICT" WHERE id = 1');
SELECT everywhere('DELETE FROM "Parent NO ACTION" WHERE id = 1');
SELECT everywhere('DELETE FROM "Parent CASCADE" WHERE id = 1');
SELECT everywhere('DELETE FROM "Parent SET NULL" WHERE id = 1');
SELECT everywhere('DELETE FROM "Parent SET DEFAULT" WHERE id = 1');
-- one that is refused among many: none goes
SELECT everywhere('DELETE FROM "Parent RESTRICT" WHERE id >= 5');
SELECT everywhere('DELETE FROM "Parent NO ACTION" WHERE id >= 5');
-- nobody refers to these
SELECT everywhere('DELETE FROM "Parent RESTRICT" WHERE id = 6');
SELECT everywhere('DELETE FROM "Parent NO ACTION" WHERE id = 6');
SELECT everywhere('DELETE FROM "Parent CASCADE" WHERE id = 6');
SELECT same('"Parent RESTRICT"'), same('"Child RESTRICT"');
SELECT same('"Parent NO ACTION"'), same('"Child NO ACTION"');
SELECT same('"Parent CASCADE"'), same('"Child CASCADE"');
-- here the link stays until the purge
SELECT same('"Parent SET NULL"');
SELECT * FROM rows_of('"Child SET NULL"');
SELECT same('"Parent SET DEFAULT"');
SELECT * FROM rows_of('"Child SET DEFAULT"');

------------------------------------------------------------------------------
-- When the child was deleted before, the parent may go
------------------------------------------------------------------------------
SELECT everywhere('DELETE FROM "Child RESTRICT" WHERE up = 2');
SELECT everywhere('DELETE FROM "Child NO ACTION" WHERE up = 2');
SELECT everywhere('DELETE FROM "Parent RESTRICT" WHERE id = 2');
SELECT everywhere('DELETE FROM "Parent NO ACTION" WHERE id = 2');
SELECT same('"Parent RESTRICT"'), same('"Child RESTRICT"');
-- both in one statement: RESTRICT and NO ACTION look when it is over
SELECT everywhere('WITH c AS (DELETE FROM "Child NO ACTION" WHERE up = 3) DELETE FROM "Parent NO ACTION" WHERE id = 3');
SELECT same('"Parent NO ACTION"'), same('"Child NO ACTION"');

------------------------------------------------------------------------------
-- A deleted parent takes no new children
------------------------------------------------------------------------------
SELECT everywhere('INSERT INTO "Child RESTRICT" VALUES (100, 2)');
SELECT everywhere('INSERT INTO "Child NO ACTION" VALUES (100, 2)');
SELECT everywhere('INSERT INTO "Child CASCADE" VALUES (100, 1)');
SELECT everywhere('INSERT INTO "Child SET NULL" VALUES (100, 1)');
SELECT everywhere('INSERT INTO "Child SET DEFAULT" VALUES (100, 1)');
SELECT everywhere('UPDATE "Child RESTRICT" SET up = 2 WHERE id = 40');
SELECT everywhere('UPDATE "Child NO ACTION" SET up = 2 WHERE id = 40');
SELECT everywhere('UPDATE "Child CASCADE" SET up = 1 WHERE id = 40');
SELECT everywhere('UPDATE "Child SET NULL" SET up = 1 WHERE id = 40');
SELECT everywhere('UPDATE "Child SET DEFAULT" SET up = 1 WHERE id = 40');
INSERT INTO fk_managed."Child CASCADE" VALUES (100, 1);
-- other columns of a row whose link is kept can be changed
SELECT everywhere('UPDATE "Child SET NULL" SET note = ''changed'' WHERE id = 10');
SELECT everywhere('UPDATE "Child SET DEFAULT" SET note = ''changed'' WHERE id = 10');
-- and it can be pointed elsewhere
SELECT everywhere('UPDATE "Child SET NULL" SET up = 7 WHERE id = 10');
SELECT same('"Child SET NULL"');

------------------------------------------------------------------------------
-- SET NULL and SET DEFAULT: restore brings the link back, the purge cuts it
------------------------------------------------------------------------------
SELECT everywhere('DELETE FROM "Parent SET NULL" WHERE id IN (2, 3)');
SELECT everywhere('DELETE FROM "Parent SET DEFAULT" WHERE id IN (2, 3)');
SELECT softdelete.restore('fk_managed."Parent SET NULL"', 2), softdelete.restore('fk_unmanaged."Parent SET NULL"', 2);
SELECT softdelete.restore('fk_managed."Parent SET DEFAULT"', 2), softdelete.restore('fk_unmanaged."Parent SET DEFAULT"', 2);
SELECT c.id, c.up, p.id AS parent FROM fk_managed."Child SET NULL" c LEFT JOIN fk_managed."Parent SET NULL" p ON p.id = c.up
 WHERE c.id IN (20, 30) ORDER BY 1;
SELECT c.id, c.up, p.id AS parent FROM fk_unmanaged."Child SET DEFAULT" c LEFT JOIN fk_unmanaged."Parent SET DEFAULT" p ON p.id = c.up
 WHERE c.id IN (20, 30) ORDER BY 1;
SELECT softdelete.purge('fk_managed."Parent SET NULL"', 3), softdelete.purge('fk_unmanaged."Parent SET NULL"', 3);
DO $$ BEGIN
	PERFORM softdelete.purge('fk_managed."Parent SET DEFAULT"', 3);
	PERFORM softdelete.purge('fk_unmanaged."Parent SET DEFAULT"', 3);
END $$;
SELECT * FROM rows_of('"Child SET NULL"');
SELECT * FROM rows_of('"Child SET DEFAULT"');

------------------------------------------------------------------------------
-- ON UPDATE CASCADE: deleted children follow, so that they can be restored
------------------------------------------------------------------------------
DELETE FROM fk_managed."Child RESTRICT" WHERE id = 50;
SELECT everywhere('UPDATE "Parent RESTRICT" SET id = 50 + id WHERE id = 5');
SELECT softdelete.restore('fk_managed."Child RESTRICT"', 50);
SELECT same('"Parent RESTRICT"'), same('"Child RESTRICT"');

------------------------------------------------------------------------------
-- A CASCADE child that is not managed: enable() refuses; and if the key is
-- added later on, so does a DELETE that would leave rows behind
------------------------------------------------------------------------------
SELECT softdelete.enable('fk_unmanaged."Parent CASCADE"');
SELECT count(*) FROM softdelete.tables WHERE target = 'fk_unmanaged."Parent CASCADE"'::regclass;
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent SELECT n FROM generate_series(1, 6) n;
SELECT softdelete.enable('parent');
CREATE TABLE late (id int PRIMARY KEY, up int);
INSERT INTO late VALUES (1, 1), (2, NULL);
PREPARE delete_parent(int) AS DELETE FROM parent WHERE id = $1 RETURNING id;
EXECUTE delete_parent(6);
ALTER TABLE late ADD CONSTRAINT "added later" FOREIGN KEY (up) REFERENCES parent ON DELETE CASCADE;
EXECUTE delete_parent(1);
EXECUTE delete_parent(5);
INSERT INTO late VALUES (3, 5);
SELECT softdelete.enable('late');
EXECUTE delete_parent(1);
SELECT id, up FROM late ORDER BY id;
SELECT softdelete.restore('parent', 1);
-- RESTRICT added later, not even validated
CREATE TABLE later (id int PRIMARY KEY, up int);
INSERT INTO later VALUES (1, 2);
EXECUTE delete_parent(4);
ALTER TABLE later ADD CONSTRAINT "not validated" FOREIGN KEY (up) REFERENCES parent NOT VALID;
EXECUTE delete_parent(2);
INSERT INTO later VALUES (2, 4);
ALTER TABLE later VALIDATE CONSTRAINT "not validated";
-- and dropped
ALTER TABLE later DROP CONSTRAINT "not validated";
EXECUTE delete_parent(2);
INSERT INTO later VALUES (2, 4);
SELECT id, up FROM later ORDER BY id;
-- a key over rows that are deleted on both sides is valid
DELETE FROM late WHERE id = 1;
EXECUTE delete_parent(1);
ALTER TABLE late DROP CONSTRAINT "added later";
ALTER TABLE late ADD CONSTRAINT "added again" FOREIGN KEY (up) REFERENCES parent ON DELETE CASCADE;
SELECT softdelete.restore('late', 1);
SELECT softdelete.restore('parent', 1), softdelete.restore('late', 1);

------------------------------------------------------------------------------
-- A parent that is not managed is really deleted: live rows of a managed
-- child are never erased, deleted ones go along
------------------------------------------------------------------------------
CREATE TABLE country (id int PRIMARY KEY);
CREATE TABLE city_cascade (id int PRIMARY KEY, country int REFERENCES country ON DELETE CASCADE);
CREATE TABLE city_restrict (id int PRIMARY KEY, country int REFERENCES country ON DELETE RESTRICT);
CREATE TABLE city_no_action (id int PRIMARY KEY, country int REFERENCES country);
CREATE TABLE city_null (id int PRIMARY KEY, country int REFERENCES country ON DELETE SET NULL);
CREATE TABLE city_default (id int PRIMARY KEY, country int DEFAULT 99 REFERENCES country ON DELETE SET DEFAULT);
INSERT INTO country SELECT n FROM generate_series(1, 9) n UNION ALL SELECT 99;
INSERT INTO city_cascade VALUES (1, 1), (2, 2);
INSERT INTO city_restrict VALUES (3, 3), (4, 4);
INSERT INTO city_no_action VALUES (5, 5), (6, 6);
INSERT INTO city_null VALUES (7, 7), (8, 7);
INSERT INTO city_default VALUES (9, 8), (10, 8);
SELECT softdelete.enable(t::regclass) FROM unnest('{city_cascade,city_restrict,city_no_action,city_null,city_default}'::text[]) t;
DELETE FROM city_cascade WHERE id = 2;
DELETE FROM city_restrict WHERE id = 4;
DELETE FROM city_no_action WHERE id = 6;
DELETE FROM city_null WHERE id = 8;
DELETE FROM city_default WHERE id = 10;
DELETE FROM country WHERE id = 1;
DELETE FROM country WHERE id = 2;
DO $$ BEGIN
	DELETE FROM country WHERE id = 3;
	RAISE 'deleted';
EXCEPTION WHEN foreign_key_violation OR restrict_violation THEN		-- the latter from 18 on
	NULL;
END $$;
DELETE FROM country WHERE id = 5;
-- a deleted row refers to it and would be left without it
DELETE FROM country WHERE id = 6;
DELETE FROM country WHERE id IN (7, 8);
SELECT id FROM country ORDER BY id;
SET softdelete.visibility = 'all';
SELECT 'city_cascade' AS city, id, country, deletion_id IS NOT NULL AS deleted FROM city_cascade UNION ALL
SELECT 'city_null', id, country, deletion_id IS NOT NULL FROM city_null UNION ALL
SELECT 'city_default', id, country, deletion_id IS NOT NULL FROM city_default ORDER BY id;
RESET softdelete.visibility;
SELECT softdelete.restore('city_null', 8), softdelete.restore('city_default', 10);
