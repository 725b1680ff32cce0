-- What one DELETE took comes back together, also where its rows refer to one
-- another in a circle, so that none of them could come first.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA restore_cycles;
SET search_path = restore_cycles;

CREATE TABLE hen (id int PRIMARY KEY, egg int);
CREATE TABLE "Egg" (id int PRIMARY KEY, hen int REFERENCES hen);
INSERT INTO hen VALUES (1, 1), (2, NULL);
INSERT INTO "Egg" VALUES (1, 1), (2, 2);
ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES "Egg";
SELECT softdelete.enable('hen'), softdelete.enable('"Egg"');
CREATE VIEW live AS SELECT 'hen' AS t, id FROM hen UNION ALL SELECT 'egg', id FROM "Egg" ORDER BY 1, 2;

WITH e AS (DELETE FROM "Egg") DELETE FROM hen;
SELECT * FROM live;
SELECT max(id) AS id FROM softdelete.deletions \gset
-- by key, too: what refers to the row is restored with it, and then refers to a live one
SELECT softdelete.restore('hen', 1);
SELECT * FROM live;
SELECT softdelete.undo(:id);
SELECT * FROM live;
SELECT rows, total, restored FROM softdelete.deletions WHERE id = :id;
\set VERBOSITY sqlstate
SELECT softdelete.undo(:id);
\set VERBOSITY default

-- nor is anything restored where one of them has to stay: row 2 of "Egg" goes
-- by a deletion of its own, with the hen that it refers to
DELETE FROM "Egg" WHERE id = 2;
DELETE FROM hen WHERE id = 2;
WITH e AS (DELETE FROM "Egg") DELETE FROM hen;
SELECT max(id) AS id FROM softdelete.deletions \gset
SET softdelete.visibility = deleted;
UPDATE hen SET egg = 2 WHERE id = 1;
RESET softdelete.visibility;
\set VERBOSITY terse
SELECT softdelete.undo(:id);
\set VERBOSITY default
SELECT * FROM live;
SELECT rows, total, restored FROM softdelete.deletions WHERE id = :id;

-- keys that wait for the commit let one come after the other
DROP VIEW live;
DROP TABLE hen, "Egg";
CREATE TABLE hen (id int PRIMARY KEY, egg int);
CREATE TABLE "Egg" (id int PRIMARY KEY, hen int REFERENCES hen DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES "Egg" DEFERRABLE;
INSERT INTO hen VALUES (1, NULL);
INSERT INTO "Egg" VALUES (1, 1);
UPDATE hen SET egg = 1;
SELECT softdelete.enable('hen'), softdelete.enable('"Egg"');
BEGIN;
SET LOCAL softdelete.deletion_scope = statement;
SET CONSTRAINTS ALL DEFERRED;
DELETE FROM hen;
DELETE FROM "Egg";
COMMIT;
\set VERBOSITY terse
SELECT softdelete.restore('hen', 1);
SELECT softdelete.restore('"Egg"', 1);
BEGIN;
SELECT softdelete.restore('"Egg"', 1);
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
\set VERBOSITY default
BEGIN;
SELECT softdelete.restore('"Egg"', 1);
SELECT softdelete.restore('hen', 1);
SET CONSTRAINTS ALL IMMEDIATE;
COMMIT;
SELECT (SELECT count(*) FROM hen) AS hens, (SELECT count(*) FROM "Egg") AS eggs;
