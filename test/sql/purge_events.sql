-- A purge of what expired is one event for all deletions of a target, with its actor and reason, however it is written; redact() and the log's retention reach it.
-- where it begins, so that ids can be told
SELECT nextval('softdelete.deletion_log_id_seq') AS base \gset
CREATE SCHEMA purge_events AUTHORIZATION sd_owner;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_events;
CREATE TABLE "Posts" (id int PRIMARY KEY);
CREATE TABLE images (id int PRIMARY KEY, post int REFERENCES "Posts" ON DELETE CASCADE);
SELECT softdelete.enable('"Posts"', "cascade" => true);
INSERT INTO "Posts" SELECT generate_series(1, 20);
INSERT INTO images SELECT id, id FROM "Posts";
DELETE FROM "Posts" WHERE id = 1;
DELETE FROM "Posts" WHERE id = 2;
DELETE FROM images WHERE id = 9;
DELETE FROM "Posts" WHERE id = 3;
-- on hold, so not among them
DELETE FROM "Posts" WHERE id = 4;
SELECT softdelete.hold(:base + 5, 'law suit');
DELETE FROM "Posts" WHERE id = 5;
RESET SESSION AUTHORIZATION;
CREATE FUNCTION events(base bigint) RETURNS TABLE (first bigint, last bigint, target regclass, rows bigint, actor text, reason text, by name)
LANGUAGE sql AS 'SELECT deletion_id - base, last_id - base, target, rows, actor, reason, role FROM softdelete.event_log WHERE deletion_id > base AND what = ''purged'' ORDER BY at, 1, 4';
SET SESSION AUTHORIZATION sd_owner;
SET softdelete.actor = 'night job';
SET softdelete.reason = 'expired';
SELECT p.* FROM (VALUES ('images'::regclass), ('"Posts"')) v(t), softdelete.purge_expired(t, older_than => '0') p;
SELECT id - :base AS id, target, total, purged, purged_by, purged_at = max(purged_at) OVER () AS then FROM softdelete.deletions WHERE id > :base ORDER BY id;
RESET SESSION AUTHORIZATION;
SELECT * FROM events(:base);
SET SESSION AUTHORIZATION sd_owner;

-- a transaction with one snapshot, in which the log is written by SQL, writes the same
DELETE FROM "Posts" WHERE id = 6;
DELETE FROM "Posts" WHERE id = 7;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL softdelete.reason = 'in one snapshot';
SELECT p.* FROM (VALUES ('images'::regclass), ('"Posts"')) v(t), softdelete.purge_expired(t, older_than => '0') p;
COMMIT;
-- one deletion has an event of its own; so have those that go by their keys
DELETE FROM "Posts" WHERE id = 8;
SELECT p.* FROM (VALUES ('images'::regclass), ('"Posts"')) v(t), softdelete.purge_expired(t, older_than => '0') p;
DELETE FROM images WHERE id = 10;
DELETE FROM "Posts" WHERE id = 10;
SELECT softdelete.purge('"Posts"', 10);
SELECT what, role, reason FROM softdelete.history('"Posts"', 10);
RESET SESSION AUTHORIZATION;
SELECT * FROM events(:base) WHERE first > 6;

-- redact() takes who and why out of every event that a deletion may be in, of its target
SELECT softdelete.redact(:base + 2);
SELECT * FROM events(:base);

-- they are kept as long as the log
BEGIN;
SELECT softdelete.set_log_retention('20 years');
UPDATE softdelete.event_log SET at = '2001-01-01' WHERE deletion_id = :base + 7;
UPDATE softdelete.deletion_log SET deleted_at = '2001-01-01', purged_at = '2001-01-01' WHERE id IN (:base + 1, :base + 9);
SELECT softdelete.clean_log(1000) AS gone;
SELECT * FROM events(:base);
ROLLBACK;
SET client_min_messages = warning;
DROP SCHEMA purge_events CASCADE;
