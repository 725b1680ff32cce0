-- A row on hold keeps what went along with it: when it comes back it comes back whole,
-- whatever the clean-up did meanwhile, and to the last level.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA hold_with_its_children;
SET search_path = hold_with_its_children;
SET client_min_messages = warning;
CREATE TABLE "Thread" (id int, lang text, PRIMARY KEY (id, lang));
CREATE TABLE posts (id int PRIMARY KEY, thread int, lang text, FOREIGN KEY (thread, lang) REFERENCES "Thread" ON DELETE CASCADE);
CREATE TABLE images (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE, up int REFERENCES images ON DELETE CASCADE);
CREATE TABLE votes (id int, post int REFERENCES posts ON DELETE CASCADE) PARTITION BY RANGE (id);
CREATE TABLE votes_1 PARTITION OF votes FOR VALUES FROM (0) TO (5);
CREATE TABLE votes_2 PARTITION OF votes DEFAULT;
CREATE INDEX ON posts (thread, lang);
CREATE INDEX ON images (post);
CREATE INDEX ON images (up);
CREATE INDEX ON votes (post);
SELECT softdelete.enable('"Thread"', cascade => true);
INSERT INTO "Thread" SELECT n, 'de' FROM generate_series(1, 3) n;
INSERT INTO posts SELECT n, (n + 1) / 2, 'de' FROM generate_series(1, 6) n;
INSERT INTO images SELECT 10 * p + n, p FROM generate_series(1, 6) p, generate_series(1, 2) n;
INSERT INTO votes SELECT n, n FROM generate_series(1, 6) n;
CREATE FUNCTION backdate(tables regclass[]) RETURNS void LANGUAGE plpgsql SET softdelete.visibility = 'only_deleted' AS $$
DECLARE
	t	regclass;
BEGIN
	FOREACH t IN ARRAY tables LOOP
		EXECUTE format('UPDATE %s SET deleted_at = now() - interval ''31 days''', t);
	END LOOP;
END $$;
RESET client_min_messages;

-- image 11 went before its post did; the rest in one statement
DELETE FROM images WHERE id = 11;
DELETE FROM "Thread" WHERE id < 3;
SELECT softdelete.hold_row('"Thread"', 'case 1', 1, 'de');
SELECT backdate('{"\"Thread\"",posts,images,votes}');
SELECT expired, purged, kept, kept_why FROM softdelete.purge_expired('images', batch_size => 3, dry_run => true);
SELECT expired, purged, kept, kept_why FROM softdelete.purge_expired('images', batch_size => 3);
CALL softdelete.run_maintenance('votes');
CALL softdelete.run_maintenance('posts', batch_size => 1);
SELECT expired, purged, kept, kept_why FROM softdelete.purge_expired('"Thread"');
SELECT softdelete.restore('"Thread"', 1, 'de') AS rows;
SELECT (SELECT array_agg(id ORDER BY id) FROM posts) AS posts, (SELECT array_agg(id ORDER BY id) FROM images) AS images,
	   (SELECT array_agg(id ORDER BY id) FROM votes) AS votes;

-- nor by hand; the hold of the post in between counts as well
DELETE FROM "Thread" WHERE id = 3;
SELECT softdelete.hold_row('posts', 'case 2', 5);
SELECT backdate('{"\"Thread\"",posts,images,votes}');
SELECT expired, purged, kept FROM softdelete.purge_expired('images', older_than => '0');
SELECT softdelete.release_row('posts', 5);
SELECT expired, purged, kept FROM softdelete.purge_expired('images', older_than => '0');
SELECT softdelete.release_row('"Thread"', 1, 'de');
