-- MERGE: its DELETE actions mark, its other actions do not see deleted rows.
-- What comes of it is what comes of it on a table from which rows were erased.
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA merge;
SET search_path = merge;

CREATE TABLE native (id int PRIMARY KEY, n int, name text);
CREATE TABLE managed (gone int, id int PRIMARY KEY, n int, name text);
ALTER TABLE managed DROP COLUMN gone;
SELECT softdelete.enable('managed', "unique" => 'keep');
INSERT INTO native SELECT g, g * 10, 'n' || g FROM generate_series(1, 8) g;
INSERT INTO managed SELECT g, g * 10, 'n' || g FROM generate_series(1, 8) g;
-- two rows are gone already
DELETE FROM native WHERE id IN (2, 7);
DELETE FROM managed WHERE id IN (2, 7);
CREATE TABLE source (id int, n int);
INSERT INTO source VALUES (1, -1), (3, 5), (4, -1), (5, 6), (9, 9), (10, -1);

-- twin(sql): run it on both (TBL), say what came of it, undo it
CREATE FUNCTION run(statement text, tbl text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n bigint; result text; state text;
BEGIN
    BEGIN
        EXECUTE replace(statement, 'TBL', tbl);
        GET DIAGNOSTICS n = ROW_COUNT;
        EXECUTE format('SELECT string_agg(concat_ws('':'', id, n, name), '' '' ORDER BY id) FROM %I', tbl) INTO result;
        result := n || ' rows, now: ' || coalesce(result, '-');
        RAISE SQLSTATE 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        RETURN result;
    WHEN others THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE;
        RETURN 'error ' || state;
    END;
END $$;
CREATE FUNCTION twin(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE a text := run(statement, 'native'); b text := run(statement, 'managed');
BEGIN
    RETURN CASE WHEN a = b THEN a ELSE format('DIFFERENT: %s | %s', a, b) END;
END $$;

SELECT twin('MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED THEN DELETE');
SELECT twin('MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED AND s.n < 0 THEN DELETE WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED AND s.n > 0 THEN INSERT (id, n, name) VALUES (s.id, s.n, ''new'')');
SELECT twin('MERGE INTO TBL AS "T" USING (SELECT id FROM source WHERE n > 0) s ON "T".id = s.id WHEN MATCHED THEN UPDATE SET name = ''x'' || "T".id');
SELECT twin('MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED AND t.n > 30 THEN DELETE WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id + 100, NULL)');
SELECT twin('WITH x AS (SELECT id FROM source WHERE n < 0) MERGE INTO TBL t USING x ON t.id = x.id WHEN MATCHED THEN DELETE');
SELECT twin('MERGE INTO ONLY TBL t USING (VALUES (1), (2)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE');
-- a join with the table itself: neither side sees deleted rows
SELECT twin('MERGE INTO TBL t USING TBL u ON t.id = u.id + 1 WHEN MATCHED THEN DELETE');
SELECT twin('MERGE INTO TBL t USING (SELECT count(*)::int AS c FROM TBL) u ON t.id = u.c WHEN MATCHED THEN DELETE');
-- nothing matches
SELECT twin('MERGE INTO TBL t USING source s ON t.id = s.id + 1000 WHEN MATCHED THEN DELETE');
-- several source rows for one row: the same error, deleted or updated
SELECT twin('MERGE INTO TBL t USING (VALUES (1), (1)) v(id) ON t.id = v.id WHEN MATCHED THEN UPDATE SET n = 0');
SELECT twin('MERGE INTO TBL t USING (VALUES (1), (1)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE');
-- errors within an action, and syntax
SELECT twin('MERGE INTO TBL t USING source s ON t.id = s.id WHEN MATCHED AND 1 / (s.n - 5) > 0 THEN DELETE');
SELECT twin('MERGE INTO TBL t USING source s ON t.id = s.id WHEN NOT MATCHED THEN DELETE');
SELECT twin('MERGE INTO TBL t USING (VALUES (1)) v(id) ON t.id = v.id + 1000 WHEN NOT MATCHED THEN INSERT (id) VALUES (v.id)');

-- the tag; deleted rows are stamped, logged and can be restored
\set QUIET off
MERGE INTO managed t USING source s ON t.id = s.id
    WHEN MATCHED AND s.n < 0 THEN DELETE
    WHEN MATCHED THEN UPDATE SET n = s.n
    WHEN NOT MATCHED AND s.n > 0 THEN INSERT (id, n, name) VALUES (s.id, s.n, 'new');
\set QUIET on
SELECT * FROM managed ORDER BY id;
SET softdelete.visibility = deleted;
SELECT id, n, name, deleted_at IS NOT NULL AS has_time, deletion_id IS NOT NULL AS has_id FROM managed ORDER BY id;
RESET softdelete.visibility;
SELECT rows, restored FROM softdelete.deletions WHERE target = 'managed'::regclass ORDER BY id;
SELECT softdelete.restore('managed', 4);
SELECT * FROM managed ORDER BY id;

-- a hidden row whose key comes again is in the way of its primary key, as for INSERT
\set VERBOSITY sqlstate
MERGE INTO managed t USING (VALUES (7)) v(id) ON t.id = v.id WHEN NOT MATCHED THEN INSERT (id) VALUES (v.id);
\set VERBOSITY default
-- and not in the way of an index among live rows
CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text, is_active boolean NOT NULL DEFAULT true);
SELECT softdelete.enable('users', 'is_active', "unique" => 'keep');
SELECT softdelete.create_live_unique('users', 'email');
INSERT INTO users (email) VALUES ('a'), ('b');
DELETE FROM users WHERE email = 'a';
MERGE INTO users u USING (VALUES ('a'), ('b')) v(email) ON u.email = v.email
    WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (email) VALUES (v.email);
SELECT id, email FROM users ORDER BY id;
SET softdelete.visibility = 'all';
SELECT id, email, is_active FROM users ORDER BY id;
RESET softdelete.visibility;

-- the cascade follows, a RESTRICT key stops it, with the code it has natively
CREATE TABLE "Parents" (id int PRIMARY KEY, status text NOT NULL DEFAULT 'new');
CREATE TABLE children (id int PRIMARY KEY, p int REFERENCES "Parents" ON DELETE CASCADE);
CREATE TABLE guards (id int PRIMARY KEY, p int REFERENCES "Parents" ON DELETE RESTRICT);
SELECT softdelete.enable('"Parents"', 'status', cascade => true, "unique" => 'keep'), softdelete.enable('guards', "unique" => 'keep');
INSERT INTO "Parents" VALUES (1, 'old'), (2, 'new'), (3, 'new');
INSERT INTO children VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO guards VALUES (1, 3);
MERGE INTO "Parents" t USING (VALUES (1), (2)) v(id) ON t.id = v.id
    WHEN MATCHED AND t.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET status = 'kept';
SELECT * FROM "Parents" ORDER BY id;
SELECT * FROM children ORDER BY id;
SELECT rows FROM softdelete.deletions WHERE target = '"Parents"'::regclass;
\set VERBOSITY sqlstate
MERGE INTO "Parents" t USING (VALUES (2), (3)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE;
\set VERBOSITY default
SELECT id FROM "Parents" ORDER BY id;
SELECT id FROM children ORDER BY id;
SELECT softdelete.restore('"Parents"', 1);
SELECT * FROM "Parents" ORDER BY id;
SELECT * FROM children ORDER BY id;
-- an UPDATE action that sets the mark is a delete, too
MERGE INTO "Parents" t USING (VALUES (1)) v(id) ON t.id = v.id WHEN MATCHED THEN UPDATE SET status = 'deleted';
SELECT id FROM "Parents" ORDER BY id;
SELECT id FROM children ORDER BY id;
SELECT rows FROM softdelete.deletions WHERE target = '"Parents"'::regclass ORDER BY id;
SELECT softdelete.restore('"Parents"', 1);
SELECT id, status FROM "Parents" ORDER BY id;

-- prepared, with a generic plan, across the setting
PREPARE m(int) AS MERGE INTO managed t USING (VALUES ($1)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE;
SET plan_cache_mode = force_generic_plan;
BEGIN;
EXECUTE m(5);
SELECT count(*) FROM managed WHERE id = 5;
SET LOCAL softdelete.visibility = 'all';
\set VERBOSITY sqlstate
EXECUTE m(6);
\set VERBOSITY default
ROLLBACK;
EXECUTE m(6);
SELECT count(*) FROM managed WHERE id = 6;
RESET plan_cache_mode;

-- MERGE with another table as its target leaves a managed source's rows hidden
MERGE INTO native t USING managed s ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = 'in both' WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.n, 'only managed');
SELECT id, name FROM native ORDER BY id;

-- privileges are DELETE's for the DELETE action, and no more
GRANT USAGE ON SCHEMA merge TO sd_user;
GRANT SELECT, DELETE ON managed TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = merge;
BEGIN;
MERGE INTO managed t USING (VALUES (1), (3)) v(id) ON t.id = v.id WHEN MATCHED AND v.id = 3 THEN DELETE;
SELECT id FROM managed ORDER BY id;
ROLLBACK;
\set VERBOSITY sqlstate
MERGE INTO managed t USING (VALUES (3)) v(id) ON t.id = v.id WHEN MATCHED THEN UPDATE SET n = 0;
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
SET search_path = merge;
REVOKE DELETE ON managed FROM sd_user;
GRANT UPDATE ON managed TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = merge;
\set VERBOSITY sqlstate
MERGE INTO managed t USING (VALUES (3)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE;
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
SET search_path = merge;

-- under row-level security a DELETE action would be held to the policies for
-- UPDATE: refused; other actions go on
GRANT DELETE ON managed TO sd_user;
ALTER TABLE managed ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON managed TO sd_user USING (true);
SET SESSION AUTHORIZATION sd_user;
SET search_path = merge;
MERGE INTO managed t USING (VALUES (3)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE;
\set VERBOSITY sqlstate
MERGE INTO managed t USING (VALUES (3)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE;
\set VERBOSITY default
MERGE INTO managed t USING (VALUES (3)) v(id) ON t.id = v.id WHEN MATCHED THEN UPDATE SET n = 33;
SELECT id, n FROM managed WHERE id = 3;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = merge;
ALTER TABLE managed DISABLE ROW LEVEL SECURITY;

-- while deleted rows are visible a DELETE action is refused
SET softdelete.visibility = 'all';
MERGE INTO managed t USING (VALUES (5)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE;
\set VERBOSITY sqlstate
MERGE INTO managed t USING (VALUES (5)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE;
\set VERBOSITY default
RESET softdelete.visibility;

-- erased for good under softdelete.hard_delete
SET SESSION AUTHORIZATION DEFAULT;
SET search_path = merge;
BEGIN;
SET LOCAL softdelete.hard_delete = on;
MERGE INTO managed t USING (VALUES (5), (7)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE;
SET LOCAL softdelete.visibility = 'all';
SELECT id, deleted_at IS NOT NULL AS deleted FROM managed WHERE id IN (5, 7);
ROLLBACK;
