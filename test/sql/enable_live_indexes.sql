-- enable(..., live_indexes => true): full indexes that no foreign key needs become ones
-- of live rows, under their names and with all else they have; disable() puts them back.
SET client_min_messages = notice;
SET ROLE sd_owner;
CREATE SCHEMA "Live Indexes";
SET search_path = "Live Indexes";
CREATE TABLE author (id int PRIMARY KEY, name text UNIQUE, "Born" date);
CREATE INDEX ON author ("Born" DESC NULLS LAST) INCLUDE (name) WITH (fillfactor = 70);
CREATE TABLE "Book" (id int PRIMARY KEY, author int REFERENCES author ON DELETE CASCADE, title text, tags int[], deleted_at timestamptz);
CREATE INDEX "by Author" ON "Book" (author, title);
CREATE INDEX "by title" ON "Book" (lower(title), id);
COMMENT ON INDEX "by title" IS 'what the search reads; it''s ours';
CREATE INDEX tags ON "Book" USING gin (tags);
CREATE INDEX some ON "Book" (title) WHERE id > 100;
CREATE INDEX clustered ON "Book" (title, id);
ALTER TABLE "Book" CLUSTER ON clustered;
CREATE INDEX by_time ON "Book" (deleted_at, id);

CREATE VIEW definitions AS
SELECT i.relname, pg_get_indexdef(i.oid) AS definition, obj_description(i.oid, 'pg_class') AS said
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = ANY (ARRAY['author', '"Book"']::regclass[]);
CREATE TABLE before AS SELECT * FROM definitions;

SELECT softdelete.enable('author', "cascade" => true, live_indexes => true);
\t on
TABLE definitions ORDER BY relname;
\t off

-- queries of live rows use them
INSERT INTO author SELECT n, 'name ' || n, DATE '1900-01-01' + n FROM generate_series(1, 2000) n;
INSERT INTO "Book" SELECT n, n, 'title ' || n, ARRAY[n] FROM generate_series(1, 2000) n;
DELETE FROM author WHERE id > 1000;
ANALYZE author, "Book";
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT name FROM author ORDER BY "Born" DESC NULLS LAST LIMIT 1;
EXPLAIN (COSTS OFF) SELECT id FROM "Book" WHERE lower(title) = 'title 7';
RESET enable_seqscan;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions WHERE target = 'author'::regclass;
SELECT count(*) FROM "Book";

-- again: there is nothing left to do; and an ordinary enable() leaves them as they are
SELECT softdelete.enable('author', live_indexes => true);
SELECT softdelete.enable('author');
SELECT count(*) FROM definitions WHERE said LIKE 'softdelete: over live rows%';

-- with another marker they follow it
ALTER TABLE "Book" ADD is_deleted boolean;
SELECT softdelete.enable('"Book"', 'is_deleted');
SELECT definition FROM definitions WHERE relname = 'by title';

SELECT softdelete.disable('"Book"', drop_columns => true);
SELECT softdelete.disable('author', drop_columns => true);
SELECT * FROM before b FULL JOIN definitions d USING (relname, definition)
WHERE b.said IS DISTINCT FROM d.said OR b.relname IS NULL OR d.relname IS NULL;
-- (the marker was there before the first enable(), and so stays)
SELECT relname FROM before EXCEPT SELECT relname FROM definitions;

-- a partitioned table
CREATE TABLE event (id int, at date, what text) PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE INDEX event_what ON event (what);
SELECT softdelete.enable('event', live_indexes => true);
SELECT tablename, indexdef FROM pg_indexes WHERE indexdef LIKE '%what%' ORDER BY 1;
SELECT softdelete.disable('event', drop_columns => true);
SELECT tablename, indexdef FROM pg_indexes WHERE indexdef LIKE '%what%' ORDER BY 1;

-- of a whole schema; not those that are managed already
CREATE SCHEMA sd_live_all;
CREATE TABLE sd_live_all.a (id int PRIMARY KEY, x int);
CREATE INDEX a_x ON sd_live_all.a (x);
SELECT * FROM softdelete.enable_schema('sd_live_all', live_indexes => true);
SELECT pg_get_indexdef('sd_live_all.a_x'::regclass);

