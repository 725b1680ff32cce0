-- No setting of the session changes what the functions do: those of how strings
-- are read, names are quoted, dates are printed, and how strict PL/pgSQL is.
-- (A session of its own: functions are compiled under them.)
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SET backslash_quote = off;
SET quote_all_identifiers = on;
SET array_nulls = off;
SET transform_null_equals = on;
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'UTC';
SET IntervalStyle = 'sql_standard';
SET extra_float_digits = -15;
SET bytea_output = 'escape';
SET plpgsql.extra_errors = 'all';
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA "session\settings";
SET search_path = "session\settings";
\set SHOW_CONTEXT never
CREATE TABLE "a\b" (id int PRIMARY KEY, "c\d" text UNIQUE, n int UNIQUE DEFERRABLE);
CREATE TABLE child (id int PRIMARY KEY, up int REFERENCES "a\b" ON DELETE CASCADE, "state\" text DEFAULT 'x\\y');
CREATE INDEX "i\1" ON child ((id || '\\1'));
CREATE TABLE flags (id int PRIMARY KEY, is_active boolean NOT NULL, gone timestamp);
INSERT INTO flags VALUES (1, true), (2, false);
SELECT softdelete.enable('child', 'state\\', 'go\\ne', retention => '3 4:05:06');
SELECT softdelete.enable('"a\\b"', retention => '30 days'), softdelete.enable('flags', 'is_active');
SELECT target, kind, live_predicate, retention FROM softdelete.tables WHERE target IN ('"a\\b"'::regclass, 'child', 'flags') ORDER BY 1;
INSERT INTO "a\b" SELECT n, n, n FROM generate_series(1, 10) n;
INSERT INTO child SELECT n, n FROM generate_series(1, 10) n;
DELETE FROM "a\b" WHERE id > 5;
DELETE FROM flags;
VACUUM ANALYZE "a\b", child;
SELECT kind, ddl FROM softdelete.advice() WHERE target IN ('"a\\b"'::regclass, 'child', 'flags');
SELECT pg_get_indexdef(softdelete.create_live_index('child', 'state\\'));
SELECT softdelete.create_live_unique('"a\\b"', 'c\\d'), softdelete.create_live_unique('"a\\b"', 'n');
SELECT ddl FROM softdelete.advice('child') WHERE kind NOT IN ('natural_key', 'retention')
\gexec
SELECT indexdef FROM pg_indexes WHERE schemaname = 'session\\settings' AND indexdef ~ 'WHERE' AND indexname !~ '_deleted_idx' ORDER BY indexname COLLATE "C";
SELECT kind, ddl FROM softdelete.advice() WHERE target IN ('"a\\b"'::regclass, 'child', 'flags') AND kind NOT IN ('natural_key', 'key_index', 'retention');
SELECT target, key, deleted_by, days_left, row_data - 'deleted_at' - 'deletion_id' AS row_data FROM softdelete.trash() WHERE target IN ('"a\\b"'::regclass, 'child', 'flags') ORDER BY target, key;
SELECT child, parent, soft_delete FROM softdelete.foreign_keys WHERE child = 'child'::regclass;
SELECT softdelete.restore('"a\\b"', 10), softdelete.restore('flags', 1);
SELECT softdelete.purge('child', 9), softdelete.purge('"a\\b"', 9);
SELECT * FROM softdelete.purge_expired('child', dry_run => true, older_than => '0:00');
SELECT * FROM softdelete.purge_expired('child', older_than => '0');
SELECT * FROM softdelete.purge_expired('"a\\b"', older_than => '0');
SELECT * FROM child ORDER BY id;
ALTER TABLE "a\b" DROP CONSTRAINT "a\b_n_key";
SELECT softdelete.disable('child', drop_columns => true), softdelete.disable('"a\\b"', drop_columns => true), softdelete.disable('flags');
