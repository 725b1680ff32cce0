-- What takes the place of a full index or constraint is the same but for the
-- deleted rows: operator classes, collations, order, INCLUDE, NULLS NOT DISTINCT,
-- conditions, storage parameters, deferrability; and its text is data, never SQL.
SET SESSION AUTHORIZATION sd_owner;
SET client_min_messages = error;
CREATE SCHEMA live_twins;
SET search_path = live_twins;
\set SHOW_CONTEXT never

------------------------------------------------------------------------------
-- advice(): expressions and names that look like SQL
------------------------------------------------------------------------------
CREATE TABLE secrets (id int);
CREATE TABLE "x"" USING btree (a); DROP TABLE secrets; -- \1" (id int PRIMARY KEY, a text, b int);
CREATE INDEX i1 ON "x"" USING btree (a); DROP TABLE secrets; -- \1" ((a || ' ON x USING btree (a); DROP TABLE secrets; -- '));
CREATE INDEX "i2 ON x USING btree (" ON "x"" USING btree (a); DROP TABLE secrets; -- \1" (a);
CREATE INDEX "i3 \1" ON "x"" USING btree (a); DROP TABLE secrets; -- \1" (b) WHERE a <> ' WHERE true; DROP TABLE secrets; -- ';
CREATE UNIQUE INDEX i4 ON "x"" USING btree (a); DROP TABLE secrets; -- \1" ((a || ') WHERE true; DROP TABLE secrets; --')) WHERE a <> ''' WHERE ';
CREATE TABLE shapes (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "The Text" text, c varchar(20), tags int[], p point, note text, a int, b int);
CREATE INDEX shape_1 ON shapes ("The Text" COLLATE "C" text_pattern_ops DESC NULLS LAST, c varchar_pattern_ops, a NULLS FIRST) INCLUDE (note, b) WITH (fillfactor = 70, deduplicate_items = off);
CREATE INDEX shape_2 ON shapes USING gin (tags) WITH (fastupdate = off);
CREATE INDEX shape_3 ON shapes USING gist (p, to_tsvector('simple', note) tsvector_ops (siglen = 100));
CREATE INDEX shape_4 ON shapes USING hash ((a + b));
CREATE INDEX shape_5 ON shapes USING brin (a int4_minmax_multi_ops (values_per_range = 16)) WITH (pages_per_range = 4);
CREATE INDEX shape_6 ON shapes (lower("The Text") COLLATE "POSIX", (CASE WHEN a > 0 THEN b END));
CREATE UNIQUE INDEX shape_7 ON shapes ("The Text" COLLATE "POSIX" text_pattern_ops, a DESC) INCLUDE (b) NULLS NOT DISTINCT WITH (fillfactor = 80) WHERE a > 0 OR b > 0;
ALTER TABLE shapes ADD deleted_at timestamptz;
CREATE UNIQUE INDEX shape_8 ON shapes (a) WHERE b > 0 AND deleted_at IS NULL;
SELECT softdelete.enable('"x"" USING btree (a); DROP TABLE secrets; -- \1"', "unique" => 'keep'), softdelete.enable('shapes', "unique" => 'keep');
INSERT INTO "x"" USING btree (a); DROP TABLE secrets; -- \1" SELECT n, n, n FROM generate_series(1, 100) n;
INSERT INTO shapes ("The Text", a, b) SELECT n, n, n FROM generate_series(1, 100) n;
DELETE FROM "x"" USING btree (a); DROP TABLE secrets; -- \1" WHERE id > 50;
DELETE FROM shapes WHERE id > 50;
VACUUM ANALYZE "x"" USING btree (a); DROP TABLE secrets; -- \1", shapes;
SELECT kind, ddl FROM softdelete.advice('"x"" USING btree (a); DROP TABLE secrets; -- \1"');
SELECT kind, ddl FROM softdelete.advice('shapes');
CREATE TABLE before AS
	SELECT indexname, regexp_replace(indexdef, '.* USING', '') AS def FROM pg_indexes WHERE schemaname = 'live_twins' AND indexname LIKE 'shape__';
SELECT ddl FROM softdelete.advice('"x"" USING btree (a); DROP TABLE secrets; -- \1"') WHERE kind <> 'natural_key' AND ddl IS NOT NULL
\gexec
SELECT ddl FROM softdelete.advice('shapes') WHERE ddl IS NOT NULL
\gexec
TABLE secrets;
-- nothing is lost, nothing is left to say
SELECT b.indexname, b.def, replace(regexp_replace(i.indexdef, '.* USING', ''), b.def, '...') AS became
  FROM before b JOIN pg_indexes i ON i.schemaname = 'live_twins' AND i.indexname = b.indexname AND i.indexdef ~ 'WHERE .*deleted_at IS NULL' ORDER BY 1;
SELECT count(*) FROM pg_indexes WHERE schemaname = 'live_twins' AND indexname ~ '_live_';
SELECT kind, ddl FROM softdelete.advice('shapes');
SELECT kind, ddl FROM softdelete.advice('"x"" USING btree (a); DROP TABLE secrets; -- \1"') WHERE kind <> 'natural_key';
-- a temporary table
CREATE TEMP TABLE passing (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int UNIQUE, b int UNIQUE);
SELECT softdelete.enable('passing', "unique" => 'keep');
SELECT pg_get_indexdef(softdelete.create_live_unique('passing', 'a')) ~ 'WHERE';
SELECT ddl FROM softdelete.advice('passing') WHERE ddl IS NOT NULL
\gexec
DROP TABLE passing;

------------------------------------------------------------------------------
-- create_live_unique(): as strict as what it replaces
------------------------------------------------------------------------------
CREATE TABLE words (id int PRIMARY KEY, c text, d text, e int, note text);
CREATE UNIQUE INDEX ON words (d COLLATE "C" text_pattern_ops DESC, e) INCLUDE (note) NULLS NOT DISTINCT WITH (fillfactor = 60);
CREATE UNIQUE INDEX ON words (e, d);
CREATE UNIQUE INDEX words_c_1 ON words (c);
CREATE UNIQUE INDEX words_c_2 ON words (c) INCLUDE (id);
ALTER TABLE words ADD UNIQUE (c);
SELECT softdelete.enable('words', "unique" => 'keep');
SELECT softdelete.create_live_unique('words', 'd', 'e'), softdelete.create_live_unique('words', 'c');
SELECT indexdef FROM pg_indexes WHERE schemaname = 'live_twins' AND tablename = 'words' AND indexdef ~ 'UNIQUE' ORDER BY indexname COLLATE "C";
-- without regard to case, where the server knows how
DO $$
BEGIN
	BEGIN
		CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
	EXCEPTION WHEN feature_not_supported THEN
		RETURN;
	END;
	CREATE TABLE names (id int PRIMARY KEY, c text, d text COLLATE ci UNIQUE DEFERRABLE);
	CREATE UNIQUE INDEX ON names (c COLLATE ci);
	PERFORM softdelete.enable('names', "unique" => 'keep');
	INSERT INTO names VALUES (1, 'a', 'a'), (2, 'b', 'b');
	DELETE FROM names WHERE id = 1;
	PERFORM softdelete.create_live_unique('names', 'c'), softdelete.create_live_unique('names', 'd');
	INSERT INTO names VALUES (3, 'A', 'A');
	BEGIN
		INSERT INTO names VALUES (4, 'B', 'x');
		RAISE EXCEPTION 'both b and B went in';
	EXCEPTION WHEN unique_violation THEN NULL;
	END;
	BEGIN
		INSERT INTO names VALUES (4, 'x', 'B');
		RAISE EXCEPTION 'both b and B went in where it is deferrable';
	EXCEPTION WHEN exclusion_violation THEN NULL;
	END;
END $$;

------------------------------------------------------------------------------
-- Deferrable keys stay deferrable
------------------------------------------------------------------------------
CREATE TABLE du (id int PRIMARY KEY, place int UNIQUE DEFERRABLE, "No" varchar(9) CONSTRAINT "The No" UNIQUE DEFERRABLE INITIALLY DEFERRED, team int, rank int, note text,
	UNIQUE (team, rank) INCLUDE (note) WITH (fillfactor = 50) DEFERRABLE);
SELECT softdelete.enable('du', "unique" => 'keep');
SELECT softdelete.create_live_unique('du', 'place'), softdelete.create_live_unique('du', 'No'), softdelete.create_live_unique('du', 'rank', 'team');
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'du'::regclass AND contype IN ('p', 'u', 'x') ORDER BY 1;
INSERT INTO du VALUES (1, 1, 'a', 1, 1), (2, 2, 'b', 1, 2);
UPDATE du SET place = 3 - place, rank = 3 - rank;
SELECT id, place, rank FROM du ORDER BY id;
BEGIN;
UPDATE du SET "No" = 'b' WHERE id = 1;
UPDATE du SET "No" = 'a' WHERE id = 2;
COMMIT;
BEGIN;
UPDATE du SET "No" = 'a' WHERE id = 1;
SET CONSTRAINTS "The No" IMMEDIATE;
ROLLBACK;
\set VERBOSITY sqlstate
INSERT INTO du VALUES (3, 1, 'c', 2, 1);
INSERT INTO du VALUES (3, 3, 'a', 2, 1);
\set VERBOSITY default
DELETE FROM du WHERE id = 1;
INSERT INTO du VALUES (3, 2, 'b', 1, 2);
SELECT softdelete.restore('du', 1);
UPDATE du SET place = 7, "No" = 'c', rank = 7 WHERE id = 3;
SELECT softdelete.restore('du', 1);
-- as before, no arbiter
INSERT INTO du VALUES (4, 1) ON CONFLICT (place) DO NOTHING;
-- what nothing partial can do is refused
CREATE TABLE refused (id int PRIMARY KEY, a int, b int NOT NULL UNIQUE, UNIQUE NULLS NOT DISTINCT (a) DEFERRABLE);
ALTER TABLE refused REPLICA IDENTITY USING INDEX refused_b_key;
SELECT softdelete.enable('refused', "unique" => 'keep');
SELECT softdelete.create_live_unique('refused', 'a');
SELECT softdelete.create_live_unique('refused', 'b');
SELECT kind, problem, ddl FROM softdelete.advice('refused') WHERE kind LIKE 'blocking%';
-- partitioned tables can have exclusion constraints from PostgreSQL 17 on
CREATE TABLE parted (id int, k int, PRIMARY KEY (k, id), UNIQUE (k) DEFERRABLE) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted DEFAULT;
SELECT softdelete.enable('parted', "unique" => 'keep');
DO $$
DECLARE
	can		boolean := current_setting('server_version_num')::int >= 170000;
	command	text := (SELECT ddl FROM softdelete.advice('parted') WHERE problem LIKE '%parted_k_key%');
BEGIN
	ASSERT can = (command IS NOT NULL), command;
	PERFORM softdelete.create_live_unique('parted', 'k');
	ASSERT can;
	ASSERT (SELECT contype = 'x' AND condeferrable FROM pg_constraint WHERE conrelid = 'parted'::regclass AND conname = 'parted_k_key');
EXCEPTION WHEN feature_not_supported THEN
	ASSERT NOT can;
	ASSERT SQLERRM = '"parted_k_key" of table "live_twins.parted" cannot be made unique among live rows only', SQLERRM;
END $$;
-- keys without overlaps, from PostgreSQL 18 on, cannot be partial
DO $$
BEGIN
	IF current_setting('server_version_num')::int < 180000 THEN
		RETURN;
	END IF;
	EXECUTE 'CREATE TABLE stays (room int4range, during tsrange, PRIMARY KEY (room, during WITHOUT OVERLAPS), UNIQUE (during, room WITHOUT OVERLAPS))';
	PERFORM softdelete.enable('stays', "unique" => 'keep');
	ASSERT (SELECT array_agg(kind || coalesce(ddl, '') ORDER BY kind) = '{blocking_unique,natural_key}' FROM softdelete.advice('stays')),
		(SELECT array_agg(kind || coalesce(ddl, '') ORDER BY kind) FROM softdelete.advice('stays'));
	DROP TABLE stays;
	EXECUTE 'CREATE TABLE stays (id int PRIMARY KEY, room int4range, during tsrange, UNIQUE (during, room WITHOUT OVERLAPS))';
	PERFORM softdelete.enable('stays', "unique" => 'keep');
	PERFORM softdelete.create_live_unique('stays', 'room', 'during');
	ASSERT false;
EXCEPTION WHEN feature_not_supported THEN
	ASSERT SQLERRM = '"stays_during_room_key" of table "live_twins.stays" cannot be made unique among live rows only', SQLERRM;
END $$;

------------------------------------------------------------------------------
-- advice(): exclusion constraints and deferrable keys
------------------------------------------------------------------------------
CREATE TABLE bookings (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, room int4range, during tsrange, cancelled boolean NOT NULL DEFAULT false, seat text, "Nr" int UNIQUE DEFERRABLE,
	CONSTRAINT "No Overlap" EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (NOT cancelled),
	EXCLUDE USING gist (during WITH -|-, (room * int4range(1, 9)) range_ops WITH &&) INCLUDE (seat) WITH (fillfactor = 50) DEFERRABLE INITIALLY DEFERRED,
	EXCLUDE (seat COLLATE "C" text_pattern_ops WITH =));
CREATE TABLE codes (code text PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);
SELECT softdelete.enable('bookings', "unique" => 'keep'), softdelete.enable('codes', "unique" => 'keep');
INSERT INTO bookings (room, during, seat, "Nr") VALUES ('[1,2)', '[2030-01-01,2030-01-02)', 'a', 1);
DELETE FROM bookings;
INSERT INTO bookings (room, during, seat, "Nr") VALUES ('[1,2)', '[2030-01-01,2030-01-02)', 'a', 1);
SELECT kind, problem, ddl FROM softdelete.advice('bookings');
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'bookings'::regclass AND contype = 'x' ORDER BY 1;
SELECT ddl FROM softdelete.advice('bookings') UNION ALL SELECT ddl FROM softdelete.advice('codes')
\gexec
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid IN ('bookings'::regclass, 'codes'::regclass) AND contype = 'x' ORDER BY 1;
SELECT count(*) FROM softdelete.advice('bookings') a, softdelete.advice('codes');
INSERT INTO bookings (room, during, seat, "Nr") VALUES ('[1,2)', '[2030-01-01,2030-01-02)', 'a', 1);
INSERT INTO bookings (room, during, seat, "Nr") VALUES ('[1,2)', '[2030-01-01,2030-01-02)', 'b', 2);
-- a primary key is never replaced by a command that is there to be run
SELECT kind, problem, ddl FROM softdelete.advice('codes');
