-- What the log counts where a row is not where it was: marked by a statement that
-- moves it to another partition, moved while it is deleted, and purged from there;
-- and in sessions that replay others' changes, with and without triggers.
\set VERBOSITY terse
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA log_moves;
SET search_path = log_moves;
CREATE TABLE "Item" (id int, region text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE item_north PARTITION OF "Item" FOR VALUES IN ('north');
CREATE TABLE item_south PARTITION OF "Item" FOR VALUES IN ('south');
SELECT softdelete.enable('"Item"', retention => '0');
INSERT INTO "Item" SELECT n, CASE n % 2 WHEN 0 THEN 'north' ELSE 'south' END FROM generate_series(1, 8) n;
CREATE VIEW logged AS
	SELECT rows, restored, purged FROM softdelete.deletions WHERE target = '"Item"'::regclass ORDER BY id;

-- rows of both partitions count as their table's
DELETE FROM "Item" WHERE id IN (1, 2);
TABLE logged;

-- a deleted row moves: it stays the deletion's, and comes back from where it is
SET softdelete.visibility = 'all';
UPDATE "Item" SET region = 'south' WHERE id = 2;
SELECT tableoid::regclass, id, region, deleted_at IS NOT NULL AS deleted FROM "Item" WHERE id = 2;
RESET softdelete.visibility;
TABLE logged;
SELECT softdelete.restore('"Item"', 2, 'south');
TABLE logged;

-- the other is purged; so is one that moved
DELETE FROM "Item" WHERE id IN (3, 4);
SET softdelete.visibility = 'all';
UPDATE "Item" SET region = 'north' WHERE id = 3;
RESET softdelete.visibility;
SELECT purged, kept FROM softdelete.purge_expired('"Item"');
TABLE logged;

-- marked and moved by one statement
UPDATE "Item" SET deleted_at = now(), region = 'south' WHERE id = 6;
SET softdelete.visibility = deleted;
SELECT tableoid::regclass, id, deletion_id IS NOT NULL AS stamped FROM "Item" WHERE id = 6;
RESET softdelete.visibility;
TABLE logged;

-- a DELETE of a session that replays, whose triggers are silent, is one as well
RESET SESSION AUTHORIZATION;
SET session_replication_role = replica;
DELETE FROM "Item" WHERE id = 7;
RESET session_replication_role;
SET SESSION AUTHORIZATION sd_owner;
SELECT id FROM "Item" ORDER BY id;
TABLE logged;
-- an UPDATE there that brings the mark and its stamp along is somebody else's
-- deletion, which the log of this server knows nothing of
RESET SESSION AUTHORIZATION;
SET session_replication_role = replica;
UPDATE "Item" SET deleted_at = now() - interval '1 day', deletion_id = 4711 WHERE id = 8;
RESET session_replication_role;
SET SESSION AUTHORIZATION sd_owner;
TABLE logged;
SELECT purged, kept FROM softdelete.purge_expired('"Item"');
TABLE logged;
SELECT id FROM "Item" ORDER BY id;
DROP SCHEMA log_moves CASCADE;
