-- A row on hold keeps its primary key: whatever would give it another one is refused, since nothing would hold it any more; rows that are not on hold change theirs as ever.
\set SHOW_CONTEXT never
CREATE SCHEMA hold_keeps_key AUTHORIZATION sd_owner;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = hold_keeps_key;
CREATE TABLE "Lead" (id int PRIMARY KEY, name text, email text UNIQUE);
CREATE TABLE note (lead int REFERENCES "Lead" ON UPDATE CASCADE, n int, body text, PRIMARY KEY (lead, n));
CREATE TABLE item (id int, region text, name text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE item_north PARTITION OF item FOR VALUES IN ('north', 'arctic');
CREATE TABLE item_south PARTITION OF item FOR VALUES IN ('south');
SET client_min_messages = warning;
SELECT softdelete.enable('"Lead"', retention => '0'), softdelete.enable('note', retention => '0'), softdelete.enable('item', retention => '0');
RESET client_min_messages;
INSERT INTO "Lead" SELECT n, 'lead ' || n, 'e' || n FROM generate_series(1, 5) n;
INSERT INTO note VALUES (1, 1);
INSERT INTO item VALUES (1, 'north'), (2, 'north');
SELECT softdelete.hold_row('"Lead"', 'case 1', 2), softdelete.hold_row('note', 'case 1', 1, 1), softdelete.hold_row('item', 'case 1', 1, 'north');

-- refused, with what to do
\set VERBOSITY default
UPDATE "Lead" SET id = 20 WHERE id = 2;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
-- by any statement that comes to it
UPDATE "Lead" SET id = id + 100;
INSERT INTO "Lead" VALUES (2, 'x', 'e') ON CONFLICT (id) DO UPDATE SET id = 20;
INSERT INTO "Lead" VALUES (9, 'x', 'e2') ON CONFLICT (email) DO UPDATE SET id = 20;
MERGE INTO "Lead" l USING (VALUES (2)) v(id) ON l.id = v.id WHEN MATCHED THEN UPDATE SET id = 20;
WITH u AS (UPDATE "Lead" SET id = 20 WHERE id = 2 RETURNING id) SELECT * FROM u;
-- along a key, for the held row that refers to it
UPDATE "Lead" SET id = 10 WHERE id = 1;
-- to another partition, and within one
UPDATE item SET region = 'south' WHERE id = 1;
UPDATE item SET region = 'arctic' WHERE id = 1;
UPDATE item SET id = 10 WHERE id = 1;
-- and of one that is deleted
DELETE FROM "Lead" WHERE id = 2;
SET softdelete.visibility = 'all';
UPDATE "Lead" SET id = 20 WHERE id = 2;
RESET softdelete.visibility;
SELECT softdelete.restore('"Lead"', 2);

-- what leaves its key alone goes, also where the statement names it; so do other rows
UPDATE "Lead" SET id = id, name = 'same';
UPDATE "Lead" SET name = 'named' WHERE id = 2;
UPDATE "Lead" SET id = 30 WHERE id = 3;
INSERT INTO "Lead" VALUES (2, 'x', 'e') ON CONFLICT (id) DO UPDATE SET id = excluded.id, name = 'again';
MERGE INTO "Lead" l USING (VALUES (2), (6), (7)) v(id) ON l.id = v.id WHEN MATCHED THEN UPDATE SET id = v.id, name = 'merged' WHEN NOT MATCHED THEN INSERT VALUES (v.id);
UPDATE item SET region = 'south' WHERE id = 2;
SELECT * FROM "Lead" ORDER BY id;
SELECT tableoid::regclass, id, region FROM item ORDER BY id;
-- as the HINT has it
BEGIN;
SELECT softdelete.release_row('"Lead"', 2);
UPDATE "Lead" SET id = 20 WHERE id = 2;
SELECT softdelete.hold_row('"Lead"', 'case 1', 20);
COMMIT;
DELETE FROM "Lead" WHERE id = 20;
SELECT purged, kept FROM softdelete.purge_expired('"Lead"');
-- others who may UPDATE are told as well
GRANT USAGE ON SCHEMA hold_keeps_key TO sd_user;
GRANT SELECT, UPDATE ON item TO sd_user;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
UPDATE hold_keeps_key.item SET id = 10 WHERE id = 1;
RESET SESSION AUTHORIZATION;

-- a partition key may need the mark in the primary key: the hold stays when it changes
SET SESSION AUTHORIZATION sd_owner;
CREATE TABLE parts (id int, gone boolean DEFAULT false, PRIMARY KEY (id, gone)) PARTITION BY LIST (gone);
CREATE TABLE parts_live PARTITION OF parts FOR VALUES IN (false);
CREATE TABLE parts_gone PARTITION OF parts FOR VALUES IN (true);
SET client_min_messages = warning;
SELECT softdelete.enable('parts', 'gone', 'true', retention => '0');
RESET client_min_messages;
INSERT INTO parts (id) VALUES (1), (2);
SELECT softdelete.hold_row('parts', 'case 1', 1, false);
DELETE FROM parts;
SELECT purged, kept FROM softdelete.purge_expired('parts');
SELECT softdelete.undo(max(deletion_id)) FROM softdelete.trash('parts');
SELECT tableoid::regclass, id FROM parts;
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP SCHEMA hold_keeps_key CASCADE;
