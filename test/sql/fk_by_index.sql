-- Many keys are looked up in an index of the child that leads with the key's column, if
-- there is one over all rows or, for a delete, over live rows: never by a scan of the
-- table, which would compare each row with each key, however small the table was when
-- the plan was made.  The rows are the same as without such an index.  (Where there are
-- nearly as many keys as rows, all is read: fk_by_reading.)
SET client_min_messages = warning;
SET ROLE sd_owner;
CREATE SCHEMA "By Index";
SET search_path = "By Index";

CREATE TABLE "Parent" (id int PRIMARY KEY, batch int);
CREATE TABLE full_idx (id int PRIMARY KEY, "Parent Id" int REFERENCES "Parent" ON DELETE CASCADE);
CREATE TABLE live_idx (LIKE full_idx, FOREIGN KEY ("Parent Id") REFERENCES "Parent" ON DELETE CASCADE);
CREATE TABLE no_idx (LIKE full_idx, FOREIGN KEY ("Parent Id") REFERENCES "Parent" ON DELETE CASCADE);
CREATE TABLE other_idx (LIKE full_idx, FOREIGN KEY ("Parent Id") REFERENCES "Parent" ON DELETE CASCADE);
CREATE INDEX ON full_idx ("Parent Id", id);
SELECT softdelete.enable('"Parent"', "cascade" => true);
CREATE INDEX ON live_idx ("Parent Id") WHERE deleted_at IS NULL;
CREATE INDEX ON other_idx (id, "Parent Id");
CREATE INDEX ON other_idx ("Parent Id") WHERE id < 1000;

-- the plans are made while the tables are as good as empty
INSERT INTO "Parent" SELECT n, 0 FROM generate_series(1, 3) n;
DELETE FROM "Parent" WHERE batch = 0;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;

INSERT INTO "Parent" SELECT n, n % 5 + 1 FROM generate_series(11, 2010) n;
INSERT INTO full_idx SELECT n, n / 3 + 11 FROM generate_series(0, 5999) n;
INSERT INTO live_idx TABLE full_idx;
INSERT INTO no_idx TABLE full_idx;
INSERT INTO other_idx TABLE full_idx;

CREATE VIEW scans AS
SELECT relname, seq_scan > 0 AS read_all FROM pg_stat_xact_user_tables
WHERE schemaname = 'By Index' AND relname LIKE '%idx';
CREATE VIEW live AS
SELECT (SELECT count(*) FROM "Parent") AS parent, (SELECT count(*) FROM full_idx) AS full_idx,
	(SELECT count(*) FROM live_idx) AS live_idx, (SELECT count(*) FROM no_idx) AS no_idx,
	(SELECT count(*) FROM other_idx) AS other_idx;

SELECT pg_stat_force_next_flush();
BEGIN;
DELETE FROM "Parent" WHERE batch > 4;
SELECT * FROM scans ORDER BY 1;
COMMIT;
TABLE live;

-- a live index has none of the rows that come back
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;
SELECT * FROM scans ORDER BY 1;
COMMIT;
TABLE live;

-- settings of the session do not matter
SET enable_indexscan = off;
SELECT pg_stat_force_next_flush();
BEGIN;
DELETE FROM "Parent" WHERE batch > 4;
SELECT * FROM scans ORDER BY 1;
COMMIT;
SHOW enable_indexscan;
SHOW enable_seqscan;
RESET enable_indexscan;
TABLE live;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;

-- an index that goes, or comes
DROP INDEX "full_idx_Parent Id_id_idx";
CREATE INDEX ON no_idx ("Parent Id");
SELECT pg_stat_force_next_flush();
BEGIN;
DELETE FROM "Parent" WHERE batch > 4;
SELECT * FROM scans ORDER BY 1;
COMMIT;
TABLE live;
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;
SELECT * FROM scans ORDER BY 1;
COMMIT;
TABLE live;

-- a table larger than the cache: the planner decides
SET effective_cache_size = 1;
ANALYZE no_idx;
SELECT pg_stat_force_next_flush();
BEGIN;
DELETE FROM "Parent" WHERE batch > 1;
SELECT * FROM scans WHERE relname = 'no_idx';
ROLLBACK;

-- where no row refers to any key between the smallest and the largest, that is all that
-- is looked at; one at either end is found, whatever the order in which rows are deleted
RESET effective_cache_size;
CREATE TABLE "Up" (id bigint PRIMARY KEY);
CREATE TABLE "Down" (id int PRIMARY KEY, up bigint REFERENCES "Up" ON DELETE CASCADE);
CREATE INDEX ON "Down" (up);
SELECT softdelete.enable('"Up"', "cascade" => true);
INSERT INTO "Up" SELECT -n FROM generate_series(1, 1000) n;
INSERT INTO "Down" VALUES (1, -100), (2, -500), (3, NULL);
DELETE FROM "Up" WHERE id BETWEEN -499 AND -101;
SELECT array_agg(id ORDER BY id) FROM "Down";
SELECT (SELECT count(*) FROM "Up") AS up, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
DELETE FROM "Up" WHERE id BETWEEN -800 AND -500;
SELECT array_agg(id ORDER BY id) FROM "Down";
DELETE FROM "Up" WHERE id BETWEEN -100 AND -1;
SELECT array_agg(id ORDER BY id) FROM "Down";
SELECT softdelete.undo(array_agg(id)) FROM (SELECT id FROM softdelete.deletions ORDER BY id DESC LIMIT 3) d;
SELECT array_agg(id ORDER BY id) FROM "Down";

RESET ROLE;
DROP SCHEMA "By Index" CASCADE;
