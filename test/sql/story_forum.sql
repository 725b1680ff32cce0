-- A forum.  Posts and their images are marked by is_active; deleted_at was added later.
-- A post takes its images along and brings them back, whatever a clean-up does in
-- between; an image that was deleted by itself stays deleted.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA story_forum;
SET search_path = story_forum;
SET client_min_messages = warning;
CREATE TABLE threads (id int PRIMARY KEY, title text, is_active boolean NOT NULL DEFAULT true);
CREATE TABLE posts (id int PRIMARY KEY, thread_id int NOT NULL REFERENCES threads ON DELETE CASCADE, body text, is_active boolean NOT NULL DEFAULT true);
CREATE TABLE attachments (id int PRIMARY KEY, post_id int NOT NULL REFERENCES posts ON DELETE CASCADE, file text, display_order int NOT NULL DEFAULT 0,
						  is_active boolean NOT NULL DEFAULT true);
CREATE INDEX ON posts (thread_id);
CREATE INDEX listing ON attachments (post_id, is_active, display_order);
ALTER TABLE attachments ADD deleted_at timestamptz;			-- later
INSERT INTO threads VALUES (1, 'first');
INSERT INTO posts SELECT n, 1, 'post ' || n FROM generate_series(1, 3) n;
INSERT INTO attachments (id, post_id, file, display_order) SELECT 10 * p + i, p, format('%s-%s.png', p, i), 7 - i FROM generate_series(1, 2) p, generate_series(1, 6) i;
UPDATE attachments SET is_active = false, deleted_at = now() - interval '3 days' WHERE id = 21;		-- by hand, before
-- six images a post; asked after the row is there, so that a restore is asked, too
CREATE FUNCTION six_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF (SELECT count(*) FROM story_forum.attachments WHERE post_id = new.post_id) > 6 THEN
		RAISE EXCEPTION 'six images a post' USING ERRCODE = 'check_violation';
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER six_images AFTER INSERT ON attachments FOR EACH ROW EXECUTE FUNCTION six_images();
RESET client_min_messages;
SELECT softdelete.enable('threads', 'is_active', cascade => true);
SELECT target, marker, live_predicate, retention FROM softdelete.tables WHERE target IN ('threads'::regclass, 'posts', 'attachments') ORDER BY target::text;
GRANT USAGE ON SCHEMA story_forum TO sd_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA story_forum TO sd_user;

SET SESSION AUTHORIZATION sd_user;
SET search_path = story_forum;
------------------------------------------------------------------------------
-- An attachment that is deleted by itself; then its post, with the rest
------------------------------------------------------------------------------
DELETE FROM attachments WHERE id = 11;
DELETE FROM posts WHERE id = 1;
SELECT rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT id FROM posts ORDER BY id;
SELECT count(*) AS images FROM attachments WHERE post_id = 1;
\set VERBOSITY terse
SELECT softdelete.restore('attachments', 12);			-- its post comes first
INSERT INTO attachments (id, post_id, file) VALUES (17, 1, 'late.png');
\set VERBOSITY default
SELECT softdelete.restore('posts', 1) AS rows;
SELECT id, is_active, deleted_at FROM attachments WHERE post_id = 1 ORDER BY id;
SET softdelete.visibility = with_deleted;
SELECT id, is_active, deleted_at IS NOT NULL AS dated FROM attachments WHERE id IN (11, 21) ORDER BY id;
RESET softdelete.visibility;

------------------------------------------------------------------------------
-- Six live images: a deleted one makes room, and cannot come back into a full post
------------------------------------------------------------------------------
INSERT INTO attachments (id, post_id, file) VALUES (17, 1, 'new.png');
\set VERBOSITY terse
INSERT INTO attachments (id, post_id, file) VALUES (18, 1, 'seventh.png');
SELECT softdelete.restore('attachments', 11);
\set VERBOSITY default
SELECT softdelete.state('attachments', 11);

------------------------------------------------------------------------------
-- Every listing shows active ones only; the prefetch goes by the index and in its
-- order, with the application's own filter or without
------------------------------------------------------------------------------
SELECT t.title, p.id, array_agg(a.id ORDER BY a.display_order) AS images
  FROM threads t JOIN posts p ON p.thread_id = t.id LEFT JOIN attachments a ON a.post_id = p.id GROUP BY t.id, p.id ORDER BY p.id;