-- advice(): where much is deleted, it should be done
CREATE TABLE note (id int PRIMARY KEY, x int, t text);
CREATE INDEX note_x ON note (x);
CREATE INDEX note_t ON note (t, x);
COMMENT ON INDEX note_t IS 'ours';
SET client_min_messages = warning;
SELECT softdelete.enable('note');
INSERT INTO note SELECT n, n, repeat('x', 50) || n FROM generate_series(1, 3000) n;
DELETE FROM note WHERE id % 5 = 0;
ANALYZE note;
SELECT severity, ddl FROM softdelete.advice('note') WHERE kind = 'partial_index';
DELETE FROM note WHERE id % 2 = 0;
ANALYZE note;
SELECT severity, ddl FROM softdelete.advice('note') WHERE kind = 'partial_index';
-- its commands do what enable() does, for disable(), too
SELECT ddl FROM softdelete.advice('note') WHERE kind = 'partial_index' \gexec
SELECT severity, ddl FROM softdelete.advice('note') WHERE kind = 'partial_index';
SELECT i, pg_get_indexdef(i), obj_description(i) FROM (VALUES ('note_t'::regclass), ('note_x')) v(i);
SELECT softdelete.disable('note');
SELECT i, pg_get_indexdef(i), obj_description(i) FROM (VALUES ('note_t'::regclass), ('note_x')) v(i);

-- in steps: a small table's at once, for a large one the commands, which are what enable() does
SET client_min_messages = notice;
CREATE TABLE small (id int PRIMARY KEY, x int);
CREATE INDEX small_x ON small (x);
COMMENT ON INDEX small_x IS 'ours';
CALL softdelete.enable_online('small', live_indexes => true);
SELECT pg_get_indexdef('small_x'::regclass), obj_description('small_x'::regclass);
CREATE TABLE large (id int PRIMARY KEY, x int, "X" text DEFAULT repeat('x', 900));
CREATE INDEX large_x ON large (x) WITH (fillfactor = 70);
CREATE INDEX "Large X" ON large (left("X", 3), id DESC);
COMMENT ON INDEX "Large X" IS 'ours';
INSERT INTO large SELECT n, n FROM generate_series(1, 10000) n;
CREATE TABLE large_before AS SELECT indexname, indexdef, obj_description(indexname::regclass) FROM (SELECT format('%I', indexname) AS indexname, indexdef FROM pg_indexes WHERE tablename = 'large') x;
CALL softdelete.enable_online('large', build_index => false, live_indexes => true);
-- (as the HINTs say)
CREATE INDEX CONCURRENTLY "large_Large X_live_idx" ON "Live Indexes".large USING btree ("left"("X", 3), id DESC) WHERE deleted_at IS NULL; DROP INDEX CONCURRENTLY "Live Indexes"."Large X"; ALTER INDEX "Live Indexes"."large_Large X_live_idx" RENAME TO "Large X"; COMMENT ON INDEX "Live Indexes"."Large X" IS 'softdelete: over live rows, was over all; ours';
CREATE INDEX CONCURRENTLY large_large_x_live_idx ON "Live Indexes".large USING btree (x) WITH (fillfactor='70') WHERE deleted_at IS NULL; DROP INDEX CONCURRENTLY "Live Indexes".large_x; ALTER INDEX "Live Indexes".large_large_x_live_idx RENAME TO large_x; COMMENT ON INDEX "Live Indexes".large_x IS 'softdelete: over live rows, was over all';
SELECT indexdef FROM pg_indexes WHERE tablename = 'large' ORDER BY indexname COLLATE "C";
CALL softdelete.enable_online('large', build_index => false, live_indexes => true);
SELECT softdelete.disable('large');
SELECT indexname, indexdef, obj_description(indexname::regclass) FROM (SELECT format('%I', indexname) AS indexname, indexdef FROM pg_indexes WHERE tablename = 'large') x EXCEPT TABLE large_before;
CREATE TABLE parts (id int PRIMARY KEY, status text, x text DEFAULT repeat('x', 900)) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (20000);
CREATE INDEX parts_x ON parts (left(x, 3));
INSERT INTO parts SELECT n, 'new' FROM generate_series(1, 10000) n;
CALL softdelete.enable_online('parts', 'status', build_index => false, triggers => 'both', live_indexes => true);

RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA "Live Indexes", sd_live_all CASCADE;
