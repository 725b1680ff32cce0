-- The condition on a status, where no index has to match it, is a shorter one that is true of the same rows
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA status_filter;
SET search_path = status_filter;
CREATE TYPE stage AS ENUM ('draft', 'live', 'deleted');
CREATE DOMAIN word AS text;
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ 'Filter|Cond|Scan' THEN
            RETURN NEXT regexp_replace(line, '^ *(-> *)?', '');
        END IF;
    END LOOP;
END $$;

-- every type of status, NULL or not, and values that only look like the deleted one;
-- a long one is compressed or stands outside of the row
CREATE TABLE samples (n int PRIMARY KEY, value text);
INSERT INTO samples VALUES (1, NULL), (2, ''), (3, 'draft'), (4, 'deleteD'), (5, 'deleted '), (6, 'delete'), (7, 'deletes'), (8, 'deleted'),
    (9, repeat('deleted', 1000)), (10, (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 500) i));
CREATE TABLE t_text (id int PRIMARY KEY, status text);
CREATE TABLE t_not_null (id int PRIMARY KEY, status text NOT NULL);
CREATE TABLE t_varchar (id int PRIMARY KEY, status varchar);
CREATE TABLE t_char (id int PRIMARY KEY, status char(12));
CREATE TABLE t_word (id int PRIMARY KEY, status word);
CREATE TABLE t_c (id int PRIMARY KEY, status text COLLATE "C");
CREATE TABLE t_enum (id int PRIMARY KEY, status stage);
INSERT INTO t_text SELECT n, value FROM samples;
INSERT INTO t_not_null SELECT n, value FROM samples WHERE value IS NOT NULL;
INSERT INTO t_varchar SELECT n, value FROM samples;
INSERT INTO t_char SELECT n, value FROM samples WHERE n < 9;
INSERT INTO t_word SELECT n, value FROM samples;
INSERT INTO t_c SELECT n, value FROM samples;
INSERT INTO t_enum VALUES (1, NULL), (2, 'draft'), (3, 'live'), (8, 'deleted');
-- what is live, by the condition as it is written
CREATE TABLE expected (tbl regclass, ids text);
DO $$
DECLARE
    t regclass;
BEGIN
    FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'status_filter'::regnamespace AND relname LIKE 't\_%' AND relkind = 'r' LOOP
        EXECUTE format('INSERT INTO expected SELECT %L, string_agg(id::text, '' '' ORDER BY id) FROM %s WHERE status IS NULL OR status <> ''deleted''', t, t);
        PERFORM softdelete.enable(t, 'status', hide => true);
    END LOOP;
END $$;
CREATE FUNCTION live(t regclass) RETURNS text LANGUAGE plpgsql AS
    'DECLARE ids text; BEGIN EXECUTE format(''SELECT string_agg(id::text, '''' '''' ORDER BY id) FROM %s'', t) INTO ids; RETURN ids; END';
SELECT tbl, ids, live(tbl) = ids AS same, softdelete.live_predicate(tbl), (SELECT string_agg(p, '; ') FROM plan('SELECT 1 FROM ' || tbl) p WHERE p LIKE 'Filter%') AS filter
  FROM expected ORDER BY tbl::text;

-- a collation by which other bytes are equal, too (where the server has ICU)
DO $$
BEGIN
    CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE any_case (id int PRIMARY KEY, status text COLLATE any_case);
    INSERT INTO any_case SELECT n, value FROM samples WHERE n < 9;
    PERFORM softdelete.enable('any_case', 'status');
    ASSERT live('any_case') = '1 2 3 5 6 7', live('any_case');
EXCEPTION WHEN feature_not_supported OR undefined_object OR invalid_parameter_value THEN
    NULL;
END $$;

-- the whole condition stands where an index has to match it, or makes it needless
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT plan('SELECT id FROM t_text WHERE id < 5');
SELECT softdelete.create_live_index('t_text', 'id');
SELECT plan('SELECT id FROM t_text WHERE id < 5 ORDER BY id');
DROP INDEX t_text_id_live_idx;
CREATE INDEX by_hand ON t_text (id) WHERE status <> 'deleted' OR status IS NULL;
SELECT plan('SELECT id FROM t_text WHERE id < 5 ORDER BY id');
DROP INDEX by_hand;
CREATE INDEX by_status ON t_enum (status);
SELECT plan('SELECT id FROM t_enum WHERE status = ''draft''');
DROP INDEX by_status;
-- and where it has to go with the bounds of partitions
CREATE TABLE parted (id int, status text, PRIMARY KEY (id, status)) PARTITION BY LIST (status);
CREATE TABLE parted_deleted PARTITION OF parted FOR VALUES IN ('deleted');
CREATE TABLE parted_live PARTITION OF parted DEFAULT;
SELECT softdelete.enable('parted', 'status');
RESET enable_seqscan;
SELECT plan('SELECT id FROM parted');
RESET enable_bitmapscan;

-- in all that a statement can be
BEGIN;
DELETE FROM t_text WHERE id < 4 RETURNING *;
UPDATE t_text SET status = upper(status) WHERE id < 8 RETURNING *;
SELECT a.id, b.id FROM t_text a LEFT JOIN t_varchar b ON a.id = b.id AND b.status LIKE 'd%' WHERE a.id < 9 ORDER BY 1;
SELECT id FROM (SELECT id FROM t_text UNION ALL SELECT id + 100 FROM t_not_null) x ORDER BY 1;
SELECT min(id), max(id) FROM t_text;
INSERT INTO t_text VALUES (4, 'again') ON CONFLICT (id) DO UPDATE SET status = excluded.status RETURNING *;
ROLLBACK;
SET softdelete.visibility = only_deleted;
SELECT id, status FROM t_text;
RESET softdelete.visibility;

SET client_min_messages = error;
DROP SCHEMA status_filter CASCADE;
