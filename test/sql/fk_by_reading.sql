-- Where a delete or a restore follows a tenth as many keys as the child has rows, or
-- more, all rows of the child are read, and each looks for its parent among the keys:
-- one pass in place of thousands of descents.  Not where the keys' type cannot be
-- hashed, nor beyond what memory a query may use for that, nor in a serializable
-- transaction, which would then conflict with all who write.  The rows are those of a
-- native twin either way.
SET client_min_messages = warning;
SET ROLE sd_owner;
CREATE SCHEMA "By Reading";
SET search_path = "By Reading";

CREATE TABLE "Parent" (id bigint PRIMARY KEY, name text UNIQUE, batch int NOT NULL);
CREATE TABLE same_type (id int PRIMARY KEY, "Up" bigint REFERENCES "Parent" ON DELETE CASCADE);
CREATE TABLE other_type (id int PRIMARY KEY, "Up" int REFERENCES "Parent" ON DELETE CASCADE);
CREATE TABLE by_text (id int PRIMARY KEY, "Up" text REFERENCES "Parent" (name) ON DELETE CASCADE);
CREATE TABLE no_children (id int PRIMARY KEY, "Up" bigint REFERENCES "Parent" ON DELETE CASCADE);
CREATE INDEX ON same_type ("Up");
CREATE INDEX ON other_type ("Up");
CREATE INDEX ON by_text ("Up");
CREATE INDEX ON no_children ("Up");
INSERT INTO "Parent" SELECT n, 'parent ' || n, n % 10 FROM generate_series(1, 2000) n;
INSERT INTO same_type SELECT n, CASE WHEN n % 7 > 0 THEN n % 2000 + 1 END FROM generate_series(1, 6000) n;
INSERT INTO other_type TABLE same_type;
INSERT INTO by_text SELECT id, 'parent ' || "Up" FROM same_type;
INSERT INTO no_children SELECT n, -1 FROM generate_series(1, 100) n WHERE false;

-- the twin
CREATE SCHEMA twin;
CREATE TABLE twin."Parent" (LIKE "Parent" INCLUDING ALL);
INSERT INTO twin."Parent" TABLE "Parent";
CREATE TABLE twin.same_type (LIKE same_type INCLUDING ALL, FOREIGN KEY ("Up") REFERENCES twin."Parent" ON DELETE CASCADE);
INSERT INTO twin.same_type TABLE same_type;

SELECT softdelete.enable('"Parent"', "cascade" => true);
ANALYZE same_type, other_type, by_text, no_children;
CREATE VIEW scans AS
SELECT relname, seq_scan > 0 AS read_all, idx_scan > 0 AS by_index FROM pg_stat_xact_user_tables
WHERE schemaname = 'By Reading' AND relname <> 'Parent';
CREATE VIEW differences AS
SELECT (SELECT count(*) FROM ((SELECT id, "Up" FROM same_type EXCEPT TABLE twin.same_type) UNION ALL (TABLE twin.same_type EXCEPT SELECT id, "Up" FROM same_type)) d) AS same_type,
	(SELECT count(*) FROM ((SELECT id, "Up" FROM other_type EXCEPT TABLE twin.same_type) UNION ALL (TABLE twin.same_type EXCEPT SELECT id, "Up" FROM other_type)) d) AS other_type,
	(SELECT count(*) FROM ((SELECT id, "Up" FROM by_text EXCEPT SELECT id, 'parent ' || "Up" FROM twin.same_type) UNION ALL (SELECT id, 'parent ' || "Up" FROM twin.same_type EXCEPT SELECT id, "Up" FROM by_text)) d) AS by_text;

-- some are gone already, by a deletion of their own
DELETE FROM same_type WHERE id % 5 = 0;
DELETE FROM other_type WHERE id % 5 = 0;
DELETE FROM by_text WHERE id % 5 = 0;
DELETE FROM twin.same_type WHERE id % 5 = 0;
SELECT pg_stat_force_next_flush();
BEGIN;
DELETE FROM "Parent" WHERE batch > 2;
SELECT * FROM scans ORDER BY 1;
COMMIT;
DELETE FROM twin."Parent" WHERE batch > 2;
TABLE differences;

-- what comes back is what went with them
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;
SELECT * FROM scans ORDER BY 1;
COMMIT;
INSERT INTO twin."Parent" SELECT id, name, batch FROM "Parent" ON CONFLICT DO NOTHING;
INSERT INTO twin.same_type SELECT n, n % 2000 + 1 FROM generate_series(1, 6000) n WHERE n % 5 > 0 AND n % 7 > 0 ON CONFLICT DO NOTHING;
TABLE differences;

-- few keys, little memory, serializable transactions: by the index
SELECT pg_stat_force_next_flush();
BEGIN;
DELETE FROM "Parent" WHERE id BETWEEN 11 AND 120;
SELECT * FROM scans WHERE relname IN ('same_type', 'by_text') ORDER BY 1;
ROLLBACK;
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
SELECT pg_stat_force_next_flush();
BEGIN;
DELETE FROM "Parent" WHERE batch > 1;
SELECT * FROM scans WHERE relname IN ('same_type', 'by_text') ORDER BY 1;
DELETE FROM twin."Parent" WHERE batch > 1;
TABLE differences;
ROLLBACK;
RESET work_mem;
RESET hash_mem_multiplier;
SELECT pg_stat_force_next_flush();
BEGIN ISOLATION LEVEL SERIALIZABLE;
DELETE FROM "Parent" WHERE batch > 2;
SELECT * FROM scans WHERE relname IN ('same_type', 'by_text') ORDER BY 1;
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
DELETE FROM "Parent" WHERE batch > 2;
DELETE FROM twin."Parent" WHERE batch > 2;
TABLE differences;
ROLLBACK;

RESET ROLE;
DROP SCHEMA twin CASCADE;
DROP SCHEMA "By Reading" CASCADE;
