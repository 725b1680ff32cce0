-- MERGE in every form, beside a native twin from which the deleted rows are
-- gone: on tables with each kind of marker, partitioned ones, through views,
-- with CTEs and functions; and what PostgreSQL 17 added: WHEN NOT MATCHED BY
-- SOURCE, RETURNING, merge_action().
-- (merge_forms_1.out is for the versions before 17.)
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA merge_forms;
SET search_path = merge_forms;
SELECT current_setting('server_version_num')::int >= 170000 AS since_17 \gset
CREATE TYPE stage AS ENUM ('draft', 'live', 'deleted');
CREATE TABLE returned (what text);

-- what comes of a statement on a table; it is rolled back
CREATE FUNCTION outcome(target text, statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	n		bigint;
	live	text;
BEGIN
	EXECUTE replace(statement, 'TBL', target);
	GET DIAGNOSTICS n = ROW_COUNT;
	EXECUTE format('SELECT string_agg(concat_ws('':'', id, k, n), '' '' ORDER BY id, k) FROM %s', target) INTO live;
	RAISE SQLSTATE 'ZZ000' USING MESSAGE = format('%s rows; %s; returned %s', n, live, (SELECT string_agg(what, ' ' ORDER BY what) FROM returned));
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
	RETURN SQLERRM;
WHEN others THEN
	RETURN SQLSTATE;
END $$;
CREATE TABLE forms (n int GENERATED ALWAYS AS IDENTITY, sql text);
-- all of them on a table with that marker, plain or partitioned, and its twin
CREATE FUNCTION compare(marker name, definition text, kind text) RETURNS TABLE (marked_by text, is text, same bigint, difference text)
LANGUAGE plpgsql AS $$
DECLARE
	name	text;
BEGIN
	FOREACH name IN ARRAY ARRAY['native', 'managed'] LOOP
		EXECUTE format('CREATE TABLE %I (id int, k text DEFAULT ''x'', n int DEFAULT 0, PRIMARY KEY (id, k)) %s', name,
					   CASE kind WHEN 'partitioned' THEN 'PARTITION BY LIST (k)' ELSE '' END);
		IF kind = 'partitioned' THEN
			EXECUTE format('CREATE TABLE %s_x PARTITION OF %1$s FOR VALUES IN (''x'')', name);
			EXECUTE format('CREATE TABLE %s_y (n int DEFAULT 0, junk int, k text NOT NULL, id int NOT NULL)', name);
			EXECUTE format('ALTER TABLE %s_y DROP COLUMN junk', name);
			EXECUTE format('ALTER TABLE %s ATTACH PARTITION %1$s_y DEFAULT', name);
		END IF;
		IF name = 'managed' THEN
			IF definition IS NOT NULL THEN
				EXECUTE format('ALTER TABLE managed ADD COLUMN %I %s', marker, definition);
			END IF;
			PERFORM softdelete.enable('managed', marker, "unique" => 'keep');
		END IF;
		EXECUTE format('INSERT INTO %I SELECT n, CASE WHEN n %% 3 = 0 THEN ''y'' ELSE ''x'' END, n FROM generate_series(1, 9) n', name);
		-- 2 and 3 are gone already
		EXECUTE format('DELETE FROM %I WHERE id IN (2, 3)', name);
		EXECUTE format('CREATE VIEW %I AS SELECT id, k, n FROM %I WHERE n < 8', name || '_view', name);
	END LOOP;
	RETURN QUERY
		SELECT format('%s %s', marker, definition), kind, count(*) FILTER (WHERE a = b),
			   string_agg(format('%s: native %s, managed %s', sql, a, b), '; ' ORDER BY f.n) FILTER (WHERE a <> b)
		  FROM forms f, outcome('native', sql) a, outcome('managed', sql) b;
	DROP TABLE native, managed CASCADE;
END $$;
CREATE FUNCTION compare_all() RETURNS TABLE (marked_by text, is text, same bigint, difference text)
LANGUAGE sql AS $$
	SELECT c.* FROM unnest('{plain,partitioned}'::text[]) kind CROSS JOIN LATERAL (
		SELECT * FROM compare('deleted_at', NULL, kind) UNION ALL
		SELECT * FROM compare('Gone At', 'timestamp', kind) UNION ALL
		SELECT * FROM compare('is_deleted', 'boolean NOT NULL DEFAULT false', kind) UNION ALL
		SELECT * FROM compare('is_active', 'boolean DEFAULT true', kind) UNION ALL
		SELECT * FROM compare('status', 'text', kind) UNION ALL
		SELECT * FROM compare('stage', 'stage NOT NULL DEFAULT ''draft''', kind)) c
$$;

------------------------------------------------------------------------------
-- Forms of PostgreSQL 15
------------------------------------------------------------------------------
CREATE TABLE source (id int, k text, n int);
INSERT INTO source VALUES (1, 'x', -1), (2, 'x', 20), (3, 'y', 30), (4, 'x', -4), (6, 'y', 60), (7, 'x', NULL), (12, 'y', 120);
INSERT INTO forms (sql) VALUES
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE'),
	('MERGE INTO TBL t USING source s ON (t.id, t.k) = (s.id, s.k) WHEN MATCHED AND s.n < 0 THEN DELETE WHEN MATCHED AND s.n > 0 THEN UPDATE SET n = s.n'),
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED AND s.n IS NULL THEN DELETE WHEN MATCHED AND s.n < 0 THEN DO NOTHING WHEN MATCHED THEN UPDATE SET n = DEFAULT'),
	-- deleted rows are not matched; their keys are still taken (23505), others can be inserted
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND s.id > 3 THEN INSERT VALUES (s.id, s.k, s.n)'),
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, k) VALUES (s.id + 100, s.k) WHEN MATCHED THEN DELETE'),
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN NOT MATCHED AND s.id > 3 THEN INSERT DEFAULT VALUES'),
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN NOT MATCHED THEN DO NOTHING WHEN MATCHED THEN UPDATE SET (n, k) = (s.n, ''z'')'),
	('MERGE INTO TBL t USING source s ON false WHEN NOT MATCHED THEN INSERT (id, k, n) VALUES (s.id + 100, s.k, s.n)'),
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED AND EXISTS (SELECT FROM TBL u WHERE u.id = t.id - 1) THEN DELETE'),
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = (SELECT count(*) FROM TBL)'),
	('MERGE INTO TBL t USING source s ON t.id = s.id AND t.k = ''y'' WHEN MATCHED THEN UPDATE SET k = ''x'''),
	('MERGE INTO ONLY TBL t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE'),
	-- sources: CTEs, the table itself, joins, functions, VALUES
	('WITH s AS (SELECT id, -n AS n FROM TBL WHERE n > 4) MERGE INTO TBL t USING s ON t.id = s.id + 1 WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id + 100, s.n)'),
	('WITH s AS MATERIALIZED (SELECT count(*)::int AS c FROM TBL) MERGE INTO TBL t USING s ON t.id = s.c WHEN MATCHED THEN DELETE'),
	('WITH RECURSIVE s AS (SELECT 4 AS id UNION ALL SELECT t.id + 1 FROM s JOIN TBL t USING (id)) MERGE INTO TBL t USING s ON t.id = s.id WHEN MATCHED THEN DELETE'),
	('MERGE INTO TBL t USING TBL u ON t.id = u.id - 1 WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (u.id + 50)'),
	('MERGE INTO TBL t USING (source s LEFT JOIN TBL u USING (id)) ON t.id = s.id WHEN MATCHED AND u.n IS NOT NULL THEN DELETE WHEN NOT MATCHED AND u.n IS NULL THEN INSERT (id) VALUES (s.id + 100)'),
	('MERGE INTO TBL t USING generate_series(1, 4) g ON t.id = g WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (g + 100)'),
	('MERGE INTO TBL t USING (VALUES (1), (1)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE'),
	('MERGE INTO TBL t USING (VALUES (1), (1)) v(id) ON t.id = v.id WHEN MATCHED THEN UPDATE SET n = 0'),
	('MERGE INTO TBL t USING (VALUES (2), (2)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN DO NOTHING'),
	-- errors
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED AND 1 / (t.id - 4) > 5 THEN DELETE'),
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id / 0)'),
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN MATCHED THEN DELETE'),
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (4, ''x'')'),
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET id = 5, k = ''x''');
SELECT count(*) AS forms FROM forms;
SELECT * FROM compare_all();

------------------------------------------------------------------------------
-- Forms of PostgreSQL 17, a syntax error before
------------------------------------------------------------------------------
TRUNCATE forms;
INSERT INTO forms (sql) VALUES
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE'),
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN NOT MATCHED BY SOURCE AND t.n < 9 THEN DELETE WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED BY TARGET THEN INSERT (id) VALUES (s.id + 100)'),
	('MERGE INTO TBL t USING source s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN UPDATE SET n = -1 WHEN MATCHED THEN DELETE'),
	('MERGE INTO TBL t USING (SELECT * FROM source WHERE false) s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE'),
	('MERGE INTO TBL t USING TBL s ON t.id = s.id + 1 WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN NOT MATCHED BY TARGET THEN INSERT (id) VALUES (s.id + 100)'),
	-- through a view that can be updated
	('MERGE INTO TBL_view t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED AND s.id > 3 THEN INSERT (id, k) VALUES (s.id, s.k)'),
	('MERGE INTO TBL_view t USING source s ON t.id = s.id WHEN MATCHED AND t.n > 2 THEN UPDATE SET n = 77 WHEN MATCHED THEN DELETE'),
	('MERGE INTO TBL_view t USING source s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE'),
	-- what it returns
	('WITH m AS (MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED AND s.n < 0 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 5 WHEN NOT MATCHED AND s.id > 3 THEN INSERT (id) VALUES (s.id) RETURNING s.id AS source, t.id, t.k, t.n) INSERT INTO returned SELECT m::text FROM m'),
	('WITH m AS (MERGE INTO TBL t USING source s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE RETURNING s.id AS source, t.id, t.n) INSERT INTO returned SELECT m::text FROM m'),
	('WITH m AS (MERGE INTO TBL_view t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE RETURNING t.*) INSERT INTO returned SELECT m::text FROM m'),
	('WITH m AS (MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = 5 WHEN NOT MATCHED AND s.id > 3 THEN INSERT (id) VALUES (s.id) RETURNING merge_action(), t.id) INSERT INTO returned SELECT m::text FROM m');
SELECT count(*) AS forms FROM forms;
SELECT * FROM compare_all();
SELECT outcome('source', 'MERGE INTO TBL t USING (VALUES (1)) v(id) ON t.id = v.id WHEN NOT MATCHED BY SOURCE THEN DELETE') = '42601' AS not_there;

------------------------------------------------------------------------------
-- A view cannot be the target before 17; a rule or a trigger on it is its own
-- business; a view with rows of its own conditions is held to them
------------------------------------------------------------------------------
CREATE TABLE "Post" (id int PRIMARY KEY, author text, title text);
SELECT softdelete.enable('"Post"', "unique" => 'keep');
INSERT INTO "Post" VALUES (1, 'ann', 'one'), (2, 'ann', 'two'), (3, 'bob', 'three');
CREATE VIEW anns AS SELECT * FROM "Post" WHERE author = 'ann' WITH CHECK OPTION;
\set VERBOSITY sqlstate
MERGE INTO anns a USING (VALUES (1), (3)) v(id) ON a.id = v.id WHEN MATCHED THEN DELETE;
MERGE INTO anns a USING (VALUES (1), (2)) v(id) ON a.id = v.id WHEN MATCHED THEN UPDATE SET author = 'bob';
\set VERBOSITY default
SELECT id, author FROM "Post" ORDER BY id;
SELECT rows FROM softdelete.deletions WHERE target = '"Post"'::regclass;
\if :since_17
-- RETURNING shows the row, and that a DELETE is done by an UPDATE
MERGE INTO "Post" p USING (VALUES (2)) v(id) ON p.id = v.id WHEN MATCHED THEN DELETE RETURNING merge_action(), p.id, p.title, p.deletion_id IS NOT NULL AS stamped;
SELECT id FROM "Post" ORDER BY id;
\endif

------------------------------------------------------------------------------
-- A deleted row whose key comes again
------------------------------------------------------------------------------
CREATE TABLE account (id int PRIMARY KEY, email text UNIQUE, is_deleted boolean NOT NULL DEFAULT false);
SELECT softdelete.enable('account', 'is_deleted', "unique" => 'keep');
INSERT INTO account VALUES (1, 'a'), (2, 'b');
DELETE FROM account WHERE id = 2;
MERGE INTO account a USING (VALUES (2, 'c')) v(id, email) ON a.id = v.id WHEN MATCHED THEN UPDATE SET email = v.email WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.email);
MERGE INTO account a USING (VALUES (3, 'b')) v(id, email) ON a.email = v.email WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.email);
MERGE INTO account a USING (VALUES (3, 'b')) v(id, email) ON a.email = v.email WHEN MATCHED AND a.is_deleted THEN DO NOTHING WHEN NOT MATCHED THEN DO NOTHING;
SELECT softdelete.create_live_unique('account', 'email');
MERGE INTO account a USING (VALUES (3, 'b')) v(id, email) ON a.email = v.email WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.email);
MERGE INTO account a USING (VALUES (4, 'b')) v(id, email) ON a.email = v.email WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.email);
MERGE INTO account a USING (VALUES (4, 'b')) v(id, email) ON a.email = v.email WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.email);
SELECT id, email FROM account ORDER BY id;
SELECT key->>'id' AS id, row_data->>'email' AS email FROM softdelete.trash('account') ORDER BY 1;

------------------------------------------------------------------------------
-- One statement, all that a DELETE does: stamp, cascade, restrictions, log
------------------------------------------------------------------------------
CREATE TABLE parent (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
CREATE TABLE parent_1 PARTITION OF parent FOR VALUES FROM (0) TO (10);
CREATE TABLE parent_2 PARTITION OF parent FOR VALUES FROM (10) TO (20);
CREATE TABLE child (id int PRIMARY KEY, up int REFERENCES parent ON DELETE CASCADE, kind text DEFAULT 'c');
CREATE TABLE guard (id int PRIMARY KEY, up int CONSTRAINT "Guarded" REFERENCES parent);
CREATE TABLE kept (id int PRIMARY KEY, up int REFERENCES parent ON DELETE SET NULL);
SELECT softdelete.enable('parent', cascade => true, "unique" => 'keep');
INSERT INTO parent SELECT n, n FROM unnest('{1,2,3,11,12,13}'::int[]) n;
INSERT INTO child SELECT n, n FROM unnest('{1,2,11,12}'::int[]) n;
INSERT INTO guard VALUES (1, 13);
INSERT INTO kept VALUES (1, 1), (12, 12);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE INFO '% of %', tg_op, tg_table_name; RETURN NULL; END $$;
CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON child FOR EACH ROW EXECUTE FUNCTION note();
MERGE INTO parent p USING (VALUES (1), (11), (3), (99)) v(id) ON p.id = v.id
	WHEN MATCHED AND p.id <> 3 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 33 WHEN NOT MATCHED THEN DO NOTHING;
SELECT id, n FROM parent ORDER BY id;
SELECT id, up FROM child ORDER BY id;
SELECT * FROM kept ORDER BY id;
SELECT target, rows FROM softdelete.deletions WHERE target IN ('parent'::regclass, 'child'::regclass);
MERGE INTO parent p USING (VALUES (12), (13)) v(id) ON p.id = v.id WHEN MATCHED THEN DELETE;
SELECT id FROM parent ORDER BY id;
-- a child that refers to what the same statement deletes
MERGE INTO child c USING (VALUES (50, 11)) v(id, up) ON c.id = v.id WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.up);
WITH gone AS (DELETE FROM parent WHERE id = 12 RETURNING id) MERGE INTO child c USING gone ON c.up = gone.id WHEN MATCHED THEN UPDATE SET up = 13;
SELECT id, up FROM child ORDER BY id;
SELECT softdelete.undo(min(id)) FROM softdelete.deletions WHERE target = 'parent'::regclass;
SELECT id FROM parent ORDER BY id;
SELECT id, up FROM child ORDER BY id;

------------------------------------------------------------------------------
-- In functions, with generic plans, as the setting and the table change
------------------------------------------------------------------------------
CREATE FUNCTION sync(ids int[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n	bigint;
BEGIN
	MERGE INTO child c USING unnest(ids) u ON c.id = u WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (u);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
CREATE PROCEDURE sync_sql(ids int[]) LANGUAGE sql BEGIN ATOMIC
	MERGE INTO child c USING unnest(ids) u ON c.id = u WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (u);
END;
SET client_min_messages = error;
ALTER TABLE child DISABLE TRIGGER noted;
SET plan_cache_mode = force_generic_plan;
SELECT sync('{1,70,71}');
SELECT sync('{70}');
CALL sync_sql('{71,72}');
CALL sync_sql('{72}');
SELECT id FROM child ORDER BY id;
\set VERBOSITY sqlstate
SELECT sync('{72}');
SET softdelete.visibility = deleted;
SELECT sync('{72}');
RESET softdelete.visibility;
\set VERBOSITY default
ALTER TABLE child ADD note text, ALTER kind DROP DEFAULT;
SELECT sync('{80,81}'), sync('{80}');
SELECT id FROM child ORDER BY id;
-- no longer managed: erased
SELECT softdelete.disable('child');
SELECT sync('{81}');
SELECT count(*) FROM child WHERE id = 81;