CREATE FUNCTION pg_temp.nodes(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line	text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line !~ 'Cond' THEN
			RETURN NEXT line;
		END IF;
	END LOOP;
END $$;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT pg_temp.nodes('SELECT * FROM attachments WHERE post_id = 2 AND is_active ORDER BY display_order');
SELECT pg_temp.nodes('SELECT * FROM attachments WHERE post_id = 2 ORDER BY display_order');
RESET enable_seqscan;
RESET enable_bitmapscan;
SELECT id FROM attachments WHERE post_id = 2 AND is_active ORDER BY display_order;

------------------------------------------------------------------------------
-- One attachment for good, on request: a deleted one, or a live one
------------------------------------------------------------------------------
\set VERBOSITY terse
SELECT softdelete.erase('attachments', 21);			-- the owner's
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
SELECT softdelete.purge('attachments', 21) AS rows;
SELECT softdelete.erase('attachments', 22) AS rows;
SELECT softdelete.state('attachments', 21), softdelete.state('attachments', 22);

------------------------------------------------------------------------------
-- The clean-up of those inactive for 30 days; thresholds, batch size, dry run
------------------------------------------------------------------------------
DELETE FROM attachments WHERE id IN (13, 14);
DELETE FROM attachments WHERE id = 15;
SET softdelete.visibility = only_deleted;
UPDATE attachments SET deleted_at = now() - interval '31 days' WHERE id IN (13, 14);
UPDATE attachments SET deleted_at = now() - interval '8 days' WHERE id = 15;
RESET softdelete.visibility;
SELECT target, expired, purged, kept FROM softdelete.purge_expired('attachments', dry_run => true);
SELECT target, expired, purged, kept FROM softdelete.purge_expired('attachments', dry_run => true, older_than => '7 days');
CALL softdelete.run_maintenance('attachments', batch_size => 1);
SELECT batches, expired, purged, kept, status FROM softdelete.job_runs WHERE target = 'attachments'::regclass ORDER BY id DESC LIMIT 1;
SELECT key ->> 'id' AS id, days_left FROM softdelete.trash('attachments') ORDER BY 1;
SELECT softdelete.set_retention('attachments', '7 days');
CALL softdelete.run_maintenance('attachments');
SELECT key ->> 'id' AS id, days_left FROM softdelete.trash('attachments') ORDER BY 1;

------------------------------------------------------------------------------
-- A post never comes back without the images that went with it: they are kept as
-- long as it is, though their own retention is over
------------------------------------------------------------------------------
DELETE FROM posts WHERE id = 2;
SET softdelete.visibility = only_deleted;
UPDATE posts SET deleted_at = now() - interval '20 days' WHERE id = 2;
UPDATE attachments SET deleted_at = now() - interval '20 days' WHERE post_id = 2;
RESET softdelete.visibility;
CALL softdelete.run_maintenance('attachments');
CALL softdelete.run_maintenance('posts');
SELECT count(*) AS images FROM softdelete.trash('attachments') WHERE row_data ->> 'post_id' = '2';
SELECT softdelete.restore('posts', 2) AS rows;
SELECT id FROM attachments WHERE post_id = 2 ORDER BY id;
-- when its time is over all of it goes, children first; a run for all tables knows the order
DELETE FROM posts WHERE id = 2;
SET softdelete.visibility = only_deleted;
UPDATE posts SET deleted_at = now() - interval '31 days' WHERE id = 2;
UPDATE attachments SET deleted_at = now() - interval '31 days' WHERE post_id = 2;
RESET softdelete.visibility;
CALL softdelete.run_maintenance('attachments');
CALL softdelete.run_maintenance('posts');
SELECT softdelete.state('posts', 2), (SELECT count(*) FROM softdelete.trash('attachments') WHERE row_data ->> 'post_id' = '2') AS images;

------------------------------------------------------------------------------
-- Many attachments, a twentieth of them inactive: the clean-up looks at an index
-- over the inactive ones only
------------------------------------------------------------------------------
SET client_min_messages = warning;
SELECT softdelete.set_retention('attachments', '30 days');
CREATE TABLE many (id int PRIMARY KEY, file text, is_active boolean NOT NULL DEFAULT true, deleted_at timestamptz);
INSERT INTO many SELECT n, n || '.png' FROM generate_series(1, 100000) n;
UPDATE many SET is_active = false, deleted_at = now() - n * interval '1 hour'
  FROM generate_series(1, 5000) n WHERE id = 20 * n;
SELECT softdelete.enable('many', 'is_active');
RESET client_min_messages;
VACUUM ANALYZE many;
-- as enable() left it: less than a fifth of an index over all rows
SELECT i.relname, pg_relation_size(i.oid) < 0.2 * pg_relation_size('many_pkey') AS small, pg_get_expr(x.indpred, x.indrelid) AS "where"
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = 'many'::regclass AND x.indpred IS NOT NULL;
BEGIN;
SET LOCAL softdelete.visibility = only_deleted;
EXPLAIN (COSTS OFF) SELECT id FROM many WHERE deleted_at < now() - interval '200 days';
COMMIT;
SELECT target, expired, purged, kept FROM softdelete.purge_expired('many', dry_run => true);
SELECT target, expired, purged, kept FROM softdelete.purge_expired('many', batch_size => 1000);
SELECT live, deleted, expired FROM softdelete.stats_exact('many');
