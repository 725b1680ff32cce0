-- A purge writes the log's row of a deletion of which all is about to go once, and before; where rows stay after all, the log says so.
-- where it begins, so that ids can be told
SELECT nextval('softdelete.deletion_log_id_seq') AS base \gset
CREATE SCHEMA purge_ahead AUTHORIZATION sd_owner;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_ahead;
CREATE TABLE posts (id int PRIMARY KEY);
CREATE TABLE images (id int PRIMARY KEY, post int REFERENCES posts);
SELECT softdelete.enable('posts');
SELECT softdelete.enable('images');
INSERT INTO posts SELECT generate_series(1, 6);
INSERT INTO images SELECT id, NULL FROM posts;
INSERT INTO images VALUES (7, 4);
RESET SESSION AUTHORIZATION;
CREATE VIEW log AS
	SELECT d.id - b.base AS id, d.target, d.total, d.restored, d.purged, d.purged_by, d.purged_at IS NOT NULL AS at
	  FROM softdelete.deletions d, (VALUES (:base)) b(base) WHERE d.id > b.base;
CREATE VIEW events AS
	SELECT e.deletion_id - b.base AS first, e.last_id - b.base AS last, e.target, e.rows
	  FROM softdelete.event_log e, (VALUES (:base)) b(base) WHERE e.deletion_id > b.base AND e.what = 'purged';
-- how many versions of its rows a transaction has written
CREATE VIEW written AS SELECT n_tup_upd FROM pg_stat_xact_all_tables WHERE relid = 'softdelete.deletion_log'::regclass;
GRANT SELECT ON log, events, written TO sd_owner;
SET SESSION AUTHORIZATION sd_owner;
-- what is written to count them is not counted
CREATE FUNCTION purge(target regclass, batch_size int, OUT purged bigint, OUT kept bigint, OUT versions bigint) LANGUAGE plpgsql AS $$
BEGIN
	versions := (SELECT n_tup_upd FROM purge_ahead.written);
	SELECT p.purged, p.kept INTO purge.purged, purge.kept FROM softdelete.purge_expired(purge.target, batch_size, older_than => '0') p;
	versions := (SELECT n_tup_upd FROM purge_ahead.written) - versions;
END $$;

-- images of a deletion each, of one of several, and of one that has no row in the log
SET client_min_messages = warning;
DELETE FROM images WHERE id = 1;
DELETE FROM images WHERE id = 2;
DELETE FROM images WHERE id IN (3, 4);
DELETE FROM images WHERE id IN (5, 6);
SELECT softdelete.restore('images', 6);
DELETE FROM images WHERE id = 6;
SET softdelete.visibility = 'all';
INSERT INTO images (id, deleted_at, deletion_id) VALUES (8, now(), 0), (9, now(), :base + 2);
RESET softdelete.visibility;
BEGIN;
SELECT * FROM purge('images', 10000);
TABLE log ORDER BY id;
TABLE events ORDER BY first;
ROLLBACK;
-- batches that part a deletion
BEGIN;
SELECT * FROM purge('images', 3);
TABLE log ORDER BY id;
TABLE events ORDER BY first;
ROLLBACK;
-- by SQL
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT purged, kept FROM purge('images', 10000);
TABLE log ORDER BY id;
ROLLBACK;
RESET SESSION AUTHORIZATION;
BEGIN;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER note BEFORE INSERT ON softdelete.event_log FOR EACH ROW EXECUTE FUNCTION note();
SET LOCAL ROLE sd_owner;
SELECT purged, kept FROM purge('images', 10000);
TABLE log ORDER BY id;
TABLE events ORDER BY first;
ROLLBACK;
SET SESSION AUTHORIZATION sd_owner;

-- a post that an image on hold refers to stays, though the batch before it said that all go
SELECT purged FROM purge('images', 10000);
DELETE FROM images WHERE id = 7;
SELECT softdelete.hold(max(deletion_id), 'court') FROM softdelete.trash('images') WHERE key = '{"id": 7}';
DELETE FROM posts WHERE id = 1;
DELETE FROM posts WHERE id = 2;
DELETE FROM posts WHERE id = 3;
DELETE FROM posts WHERE id = 4;
DELETE FROM posts WHERE id = 5;
DELETE FROM posts WHERE id = 6;
SELECT * FROM purge('posts', 2);
SELECT * FROM log WHERE target = 'posts'::regclass ORDER BY id;
SELECT * FROM events WHERE target = 'posts'::regclass;
-- and can be restored, or purged later on
BEGIN;
SELECT softdelete.restore('posts', 4);
SELECT * FROM log WHERE target = 'posts'::regclass AND restored > 0;
ROLLBACK;
SELECT softdelete.release(deletion_id) FROM softdelete.trash('images') WHERE key = '{"id": 7}';
SELECT p.* FROM (VALUES (1, 'images'::regclass), (2, 'posts')) v(n, t), purge(t, 10) p ORDER BY n;
SELECT * FROM log WHERE target = 'posts'::regclass ORDER BY id;
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP SCHEMA purge_ahead CASCADE;
