-- every kind of marker: what is live, what DELETE writes, what restore brings back
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA markers;
SET search_path = markers;

CREATE TYPE mood AS ENUM ('draft', 'published', 'deleted');
CREATE TYPE "Phase" AS ENUM ('new', 'It''s gone', 'done');
CREATE DOMAIN moment AS timestamptz;
CREATE DOMAIN flag AS boolean DEFAULT false NOT NULL;
CREATE DOMAIN state AS varchar(10) CHECK (VALUE IN ('draft', 'live', 'deleted'));
CREATE DOMAIN state2 AS state;

-- one table for each kind, with the rows (1, 2, 3) of which 2 will be deleted;
-- where NULL is allowed row 3 has it
CREATE TABLE "Kinds" (tbl regclass, marker name, deleted_value text);
CREATE TABLE t_timestamptz (id int PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE t_timestamp (id int PRIMARY KEY, "Removed On" timestamp);
CREATE TABLE t_timestamp3 (id int PRIMARY KEY, gone timestamp(0) without time zone);
CREATE TABLE t_moment (id int PRIMARY KEY, gone moment);
CREATE TABLE t_is_deleted (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT false);
CREATE TABLE t_is_deleted_null (id int PRIMARY KEY, is_deleted boolean);
CREATE TABLE t_is_active (id int PRIMARY KEY, is_active boolean NOT NULL DEFAULT true);
CREATE TABLE t_is_active_null (id int PRIMARY KEY, is_active boolean);
CREATE TABLE t_bool_said (id int PRIMARY KEY, "X" boolean DEFAULT true);
CREATE TABLE t_flag (id int PRIMARY KEY, deleted flag);
CREATE TABLE t_text (id int PRIMARY KEY, status text NOT NULL DEFAULT 'draft');
CREATE TABLE t_text_null (id int PRIMARY KEY, status text);
CREATE TABLE t_text_said (id int PRIMARY KEY, "Status of it" text, note text);
CREATE TABLE t_varchar (id int PRIMARY KEY, status varchar(7) NOT NULL);
CREATE TABLE t_varchar_null (id int PRIMARY KEY, status varchar);
CREATE TABLE t_char (id int PRIMARY KEY, status char(7));
CREATE TABLE t_enum (id int PRIMARY KEY, status mood NOT NULL);
CREATE TABLE t_enum_null (id int PRIMARY KEY, status mood);
CREATE TABLE t_enum_said (id int PRIMARY KEY, phase "Phase" DEFAULT 'new');
CREATE TABLE t_domain (id int PRIMARY KEY, status state NOT NULL);
CREATE TABLE t_domain2 (id int PRIMARY KEY, status state2);
INSERT INTO t_timestamptz VALUES (1), (2), (3);
INSERT INTO t_timestamp VALUES (1), (2), (3);
INSERT INTO t_timestamp3 VALUES (1), (2), (3);
INSERT INTO t_moment VALUES (1), (2), (3);
INSERT INTO t_is_deleted VALUES (1), (2), (3);
INSERT INTO t_is_deleted_null VALUES (1, false), (2, false), (3, NULL);
INSERT INTO t_is_active VALUES (1), (2), (3);
INSERT INTO t_is_active_null VALUES (1, true), (2, true), (3, NULL);
INSERT INTO t_bool_said VALUES (1, true), (2, true), (3, NULL);
INSERT INTO t_flag VALUES (1), (2), (3);
INSERT INTO t_text VALUES (1, 'draft'), (2, 'published'), (3, 'Deleted');
INSERT INTO t_text_null VALUES (1, 'draft'), (2, 'published'), (3, NULL);
INSERT INTO t_text_said VALUES (1, 'draft'), (2, 'it''s "ok"'), (3, NULL);
INSERT INTO t_varchar VALUES (1, 'draft'), (2, 'ready'), (3, '');
INSERT INTO t_varchar_null VALUES (1, 'draft'), (2, 'ready'), (3, NULL);
INSERT INTO t_char VALUES (1, 'draft'), (2, 'done'), (3, NULL);
INSERT INTO t_enum VALUES (1, 'draft'), (2, 'published'), (3, 'draft');
INSERT INTO t_enum_null VALUES (1, 'draft'), (2, 'published'), (3, NULL);
INSERT INTO t_enum_said VALUES (1, 'new'), (2, 'done'), (3, NULL);
INSERT INTO t_domain VALUES (1, 'draft'), (2, 'live'), (3, 'draft');
INSERT INTO t_domain2 VALUES (1, 'draft'), (2, 'live'), (3, NULL);
INSERT INTO "Kinds" VALUES
    ('t_timestamptz', 'deleted_at', NULL), ('t_timestamp', 'Removed On', NULL), ('t_timestamp3', 'gone', NULL), ('t_moment', 'gone', NULL),
    ('t_is_deleted', 'is_deleted', NULL), ('t_is_deleted_null', 'is_deleted', NULL),
    ('t_is_active', 'is_active', NULL), ('t_is_active_null', 'is_active', NULL), ('t_bool_said', 'X', 'off'), ('t_flag', 'deleted', NULL),
    ('t_text', 'status', NULL), ('t_text_null', 'status', NULL), ('t_text_said', 'Status of it', 'it''s "gone"'),
    ('t_varchar', 'status', NULL), ('t_varchar_null', 'status', NULL), ('t_char', 'status', NULL),
    ('t_enum', 'status', NULL), ('t_enum_null', 'status', NULL), ('t_enum_said', 'phase', 'It''s gone'),
    ('t_domain', 'status', NULL), ('t_domain2', 'status', NULL);
ALTER TABLE "Kinds" ADD COLUMN was text;
DO $$
DECLARE k "Kinds";
BEGIN
    FOR k IN SELECT * FROM "Kinds" LOOP
        EXECUTE format('UPDATE "Kinds" SET was = (SELECT string_agg(concat_ws(''='', id, coalesce(%I::text, ''NULL'')), '','' ORDER BY id) FROM %s) WHERE tbl = %L::regclass', k.marker, k.tbl, k.tbl);
        PERFORM softdelete.enable(k.tbl, k.marker, k.deleted_value);
    END LOOP;
END $$;
SELECT k.tbl, d.kind, d.deleted_value, d.live_predicate, d.time_column, d.former_column
  FROM "Kinds" k JOIN softdelete.tables d ON d.target = k.tbl ORDER BY k.tbl::text;
-- live_predicate() says the same, and can be used as it is
SELECT k.tbl FROM "Kinds" k JOIN softdelete.tables d ON d.target = k.tbl
 WHERE d.live_predicate IS DISTINCT FROM softdelete.live_predicate(k.tbl);

-- a function for the tests: the rows seen, as id=mark
CREATE FUNCTION seen(t regclass, times boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; k "Kinds";
BEGIN
    SELECT * INTO k FROM "Kinds" WHERE tbl = t;
    EXECUTE format('SELECT string_agg(concat_ws(''='', id, coalesce(CASE WHEN %L AND %I IS NOT NULL THEN ''time'' ELSE %I::text END, ''NULL'')), '','' ORDER BY id) FROM %s',
                   times, k.marker, k.marker, t) INTO result;
    RETURN result;
END $$;
-- before anything is deleted all rows are live, NULL marks included
SELECT tbl, was FROM "Kinds" WHERE seen(tbl) IS DISTINCT FROM was;

-- DELETE: row 2 is gone from sight, the mark and its companions are written
DO $$
DECLARE k "Kinds"; n bigint;
BEGIN
    FOR k IN SELECT * FROM "Kinds" LOOP
        EXECUTE format('DELETE FROM %s WHERE id = 2', k.tbl);
        GET DIAGNOSTICS n = ROW_COUNT;
        IF n <> 1 THEN RAISE 'deleted % rows of %', n, k.tbl; END IF;
    END LOOP;
END $$;
SELECT tbl, seen(tbl) FROM "Kinds" ORDER BY tbl::text;
SET softdelete.visibility = deleted;
SELECT k.tbl, seen(k.tbl, d.kind = 'timestamp') FROM "Kinds" k JOIN softdelete.tables d ON d.target = k.tbl ORDER BY k.tbl::text;
-- the former status is kept
SELECT former_status FROM t_text;
SELECT former_status FROM t_enum_null;
SELECT "former_Status of it" FROM t_text_said;
-- the time is the transaction's, in the column's own type
BEGIN;
SET LOCAL softdelete.visibility = live;
DELETE FROM t_timestamptz WHERE id = 1;
DELETE FROM t_timestamp WHERE id = 1;
DELETE FROM t_timestamp3 WHERE id = 1;
DELETE FROM t_moment WHERE id = 1;
DELETE FROM t_is_deleted WHERE id = 1;
SET LOCAL softdelete.visibility = deleted;
SELECT deleted_at = now() AS same FROM t_timestamptz WHERE id = 1;
SELECT "Removed On" = now()::timestamp AS same FROM t_timestamp WHERE id = 1;
SELECT gone = now()::timestamp(0) AS same FROM t_timestamp3 WHERE id = 1;
SELECT gone = now() AS same FROM t_moment WHERE id = 1;
SELECT deleted_at = now() AS same FROM t_is_deleted WHERE id = 1;
ROLLBACK;
RESET softdelete.visibility;

-- trash() shows it in the same shape for all
SELECT k.tbl, t.key, t.deleted_at IS NOT NULL AS has_time, t.deletion_id IS NOT NULL AS has_id, t.deleted_by
  FROM "Kinds" k, softdelete.trash(k.tbl) t WHERE t.deleted_by IS DISTINCT FROM 'sd_owner' OR t.deleted_at IS NULL OR t.key <> '{"id": 2}';

-- restore: each row is what it was, companions are empty again
SELECT tbl FROM "Kinds" WHERE softdelete.restore(tbl, 2) <> 1;
SELECT tbl, was, seen(tbl) FROM "Kinds" WHERE seen(tbl) IS DISTINCT FROM was;
DO $$
DECLARE k record; n bigint;
BEGIN
    FOR k IN SELECT * FROM softdelete.tables d JOIN "Kinds" ON tbl = target LOOP
        EXECUTE format('SELECT count(*) FROM %s WHERE num_nonnulls(deletion_id, %I%s) > 0', k.tbl, k.time_column, ', ' || quote_ident(k.former_column)) INTO n;
        IF n > 0 THEN RAISE '% rows of % have companions left', n, k.tbl; END IF;
    END LOOP;
END $$;

-- the engine's own condition and live_predicate() agree, on every mark there is
DO $$
DECLARE k record; a bigint; b bigint;
BEGIN
    FOR k IN SELECT * FROM softdelete.tables d JOIN "Kinds" ON tbl = target LOOP
        EXECUTE format('DELETE FROM %s WHERE id = 2', k.tbl);
        EXECUTE format('SELECT count(*) FROM %s', k.tbl) INTO a;
        SET LOCAL softdelete.visibility = 'all';
        EXECUTE format('SELECT count(*) FROM %s WHERE %s', k.tbl, k.live_predicate) INTO b;
        IF a <> 2 OR b <> 2 THEN RAISE '%: % rows live, % by the predicate', k.tbl, a, b; END IF;
        SET LOCAL softdelete.visibility = 'live';
        PERFORM softdelete.restore(k.tbl, 2);
    END LOOP;
END $$;

-- a partial index over live rows of each kind, and the upsert that infers it
DO $$
DECLARE k record; n bigint;
BEGIN
    FOR k IN SELECT * FROM softdelete.tables d JOIN "Kinds" ON tbl = target LOOP
        EXECUTE format('ALTER TABLE %s ADD COLUMN email text', k.tbl);
        EXECUTE format('UPDATE %s SET email = ''m'' || id', k.tbl);
        PERFORM softdelete.create_live_unique(k.tbl, 'email');
        EXECUTE format('DELETE FROM %s WHERE id = 2', k.tbl);
        EXECUTE format('INSERT INTO %s (id, email%s) VALUES (4, ''m2''%s) ON CONFLICT (email) DO NOTHING', k.tbl,
            CASE k.kind WHEN 'status' THEN ', ' || quote_ident(k.marker) END, CASE k.kind WHEN 'status' THEN CASE k.tbl WHEN 't_enum_said'::regclass THEN ', ''new''' ELSE ', ''draft''' END END);
        GET DIAGNOSTICS n = ROW_COUNT;
        IF n <> 1 THEN RAISE '%: the deleted row was in the way', k.tbl; END IF;
        BEGIN
            PERFORM softdelete.restore(k.tbl, 2);
            RAISE '%: restored against a live twin', k.tbl;
        EXCEPTION WHEN unique_violation THEN NULL;
        END;
        EXECUTE format('DELETE FROM %s WHERE id = 4', k.tbl);
        PERFORM softdelete.restore(k.tbl, 2);
        EXECUTE format('SELECT count(*) FROM %s WHERE email = ''m2''', k.tbl) INTO n;
        IF n <> 1 THEN RAISE '%: % rows', k.tbl, n; END IF;
    END LOOP;
END $$;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'markers' AND indexname LIKE '%live_key%' ORDER BY 1;

-- an application that sets the mark itself deletes like any other: companions
-- are filled, the log has a row, restore brings the row back
CREATE FUNCTION deletions_of(t regclass) RETURNS TABLE (rows jsonb, restored bigint) LANGUAGE sql AS
    'SELECT rows, restored FROM softdelete.deletions WHERE target = $1 ORDER BY id';
CREATE TABLE app_time (id int PRIMARY KEY, name text);
CREATE TABLE app_flag (id int PRIMARY KEY, is_active boolean NOT NULL DEFAULT true);
CREATE TABLE app_status (id int PRIMARY KEY, status mood NOT NULL DEFAULT 'draft');
CREATE TABLE app_child (id int PRIMARY KEY, t int REFERENCES app_time ON DELETE CASCADE);
SELECT softdelete.enable('app_time', cascade => true), softdelete.enable('app_flag', 'is_active'), softdelete.enable('app_status', 'status');
INSERT INTO app_time SELECT g, 'n' || g FROM generate_series(1, 4) g;
INSERT INTO app_flag SELECT g FROM generate_series(1, 4) g;
INSERT INTO app_status SELECT g, (ARRAY['draft', 'published', 'draft', 'published'])[g]::mood FROM generate_series(1, 4) g;
INSERT INTO app_child SELECT g, g FROM generate_series(1, 4) g;
UPDATE app_time SET deleted_at = '2024-02-03 04:05:06Z', name = 'gone' WHERE id IN (1, 2);
UPDATE app_flag SET is_active = false WHERE id IN (1, 2) RETURNING id;
UPDATE app_status SET status = 'deleted' WHERE id IN (1, 2) RETURNING id;
SELECT id FROM app_time ORDER BY id;
SELECT id FROM app_child ORDER BY id;
SELECT id FROM app_flag ORDER BY id;
SELECT id, status FROM app_status ORDER BY id;
SELECT * FROM deletions_of('app_time');
SELECT * FROM deletions_of('app_flag');
SELECT * FROM deletions_of('app_status');
SET softdelete.visibility = deleted;
SELECT id, name, deleted_at AT TIME ZONE 'UTC' AS deleted_at, deletion_id = max(deletion_id) OVER () AS same FROM app_time ORDER BY id;
SELECT id, t, deletion_id IN (SELECT deletion_id FROM app_time) AS same FROM app_child ORDER BY id;
SELECT id, is_active, deleted_at IS NOT NULL AS has_time, deletion_id = max(deletion_id) OVER () AS same FROM app_flag ORDER BY id;
SELECT id, status, former_status, deleted_at IS NOT NULL AS has_time FROM app_status ORDER BY id;
-- and one that clears it restores: all that went with the row, the status
-- that the statement gives
UPDATE app_time SET deleted_at = NULL WHERE id = 1;
UPDATE app_flag SET is_active = true WHERE id = 1;
UPDATE app_status SET status = 'published' WHERE id = 1;
RESET softdelete.visibility;
SELECT * FROM app_time ORDER BY id;
SELECT * FROM app_child ORDER BY id;
SELECT * FROM app_flag ORDER BY id;
SELECT * FROM app_status ORDER BY id;
SELECT * FROM deletions_of('app_time');
SELECT * FROM deletions_of('app_flag');
SELECT * FROM deletions_of('app_status');
-- an UPDATE to a live status clears nothing and deletes nothing
UPDATE app_status SET status = 'draft' WHERE id = 4;
-- a time that is set anew while the row is deleted is no second delete
SET softdelete.visibility = deleted;
UPDATE app_time SET deleted_at = '2024-03-03 00:00:00Z' WHERE id = 2;
RESET softdelete.visibility;
SELECT * FROM deletions_of('app_time');
SELECT count(*) FROM deletions_of('app_status');
-- nor is a mark that is set to what it was, or a row marked that is hidden already
UPDATE app_flag SET is_active = is_active;
UPDATE app_flag SET is_active = false WHERE id = 2;
SELECT count(*) FROM deletions_of('app_flag');
-- the companions are the extension's
\set VERBOSITY sqlstate
UPDATE app_time SET deletion_id = 1 WHERE id = 1;
UPDATE app_flag SET deletion_id = 1 WHERE id = 1;
\set VERBOSITY default
UPDATE app_flag SET deletion_id = 1 WHERE id = 1;
-- the mark and its companion in one statement: the stamp is the extension's all the same
UPDATE app_flag SET deletion_id = -7, is_active = false WHERE id = 4;
SELECT key, deletion_id > 0 AS stamped, deletion_id IN (SELECT id FROM softdelete.deletions) AS logged FROM softdelete.trash('app_flag') ORDER BY key;

-- the mark is set by a user's BEFORE UPDATE trigger, in a statement that names
-- another column
CREATE TABLE by_trigger (id int PRIMARY KEY, score int, is_deleted boolean NOT NULL DEFAULT false);
CREATE TABLE by_trigger_child (id int PRIMARY KEY, p int REFERENCES by_trigger ON DELETE CASCADE);
SELECT softdelete.enable('by_trigger', 'is_deleted', cascade => true);
CREATE FUNCTION sink() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.is_deleted := NEW.score < 0;
    RETURN NEW;
END $$;
CREATE TRIGGER sink BEFORE UPDATE ON by_trigger FOR EACH ROW EXECUTE FUNCTION sink();
INSERT INTO by_trigger VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO by_trigger_child VALUES (1, 1), (2, 2), (3, 3);
UPDATE by_trigger SET score = score - 2 WHERE id < 3;
SELECT id, score FROM by_trigger ORDER BY id;
SELECT id FROM by_trigger_child ORDER BY id;
SELECT * FROM deletions_of('by_trigger');
SET softdelete.visibility = deleted;
SELECT id, score, is_deleted, deleted_at IS NOT NULL AS has_time, deletion_id IS NOT NULL AS has_id FROM by_trigger;
UPDATE by_trigger SET score = 10;
RESET softdelete.visibility;
SELECT id, score, is_deleted, deleted_at, deletion_id FROM by_trigger ORDER BY id;
SELECT id FROM by_trigger_child ORDER BY id;
SELECT * FROM deletions_of('by_trigger');
-- one that fires behind the extension's own is told so, and nothing is changed
ALTER TRIGGER sink ON by_trigger RENAME TO "~z_sink";
UPDATE by_trigger SET score = -1 WHERE id = 1;
SELECT id, score, is_deleted FROM by_trigger ORDER BY id;

-- what cannot be a marker, or its deleted value
CREATE TABLE bad (id int PRIMARY KEY, n int, d date, b boolean, vis boolean, not_null timestamptz NOT NULL DEFAULT now(),
    defaulted timestamptz DEFAULT now(), short varchar(3), ch char(20), m mood, p "Phase", s state, a text[],
    g boolean GENERATED ALWAYS AS (id < 0) STORED, is_deleted boolean);
SELECT softdelete.enable('bad', 'n');
SELECT softdelete.enable('bad', 'd');
SELECT softdelete.enable('bad', 'b');
SELECT softdelete.enable('bad', 'is_deleted', 'maybe');
SELECT softdelete.enable('bad', 'not_null');
SELECT softdelete.enable('bad', 'defaulted');
SELECT softdelete.enable('bad', 'short');
SELECT softdelete.enable('bad', 'm', 'gone');
SELECT softdelete.enable('bad', 'p');
SELECT softdelete.enable('bad', 's', 'gone');
SELECT softdelete.enable('bad', 'a');
SELECT softdelete.enable('bad', 'g', 'true');
SELECT softdelete.enable('bad', 'no such column');
SELECT softdelete.enable('bad', 'ctid');
\set VERBOSITY sqlstate
SELECT softdelete.enable('bad', 'n');
SELECT softdelete.enable('bad', 'd');
SELECT softdelete.enable('bad', 'b');
SELECT softdelete.enable('bad', 'is_deleted', 'maybe');
SELECT softdelete.enable('bad', 'not_null');
SELECT softdelete.enable('bad', 'defaulted');
SELECT softdelete.enable('bad', 'short');
SELECT softdelete.enable('bad', 'm', 'gone');
SELECT softdelete.enable('bad', 'p');
SELECT softdelete.enable('bad', 's', 'gone');
SELECT softdelete.enable('bad', 'a');
SELECT softdelete.enable('bad', 'g', 'true');
SELECT softdelete.enable('bad', 'no such column');
SELECT softdelete.enable('bad', 'ctid');
SELECT softdelete.enable('bad', 'not_null', 'x');
\set VERBOSITY default
-- nothing was changed
SELECT target FROM softdelete.tables WHERE target = 'bad'::regclass;
SELECT count(*) AS columns FROM pg_attribute WHERE attrelid = 'bad'::regclass AND attnum > 0;
-- but these can be
SELECT softdelete.enable('bad', 'p', 'It''s gone');
SELECT softdelete.disable('bad', true);
SELECT softdelete.enable('bad', 'short', 'del');
SELECT softdelete.disable('bad', true);
SELECT softdelete.enable('bad', 'b', 'yes');
SELECT live_predicate FROM softdelete.tables WHERE target = 'bad'::regclass;
