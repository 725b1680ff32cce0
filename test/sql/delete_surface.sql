-- DELETE in all its forms: tag, row count, RETURNING, SQLSTATE and the rows
-- that are left are those of an ordinary table
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA delete_surface;
SET search_path = delete_surface;

-- twins: the same rows, one of them managed.  A column was dropped, so that
-- the numbers of the columns are not those of the target list.
CREATE TABLE native (gone int, id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Group" int, name text NOT NULL,
    twice int GENERATED ALWAYS AS ("Group" * 2) STORED, note varchar(10) DEFAULT 'none');
ALTER TABLE native DROP COLUMN gone;
CREATE TABLE managed (LIKE native INCLUDING ALL);
CREATE TABLE others (id int, grp int);
SELECT softdelete.enable('managed', build_index => false);
ALTER TABLE managed ADD COLUMN late int, ADD COLUMN later int;
ALTER TABLE managed DROP COLUMN late;
INSERT INTO native ("Group", name) SELECT g % 4, 'n' || g FROM generate_series(1, 12) g;
INSERT INTO managed ("Group", name) SELECT g % 4, 'n' || g FROM generate_series(1, 12) g;
INSERT INTO others VALUES (1, 1), (2, 1), (2, 2), (99, 99), (NULL, 3);

-- twin(sql, ret): run the statement on both (TBL stands for the table),
-- say what came of it, undo it.  Where the twins differ, say so.
CREATE FUNCTION run(statement text, ret boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r        record;
    seen     text[] := '{}';
    n        bigint;
    left_    text;
    state    text;
    result   text;
    tbl      text := CASE WHEN statement ~ 'managed' THEN 'managed' ELSE 'native' END;
BEGIN
    BEGIN
        IF ret THEN
            FOR r IN EXECUTE statement LOOP
                seen := seen || r::text;
            END LOOP;
            n := cardinality(seen);
            seen := ARRAY(SELECT unnest(seen) ORDER BY 1);
        ELSE
            EXECUTE statement;
            GET DIAGNOSTICS n = ROW_COUNT;
        END IF;
        EXECUTE format('SELECT string_agg(id::text, '' '' ORDER BY id) FROM %I', tbl) INTO left_;
        result := n || ' rows, left: ' || coalesce(left_, '-') || CASE WHEN ret THEN ', returned: ' || array_to_string(seen, ' ') ELSE '' END;
        RAISE SQLSTATE 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        RETURN result;
    WHEN others THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE;
        RETURN 'error ' || state;
    END;
END $$;
CREATE FUNCTION twin(statement text, ret boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    a text := run(replace(statement, 'TBL', 'native'), ret);
    b text := run(replace(statement, 'TBL', 'managed'), ret);
BEGIN
    RETURN CASE WHEN a = b THEN a ELSE format('DIFFERENT: %s | %s', a, b) END;
END $$;

-- what psql shows: tag and RETURNING
\set QUIET off
BEGIN;
DELETE FROM managed WHERE id = 1;
DELETE FROM managed WHERE id = 1;
DELETE FROM managed WHERE "Group" = 2 RETURNING id, name, twice;
DELETE FROM managed AS m USING others o WHERE m.id = o.id RETURNING m.name, o.grp;
\echo :ROW_COUNT
DELETE FROM managed;
DELETE FROM managed RETURNING id;
ROLLBACK;
\set QUIET on

-- plain conditions
SELECT twin('DELETE FROM TBL');
SELECT twin('DELETE FROM TBL WHERE false');
SELECT twin('DELETE FROM TBL WHERE NULL');
SELECT twin('DELETE FROM TBL WHERE id = 3');
SELECT twin('DELETE FROM TBL WHERE id = 300');
SELECT twin('DELETE FROM ONLY TBL WHERE id IN (1, 3)');
SELECT twin('DELETE FROM delete_surface.TBL AS "T" WHERE "T"."Group" BETWEEN 2 AND 3 AND "T".name <> ''n3''');
SELECT twin('DELETE FROM TBL WHERE twice > 3');
SELECT twin('DELETE FROM TBL WHERE note = ''none'' AND name LIKE ''n1%''');
-- RETURNING: the row as it was, expressions, whole rows, sub-selects
SELECT twin('DELETE FROM TBL WHERE id < 3 RETURNING id, "Group", name, twice, note', true);
SELECT twin('DELETE FROM TBL WHERE id < 3 RETURNING id * 10 AS x, upper(name), (SELECT max(id) FROM others o WHERE o.grp = "Group")', true);
SELECT twin('DELETE FROM TBL t WHERE id < 3 RETURNING (SELECT count(*) FROM TBL)', true);
-- USING: joins of every kind; a row that is joined to several is deleted, and counted, once
SELECT twin('DELETE FROM TBL t USING others o WHERE t.id = o.id');
SELECT twin('DELETE FROM TBL t USING others o WHERE t.id = o.id RETURNING t.id', true);
SELECT twin('DELETE FROM TBL t USING others o LEFT JOIN others p ON p.id = o.grp WHERE t."Group" = o.grp AND p.id IS NULL');
SELECT twin('DELETE FROM TBL t USING TBL u WHERE t."Group" = u."Group" AND t.id > u.id');
SELECT twin('DELETE FROM TBL t USING TBL u WHERE t."Group" = u."Group" AND t.id > u.id RETURNING t.id', true);
SELECT twin('DELETE FROM TBL t USING (VALUES (1), (2), (1)) v(id) WHERE t.id = v.id RETURNING t.id, v.id', true);
SELECT twin('DELETE FROM TBL t USING generate_series(2, 4) g, LATERAL (SELECT g + 1 AS h) l WHERE t.id = h');
-- sub-selects
SELECT twin('DELETE FROM TBL WHERE id IN (SELECT id FROM others)');
SELECT twin('DELETE FROM TBL WHERE id NOT IN (SELECT id FROM others WHERE id IS NOT NULL)');
SELECT twin('DELETE FROM TBL t WHERE EXISTS (SELECT FROM others o WHERE o.id = t.id)');
SELECT twin('DELETE FROM TBL t WHERE NOT EXISTS (SELECT FROM TBL u WHERE u.id = t.id + 4)');
SELECT twin('DELETE FROM TBL t WHERE id = (SELECT max(id) FROM TBL)');
SELECT twin('DELETE FROM TBL t WHERE id = ANY (ARRAY(SELECT id FROM others))');
-- LIMIT, by ctid and by key
SELECT twin('DELETE FROM TBL WHERE ctid IN (SELECT ctid FROM TBL ORDER BY id DESC LIMIT 3)');
SELECT twin('DELETE FROM TBL WHERE ctid = ANY (ARRAY(SELECT ctid FROM TBL ORDER BY id LIMIT 3 FOR UPDATE SKIP LOCKED))');
SELECT twin('DELETE FROM TBL WHERE id IN (SELECT id FROM TBL ORDER BY id OFFSET 10)');
-- WITH: before it, in it, several, recursive
SELECT twin('WITH x AS (SELECT id FROM others) DELETE FROM TBL USING x WHERE TBL.id = x.id RETURNING TBL.id', true);
SELECT twin('WITH d AS (DELETE FROM TBL WHERE id < 4 RETURNING id) SELECT * FROM d', true);
SELECT twin('WITH d AS (DELETE FROM TBL WHERE id < 4 RETURNING id) SELECT count(*), (SELECT count(*) FROM TBL) FROM d', true);
SELECT twin('WITH d AS (DELETE FROM TBL WHERE id < 4) SELECT 1', true);
SELECT twin('WITH a AS (DELETE FROM TBL WHERE id = 1 RETURNING *), b AS (DELETE FROM TBL WHERE id = 2 RETURNING *) DELETE FROM TBL USING a, b WHERE TBL.id = a.id + b.id RETURNING TBL.id', true);
SELECT twin('WITH d AS (DELETE FROM TBL WHERE id = 1 RETURNING id) UPDATE TBL t SET name = ''x'' FROM d WHERE t.id = d.id + 1 RETURNING t.id, name', true);
SELECT twin('WITH d AS (DELETE FROM TBL WHERE id = 1 RETURNING "Group", name) INSERT INTO TBL ("Group", name) OVERRIDING USER VALUE SELECT "Group", name || ''!'' FROM d RETURNING name', true);
SELECT twin('WITH RECURSIVE r(id) AS (SELECT 1 UNION ALL SELECT id * 2 FROM r WHERE id < 8) DELETE FROM TBL USING r WHERE r.id = TBL.id');
-- both WITH queries delete one row: only the first comes to it
SELECT twin('WITH a AS (DELETE FROM TBL WHERE id = 1 RETURNING id), b AS (DELETE FROM TBL WHERE id = 1 RETURNING id) SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b)', true);
-- errors: the same code
SELECT twin('DELETE FROM TBL WHERE 1 / (id - 4) > 5');
SELECT twin('DELETE FROM TBL WHERE nothing = 1');
SELECT twin('DELETE FROM TBL RETURNING 1 / (id - 1)', true);
SELECT twin('DELETE FROM TBL LIMIT 1');
SELECT twin('DELETE FROM TBL USING others WHERE id = 1');
SELECT twin('INSERT INTO others SELECT * FROM (DELETE FROM TBL RETURNING id, id) x');

-- through a cursor
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM managed WHERE id > 3 ORDER BY id FOR UPDATE;
FETCH 2 FROM c;
DELETE FROM managed WHERE CURRENT OF c RETURNING id, name;
\set QUIET off
DELETE FROM managed WHERE CURRENT OF c;
\set QUIET on
FETCH 1 FROM c;
DELETE FROM managed WHERE CURRENT OF c;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM managed;
CLOSE c;
-- a cursor that is open sees what it saw
DECLARE d INSENSITIVE CURSOR FOR SELECT id FROM managed ORDER BY id;
FETCH 1 FROM d;
DELETE FROM managed WHERE id IN (2, 3);
FETCH 2 FROM d;
ROLLBACK;

-- views: simple, of views, with check option, with an INSTEAD OF trigger, with a rule
CREATE VIEW v AS SELECT id AS "No", name FROM managed WHERE "Group" < 2;
CREATE VIEW vv AS SELECT "No" FROM v WHERE "No" > 4 WITH CASCADED CHECK OPTION;
CREATE VIEW v_barrier WITH (security_barrier) AS SELECT id, name FROM managed WHERE "Group" = 1;
CREATE VIEW v_join AS SELECT m.id, o.grp FROM managed m JOIN others o ON o.id = m.id;
CREATE FUNCTION v_join_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM delete_surface.managed WHERE id = OLD.id;
    RETURN OLD;
END $$;
CREATE TRIGGER instead INSTEAD OF DELETE ON v_join FOR EACH ROW EXECUTE FUNCTION v_join_delete();
CREATE VIEW v_rule AS SELECT id, "Group" FROM managed;
CREATE RULE del AS ON DELETE TO v_rule DO INSTEAD DELETE FROM managed WHERE "Group" = OLD."Group" AND id > 8 RETURNING id, "Group";
BEGIN;
\set QUIET off
DELETE FROM v WHERE "No" < 6 RETURNING *;
DELETE FROM vv RETURNING "No";
DELETE FROM v_barrier WHERE name LIKE 'n%';
DELETE FROM v_join WHERE id = 2;
DELETE FROM v_rule WHERE id = 3 RETURNING id;
\set QUIET on
SELECT string_agg(id::text, ' ' ORDER BY id) FROM managed;
SELECT * FROM v;
ROLLBACK;
-- security_invoker view, a rule on the table itself
CREATE VIEW v_invoker WITH (security_invoker) AS SELECT * FROM managed;
BEGIN;
DELETE FROM v_invoker WHERE id = 1 RETURNING id;
SELECT count(*) FROM v_invoker;
ROLLBACK;
BEGIN;
CREATE RULE also AS ON DELETE TO managed DO ALSO INSERT INTO others VALUES (OLD.id, -1);
\set QUIET off
DELETE FROM managed WHERE id IN (5, 6);
\set QUIET on
SELECT id FROM others WHERE grp = -1 ORDER BY id;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM managed;
ROLLBACK;

-- domain columns, NOT NULL and CHECK, are left alone by the mark
CREATE DOMAIN positive AS int NOT NULL CHECK (VALUE > 0);
CREATE TABLE checked (id positive PRIMARY KEY, a positive, b int CHECK (b <> 7), c int GENERATED BY DEFAULT AS IDENTITY,
    d positive GENERATED ALWAYS AS (id + 1) STORED);
SELECT softdelete.enable('checked');
INSERT INTO checked (id, a, b) VALUES (1, 1, 1), (2, 2, 2), (3, 3, NULL);
DELETE FROM checked WHERE id < 3 RETURNING id, a, b, c, d;
SELECT softdelete.restore('checked', 2);
SELECT id, a, b, c, d FROM checked ORDER BY id;

-- prepared statements, generic and custom plans
PREPARE del(int) AS DELETE FROM managed WHERE id = $1 RETURNING id;
PREPARE grp(int) AS DELETE FROM managed WHERE "Group" = $1;
BEGIN;
SET LOCAL plan_cache_mode = force_generic_plan;
EXECUTE del(1);
EXECUTE del(1);
SET LOCAL softdelete.visibility = 'all';
EXECUTE del(1);
EXECUTE del(2);
SET LOCAL softdelete.visibility = deleted;
EXECUTE del(3);
SET LOCAL softdelete.visibility = live;
EXECUTE del(3);
SET LOCAL plan_cache_mode = force_custom_plan;
EXECUTE del(5);
SET LOCAL plan_cache_mode = auto;
\set QUIET off
EXECUTE grp(0);
\set QUIET on
SELECT string_agg(id::text, ' ' ORDER BY id) FROM managed;
ROLLBACK;
-- a plan made before the table was managed is not used afterwards
CREATE TABLE late (id int PRIMARY KEY);
INSERT INTO late VALUES (1), (2), (3);
PREPARE late_del(int) AS DELETE FROM late WHERE id = $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE late_del(1);
SELECT softdelete.enable('late');
EXECUTE late_del(2);
SELECT softdelete.restore('late', 2);
SELECT softdelete.disable('late');
EXECUTE late_del(3);
SELECT id FROM late;
RESET plan_cache_mode;

-- plpgsql: ROW_COUNT, FOUND, RETURNING INTO, loops, records
DO $$
DECLARE
    n bigint; i int; r record; ids int[] := '{}';
BEGIN
    DELETE FROM managed WHERE "Group" = 3;
    GET DIAGNOSTICS n = ROW_COUNT;
    RAISE NOTICE '% rows, found %', n, FOUND;
    DELETE FROM managed WHERE "Group" = 3;
    GET DIAGNOSTICS n = ROW_COUNT;
    RAISE NOTICE '% rows, found %', n, FOUND;
    DELETE FROM managed WHERE id = 1 RETURNING id INTO STRICT i;
    RAISE NOTICE 'returned %', i;
    BEGIN
        DELETE FROM managed WHERE id = 1 RETURNING id INTO STRICT i;
    EXCEPTION WHEN no_data_found THEN RAISE NOTICE 'no data found';
    END;
    BEGIN
        DELETE FROM managed WHERE "Group" = 2 RETURNING id INTO STRICT i;
    EXCEPTION WHEN too_many_rows THEN RAISE NOTICE 'too many rows';
    END;
    EXECUTE 'DELETE FROM managed WHERE id = $1 RETURNING *' INTO r USING 2;
    RAISE NOTICE 'returned % % %', r.id, r.name, FOUND;
    FOR r IN DELETE FROM managed WHERE "Group" = 2 RETURNING id, name LOOP
        ids := ids || r.id;
    END LOOP;
    RAISE NOTICE 'looped over %, left %', ids, (SELECT array_agg(id ORDER BY id) FROM managed);
    FOR r IN SELECT id FROM managed ORDER BY id LOOP
        DELETE FROM managed WHERE id = r.id;
    END LOOP;
    PERFORM FROM managed;
    RAISE NOTICE 'any left: %', FOUND;
    RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
    RAISE NOTICE 'all undone: % rows', (SELECT count(*) FROM managed);
END $$;
-- SQL-language functions, inlined or not, and SECURITY DEFINER
CREATE FUNCTION del_sql(int) RETURNS SETOF int LANGUAGE sql AS 'DELETE FROM delete_surface.managed WHERE id = $1 RETURNING id';
CREATE FUNCTION del_atomic(i int) RETURNS int LANGUAGE sql BEGIN ATOMIC DELETE FROM managed WHERE id = i RETURNING id; END;
CREATE FUNCTION del_void(int, int) RETURNS void LANGUAGE sql AS 'DELETE FROM delete_surface.managed WHERE id = $1; DELETE FROM delete_surface.managed WHERE id = $2';
CREATE FUNCTION del_definer(int) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = delete_surface, pg_temp AS $$
DECLARE n bigint;
BEGIN
    DELETE FROM managed WHERE id = $1;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
CREATE PROCEDURE del_proc(int) LANGUAGE sql AS 'DELETE FROM delete_surface.managed WHERE id = $1';
BEGIN;
SELECT * FROM del_sql(1);
SELECT del_sql(g) FROM generate_series(1, 3) g ORDER BY 1;
SELECT del_atomic(4), del_atomic(4);
SELECT del_void(5, 6);
SELECT del_definer(7), del_definer(7);
CALL del_proc(8);
SELECT string_agg(id::text, ' ' ORDER BY id) FROM managed;
ROLLBACK;
GRANT USAGE ON SCHEMA delete_surface TO sd_user;
SET SESSION AUTHORIZATION sd_user;
BEGIN;
SELECT delete_surface.del_definer(7);
\set VERBOSITY sqlstate
DELETE FROM delete_surface.managed WHERE id = 8;
\set VERBOSITY default
ROLLBACK;
SET SESSION AUTHORIZATION sd_owner;

-- transactions, savepoints, exception blocks
BEGIN;
DELETE FROM managed WHERE id = 1;
SAVEPOINT a;
DELETE FROM managed WHERE id = 2;
SAVEPOINT b;
DELETE FROM managed WHERE id = 3;
ROLLBACK TO b;
DELETE FROM managed WHERE id = 4;
RELEASE a;
DO $$
BEGIN
    DELETE FROM managed WHERE id = 5;
    BEGIN
        DELETE FROM managed WHERE id = 6;
        PERFORM 1 / 0;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
END $$;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM managed;
COMMIT;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM managed;
-- what was rolled back left no log either: one row for a transaction that stands
SELECT rows FROM softdelete.deletions WHERE target = 'managed'::regclass ORDER BY id;
SELECT count(*) AS entries, sum(total) AS logged FROM softdelete.deletions WHERE target = 'managed'::regclass;
SELECT sum(softdelete.undo(id)) AS restored FROM softdelete.deletions WHERE target = 'managed'::regclass;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM managed;
-- one statement is one deletion, however it is written; WITH queries belong to theirs
WITH a AS (DELETE FROM managed WHERE id = 1), b AS (DELETE FROM managed WHERE id = 2 RETURNING 1) DELETE FROM managed WHERE id = 3;
DELETE FROM managed WHERE id IN (4, 5);
SELECT rows FROM softdelete.deletions WHERE target = 'managed'::regclass AND restored = 0 ORDER BY id;
-- a statement that deletes nothing logs nothing
DELETE FROM managed WHERE id = 1;
SELECT count(*) FROM softdelete.deletions WHERE target = 'managed'::regclass AND restored = 0;

-- a second delete is no new stamp, whatever is visible
SET softdelete.visibility = deleted;
CREATE TEMP TABLE stamps AS SELECT id, deleted_at, deletion_id FROM managed;
\set QUIET off
DELETE FROM managed WHERE id = 1;
DELETE FROM managed;
SET softdelete.visibility = 'all';
DELETE FROM managed WHERE id = 1;
DELETE FROM managed WHERE id IN (1, 6);
\set QUIET on
SELECT count(*) FROM managed m JOIN stamps s ON (m.id, m.deleted_at, m.deletion_id) = (s.id, s.deleted_at, s.deletion_id);
RESET softdelete.visibility;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM managed;
SELECT sum(softdelete.undo(id)) AS restored FROM softdelete.deletions WHERE target = 'managed'::regclass AND restored = 0;

-- user triggers: those for DELETE (trigger_delete.sql has them all), or, where
-- the mode is 'update', those for UPDATE; a BEFORE trigger that says no keeps the
-- row, and it is not counted
CREATE TABLE fired (what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO delete_surface.fired VALUES (concat_ws(' ', TG_NAME, TG_WHEN, TG_OP, TG_LEVEL, CASE TG_LEVEL WHEN 'ROW' THEN OLD.id END));
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
BEGIN;
CREATE TRIGGER a_before BEFORE DELETE OR UPDATE ON managed FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER b_after AFTER DELETE OR UPDATE ON managed FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER c_statement AFTER DELETE OR UPDATE ON managed FOR EACH STATEMENT EXECUTE FUNCTION note();
\set QUIET off
DELETE FROM managed WHERE id IN (1, 2);
\set QUIET on
SELECT * FROM fired;
ROLLBACK;
BEGIN;
SELECT softdelete.enable('managed', triggers => 'update');
CREATE TRIGGER a_before BEFORE DELETE OR UPDATE ON managed FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER b_after AFTER DELETE OR UPDATE ON managed FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER c_statement AFTER DELETE OR UPDATE ON managed FOR EACH STATEMENT EXECUTE FUNCTION note();
\set QUIET off
DELETE FROM managed WHERE id IN (1, 2);
\set QUIET on
SELECT * FROM fired;
ROLLBACK;
CREATE FUNCTION say_no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN CASE WHEN NEW.id % 2 = 0 THEN NEW END; END';
BEGIN;
SELECT softdelete.enable('managed', triggers => 'update');
CREATE TRIGGER say_no BEFORE UPDATE ON managed FOR EACH ROW EXECUTE FUNCTION say_no();
\set QUIET off
DELETE FROM managed WHERE id < 5 RETURNING id;
\set QUIET on
SELECT string_agg(id::text, ' ' ORDER BY id) FROM managed;
ROLLBACK;
-- a trigger that deletes more
CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.deleted_at IS NOT NULL THEN
        DELETE FROM delete_surface.managed WHERE id = NEW.id + 4;
    END IF;
    RETURN NULL;
END $$;
BEGIN;
SELECT softdelete.enable('managed', triggers => 'update');
CREATE TRIGGER more AFTER UPDATE ON managed FOR EACH ROW EXECUTE FUNCTION more();
\set QUIET off
DELETE FROM managed WHERE id = 1;
\set QUIET on
SELECT string_agg(id::text, ' ' ORDER BY id) FROM managed;
ROLLBACK;
-- transition tables see the rows that were marked
CREATE FUNCTION transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO delete_surface.fired SELECT o.id || ' ' || (n.deleted_at IS NOT NULL) FROM o JOIN n USING (id) ORDER BY id;
    RETURN NULL;
END $$;
BEGIN;
SELECT softdelete.enable('managed', triggers => 'update');
CREATE TRIGGER transition AFTER UPDATE ON managed REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION transition();
DELETE FROM managed WHERE id IN (3, 4);
SELECT * FROM fired;
ROLLBACK;

-- TRUNCATE is refused, also beside and by way of other tables
TRUNCATE managed;
TRUNCATE others, managed;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent);
SELECT softdelete.enable('child');
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1, 1);
\set VERBOSITY sqlstate
TRUNCATE managed;
TRUNCATE others, managed;
TRUNCATE ONLY managed RESTART IDENTITY;
TRUNCATE parent CASCADE;
\set VERBOSITY default
SELECT (SELECT count(*) FROM managed) AS managed, (SELECT count(*) FROM others) AS others, (SELECT count(*) FROM parent) AS parent;

-- softdelete.hard_delete: rows go for good, deleted ones too if they are visible
SET SESSION AUTHORIZATION DEFAULT;
SET search_path = delete_surface;
DELETE FROM managed WHERE id = 1;
BEGIN;
SET LOCAL softdelete.hard_delete = on;
\set QUIET off
DELETE FROM managed WHERE id IN (1, 2) RETURNING id;
\set QUIET on
SET LOCAL softdelete.visibility = 'all';
SELECT id, deleted_at IS NOT NULL AS deleted FROM managed WHERE id < 4 ORDER BY id;
\set QUIET off
DELETE FROM managed WHERE id IN (1, 3);
\set QUIET on
SELECT id, deleted_at IS NOT NULL AS deleted FROM managed WHERE id < 5 ORDER BY id;
TRUNCATE managed;
SELECT count(*) FROM managed;
ROLLBACK;
-- prepared plans follow it
PREPARE hard AS DELETE FROM managed WHERE id = $1;
BEGIN;
EXECUTE hard(4);
SET LOCAL softdelete.hard_delete = on;
EXECUTE hard(5);
SET LOCAL softdelete.hard_delete = off;
EXECUTE hard(6);
SET LOCAL softdelete.visibility = 'all';
SELECT id, deleted_at IS NOT NULL AS deleted FROM managed WHERE id BETWEEN 4 AND 6 ORDER BY id;
ROLLBACK;

-- session_replication_role = replica: triggers are silent, a DELETE is still a
-- mark, stamped and logged
BEGIN;
SET LOCAL session_replication_role = replica;
\set QUIET off
DELETE FROM managed WHERE id = 2;
\set QUIET on
SET LOCAL softdelete.visibility = 'all';
SELECT id, deleted_at IS NOT NULL AS deleted FROM managed WHERE id < 3 ORDER BY id;
SELECT total FROM softdelete.deletions WHERE target = 'managed'::regclass ORDER BY id DESC LIMIT 1;
SELECT softdelete.restore('managed', 2);
ROLLBACK;

-- EXPLAIN ANALYZE does it, EXPLAIN does not
SET SESSION AUTHORIZATION sd_owner;
SET search_path = delete_surface;
SELECT softdelete.restore('managed', 1);
BEGIN;
EXPLAIN (COSTS OFF) DELETE FROM managed WHERE "Group" = 2;
SELECT count(*) FROM managed;
DO $$ BEGIN EXECUTE 'EXPLAIN ANALYZE DELETE FROM managed WHERE "Group" = 2'; END $$;
SELECT count(*) FROM managed;
ROLLBACK;
