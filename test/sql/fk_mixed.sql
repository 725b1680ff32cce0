-- Foreign keys of every shape, with every action, between tables that are
-- managed and tables that are not: each combination goes through the life of a
-- few rows beside a native twin, one transaction for each statement.  After
-- every statement the outcome has to be the twin's, constraint name included,
-- and so has what is visible; SET NULL and SET DEFAULT links alone wait for the
-- purge.  After the purge the tables are the twin's to the last row.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA fk_mixed;
CREATE SCHEMA "fk_mixed Native";
CREATE SCHEMA "fk_mixed Managed";
SET search_path = fk_mixed;
CREATE TABLE outcomes (n int GENERATED ALWAYS AS IDENTITY, parent text, child text, action text, shape text, steps int, difference text);

-- what becomes of a statement in one of the schemas
CREATE FUNCTION outcome(schema text, sql text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	n			bigint;
	failed_at	text;
BEGIN
	PERFORM set_config('search_path', quote_ident(schema), true);
	EXECUTE sql;
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM set_config('search_path', 'fk_mixed', true);
	RETURN n || ' rows';
EXCEPTION WHEN integrity_constraint_violation THEN
	GET STACKED DIAGNOSTICS failed_at = CONSTRAINT_NAME;
	-- from 18 on RESTRICT has an SQLSTATE of its own
	RETURN replace(SQLSTATE, '23001', '23503') || ' ' || failed_at;
END $$;

-- the rows of all tables of a schema, without the columns that are left out
CREATE FUNCTION shown(schema text, visible text, left_out text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	this	record;
	one		text;
	result	text := '';
BEGIN
	PERFORM set_config('softdelete.visibility', visible, true);
	FOR this IN
		SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) AS columns
		  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		 WHERE c.relnamespace = '"fk_mixed Native"'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		   AND a.attname <> ALL (left_out)
		 GROUP BY c.relname ORDER BY c.relname
	LOOP
		EXECUTE format('SELECT coalesce(string_agg(t::text, '' '' ORDER BY t::text), ''none'') FROM (SELECT %s FROM %I.%I) t',
					   this.columns, schema, this.relname) INTO one;
		result := result || format('%s: %s. ', this.relname, one);
	END LOOP;
	PERFORM set_config('softdelete.visibility', 'live', true);
	RETURN result;
END $$;

-- run a statement (if any) in both schemas; what they differ in, and after it
CREATE FUNCTION difference(sql text, visible text DEFAULT 'live', left_out text[] DEFAULT '{}') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	native	text;
	managed	text;
BEGIN
	IF sql IS NOT NULL THEN
		native := outcome('fk_mixed Native', sql);
		managed := outcome('fk_mixed Managed', sql);
		IF native <> managed THEN
			RETURN format('%s: native %s, managed %s', sql, native, managed);
		END IF;
	END IF;
	native := shown('fk_mixed Native', visible, left_out);
	managed := shown('fk_mixed Managed', visible, left_out);
	IF native <> managed THEN
		RETURN format('after %s: native %s, managed %s', coalesce(sql, 'that'), native, managed);
	END IF;
	RETURN NULL;
END $$;

-- enable() and purge_expired() for those of the tables that are to be managed
CREATE FUNCTION manage(parent_managed boolean, child_managed boolean) RETURNS void
LANGUAGE sql AS $$
	SELECT count(softdelete.enable(format('"fk_mixed Managed".%I', t)::regclass))
	  FROM unnest('{Child,Parent}'::name[]) t
	 WHERE CASE t WHEN 'Parent' THEN parent_managed ELSE child_managed AND to_regclass('"fk_mixed Managed"."Child"') IS NOT NULL END
$$;
CREATE FUNCTION purge() RETURNS void
LANGUAGE sql AS $$
	SELECT count(p) FROM (SELECT target FROM softdelete.tables WHERE target::text LIKE '"fk_mixed Managed".%' ORDER BY target::text) t
	 CROSS JOIN LATERAL softdelete.purge_expired(t.target, older_than => '0') p
$$;

-- one combination, from its tables to the last purge
CREATE PROCEDURE go_through(parent_managed boolean, child_managed boolean, action text, shape text)
LANGUAGE plpgsql AS $$
DECLARE
	name		text;
	parent_key	text := CASE WHEN shape IN ('single', 'self') THEN 'id' WHEN shape = 'unique' THEN 'b' ELSE 'a, b' END;
	child_key	text := CASE WHEN shape IN ('single', 'self') THEN 'p' WHEN shape = 'unique' THEN 'q' ELSE 'p, q' END;
	-- a link of a deleted parent's child is kept until the purge
	left_out	text[] := CASE WHEN parent_managed AND action LIKE 'SET%' THEN '{p,q}' ELSE '{}' END;
	child		text := CASE shape WHEN 'self' THEN 'Parent' ELSE 'Child' END;
	sql			text;
	found		text;
	differences	text;
	steps		int := 0;
BEGIN
	FOREACH name IN ARRAY ARRAY['fk_mixed Native', 'fk_mixed Managed'] LOOP
		-- int refers to bigint and varchar to text
		EXECUTE format('CREATE TABLE %I."Parent" (id bigint NOT NULL, a bigint NOT NULL, b text UNIQUE, p int, q varchar(9), note text, UNIQUE (a, b), PRIMARY KEY (%s))',
					   name, CASE WHEN shape IN ('composite', 'match full') THEN 'a, b' ELSE 'id' END);
		EXECUTE format('INSERT INTO %I."Parent" SELECT n, n, ''k'' || n FROM generate_series(1, 9) n', name);
		IF shape <> 'self' THEN
			EXECUTE format('CREATE TABLE %I."Child" (id int PRIMARY KEY, p int, q varchar(9), note text)', name);
		END IF;
		EXECUTE format('INSERT INTO %I.%I (id, %sp, q) SELECT n + 10, %sn, ''k'' || n FROM generate_series(1, 5) n',
					   name, child, CASE shape WHEN 'self' THEN 'a, b, ' ELSE '' END, CASE shape WHEN 'self' THEN 'n + 10, ''k'' || n + 10, ' ELSE '' END);
		EXECUTE format('ALTER TABLE %I.%I ALTER p SET DEFAULT 7, ALTER q SET DEFAULT ''k7'', ADD CONSTRAINT "The Key" FOREIGN KEY (%s) REFERENCES %I."Parent" (%s) %s ON DELETE %s',
					   name, child, child_key, name, parent_key, CASE shape WHEN 'match full' THEN 'MATCH FULL' ELSE '' END, action);
	END LOOP;
	COMMIT;
	PERFORM manage(parent_managed, child_managed);
	COMMIT;

	-- deleted and restored is as if nothing had happened, links included
	IF parent_managed AND outcome('fk_mixed Managed', 'DELETE FROM "Parent" WHERE id IN (1, 9)') = '2 rows' THEN
		COMMIT;
		PERFORM softdelete.undo(max(d.id)) FROM softdelete.deletions d WHERE d.target = '"fk_mixed Managed"."Parent"'::regclass;
		COMMIT;
		differences := difference(NULL, 'all');
	END IF;

	FOREACH sql IN ARRAY ARRAY[
		'DELETE FROM "Parent" WHERE id = 9',			-- nobody refers to it
		'DELETE FROM "Parent" WHERE id = 1',			-- row 11 does
		'DELETE FROM "Parent" WHERE id IN (2, 8)',		-- 12 refers to one of the two
		'DELETE FROM "Child" WHERE id = 13',
		'DELETE FROM "Parent" WHERE id = 3',			-- 13, deleted just now, refers to it
		'WITH c AS (DELETE FROM "Child" WHERE id = 14) DELETE FROM "Parent" WHERE id = 4',
		'INSERT INTO "Child" (id, a, b, p, q) VALUES (21, 21, ''k21'', 9, ''k9'')',	-- new references to a deleted row
		'UPDATE "Child" SET p = 9, q = ''k9'' WHERE id = 15',
		'UPDATE "Parent" SET note = ''changed'' WHERE id < 6',
		'UPDATE "Child" SET note = ''changed''',		-- with links that are kept
		'INSERT INTO "Child" (id, a, b, p, q) VALUES (22, 22, ''k22'', 6, NULL), (23, 23, ''k23'', NULL, ''k6'')',	-- wrong for MATCH FULL
		'INSERT INTO "Child" (id, a, b, p, q) VALUES (24, 24, ''k24'', NULL, NULL)',
		'INSERT INTO "Child" (id, a, b, p, q) VALUES (25, 25, ''k25'', 6, ''k6'')',
		'DELETE FROM "Child" WHERE id = 25 RETURNING *',
		'purge',
		'UPDATE "Child" SET note = ''purged''',
		'DELETE FROM "Child"',
		'purge',
		'DELETE FROM "Parent"',
		'purge']
	LOOP
		-- without the columns that only a parent has, unless it is the same table
		IF shape <> 'self' THEN
			sql := regexp_replace(replace(sql, '(id, a, b, p, q)', '(id, p, q)'), '\((\d+), \d+, ''k\d+'',', '(\1,', 'g');
		ELSE
			sql := replace(sql, '"Child"', '"Parent"');
		END IF;
		-- (what differs where only the child is managed is shown below)
		CONTINUE WHEN NOT parent_managed AND (action = 'CASCADE' AND sql ~ 'id = 1$|8' OR action ~ 'RESTRICT|NO ACTION' AND sql ~ 'id = [34]$');
		IF sql = 'purge' THEN
			PERFORM purge();
			found := difference(NULL, 'all');
		ELSE
			found := difference(sql, 'live', left_out);
		END IF;
		steps := steps + 1;
		differences := coalesce(differences || '; ' || found, found, differences);
		COMMIT;
	END LOOP;
	INSERT INTO fk_mixed.outcomes (parent, child, action, shape, steps, difference)
		VALUES (CASE WHEN parent_managed THEN 'managed' ELSE '-' END, CASE WHEN child_managed THEN 'managed' ELSE '-' END, action, shape, steps, differences);
	DROP TABLE IF EXISTS "fk_mixed Native"."Child", "fk_mixed Native"."Parent", "fk_mixed Managed"."Child", "fk_mixed Managed"."Parent";
	COMMIT;
END $$;

CREATE PROCEDURE go_through_all(parent_managed boolean, child_managed boolean)
LANGUAGE plpgsql AS $$
DECLARE
	action	text;
	shape	text;
BEGIN
	FOREACH action IN ARRAY ARRAY['CASCADE', 'RESTRICT', 'NO ACTION', 'SET NULL', 'SET DEFAULT'] LOOP
		FOREACH shape IN ARRAY ARRAY['single', 'unique', 'composite', 'match full', 'self'] LOOP
			CONTINUE WHEN parent_managed AND NOT child_managed AND action = 'CASCADE';	-- enable() refuses, see fk_actions
			CONTINUE WHEN parent_managed <> child_managed AND shape = 'self';
			CALL go_through(parent_managed, child_managed, action, shape);
		END LOOP;
	END LOOP;
END $$;

------------------------------------------------------------------------------
-- Nothing is managed: the comparison itself
------------------------------------------------------------------------------
CALL go_through_all(false, false);
SELECT count(*) AS combinations, sum(steps) AS steps, count(difference) AS different FROM outcomes;

------------------------------------------------------------------------------
-- Both sides managed
------------------------------------------------------------------------------
CALL go_through_all(true, true);
SELECT parent, child, action, shape, steps, coalesce(difference, 'ok') AS outcome FROM outcomes
 WHERE parent = 'managed' AND child = 'managed' ORDER BY n;

------------------------------------------------------------------------------
-- The parent managed, the child not
------------------------------------------------------------------------------
CALL go_through_all(true, false);
SELECT parent, child, action, shape, steps, coalesce(difference, 'ok') AS outcome FROM outcomes
 WHERE parent = 'managed' AND child = '-' ORDER BY n;

------------------------------------------------------------------------------
-- The child managed, the parent not
------------------------------------------------------------------------------
CALL go_through_all(false, true);
SELECT parent, child, action, shape, steps, coalesce(difference, 'ok') AS outcome FROM outcomes
 WHERE parent = '-' AND child = 'managed' ORDER BY n;
-- such a parent is really erased: not while a live child would be erased along
-- with it, and not while a deleted one would be left without it
CREATE TABLE country (id int PRIMARY KEY);
CREATE TABLE "City" (id int PRIMARY KEY, country int CONSTRAINT "City's Country" REFERENCES country ON DELETE CASCADE);
CREATE TABLE river (id int PRIMARY KEY, country int CONSTRAINT "River's Country" REFERENCES country);
SELECT softdelete.enable('"City"'), softdelete.enable('river');
INSERT INTO country VALUES (1), (2), (3);
INSERT INTO "City" VALUES (1, 1);
INSERT INTO river VALUES (2, 2);
DELETE FROM country WHERE id = 1;
DELETE FROM "City";
DELETE FROM country WHERE id = 1;
DELETE FROM river;
DELETE FROM country WHERE id = 2;
SELECT softdelete.purge('river', 2);
DELETE FROM country WHERE id = 2;
SELECT id FROM country;
SET softdelete.visibility = 'all';
SELECT (SELECT count(*) FROM "City") AS cities, (SELECT count(*) FROM river) AS rivers;
RESET softdelete.visibility;

------------------------------------------------------------------------------
-- SET DEFAULT to the very row that goes: native PostgreSQL refuses.  Here the
-- link stays, and the purge keeps the row until nobody refers to it
------------------------------------------------------------------------------
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, p int DEFAULT 7 REFERENCES parent ON DELETE SET DEFAULT);
SELECT softdelete.enable('parent');
INSERT INTO parent VALUES (7), (8);
INSERT INTO child VALUES (1, 7), (2, 8);
DELETE FROM parent;
SELECT target, expired, purged, kept FROM softdelete.purge_expired('parent', older_than => '0');
SELECT id, p FROM child ORDER BY id;
SELECT softdelete.restore('parent', 7);
SELECT target, expired, purged, kept FROM softdelete.purge_expired('parent', older_than => '0');
SELECT id, p FROM child ORDER BY id;
