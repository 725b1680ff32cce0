-- Rows that a deletion took along do not go before it: neither before the retention
-- is over of the table that it began with, nor before that of a table above theirs
-- that it took rows from.  So a restore is whole, whatever the clean-up did.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA purge_with_its_deletion;
SET search_path = purge_with_its_deletion;
CREATE FUNCTION backdate(target regclass, ago interval) RETURNS void
LANGUAGE plpgsql SET softdelete.visibility = 'deleted' AS $$
BEGIN
	EXECUTE format('UPDATE %s SET deleted_at = now() - $1', target) USING ago;
END $$;
CREATE FUNCTION left_of(target regclass) RETURNS text
LANGUAGE plpgsql SET softdelete.visibility = 'all' AS $$
DECLARE
	result	text;
BEGIN
	EXECUTE format('SELECT string_agg(id::text, '' '' ORDER BY id) FROM %s', target) INTO result;
	RETURN coalesce(result, 'none');
END $$;
CREATE TABLE posts (id int PRIMARY KEY);
CREATE TABLE images (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE);
INSERT INTO posts SELECT generate_series(1, 4);
INSERT INTO images SELECT n, (n + 1) / 2 FROM generate_series(1, 8) n;
SELECT softdelete.enable('posts', retention => '365 days', cascade => true);
SELECT softdelete.set_retention('images', '30 days');

-- image 8 by itself, 1 to 4 with their posts
DELETE FROM images WHERE id = 8;
DELETE FROM posts WHERE id <= 2;
SELECT backdate('posts', '40 days'), backdate('images', '40 days');
SELECT expired, purged, kept FROM softdelete.purge_expired('images', dry_run => true);
SELECT expired, purged, kept FROM softdelete.purge_expired('images', 1);
SELECT left_of('images');
SELECT softdelete.restore('posts', 1);
SELECT count(*) FROM images WHERE post = 1;
-- in steps, too
CALL softdelete.run_maintenance('images', 1);
SELECT left_of('images');

-- when the deletion's time has come, they go
SELECT backdate('posts', '366 days'), backdate('images', '366 days');
SELECT expired, purged, kept FROM softdelete.purge_expired('images');
SELECT expired, purged, kept FROM softdelete.purge_expired('posts');
SELECT left_of('images'), left_of('posts');

-- the child came first in the statement: the table above counts
WITH i AS (DELETE FROM images WHERE post = 3) DELETE FROM posts WHERE id = 3;
SELECT backdate('posts', '40 days'), backdate('images', '40 days');
SELECT expired, purged, kept FROM softdelete.purge_expired('images');
SELECT left_of('images');

-- kept for ever, as long as nobody says how long by hand
SELECT softdelete.set_retention('posts', NULL);
SELECT backdate('images', '100 years');
SELECT expired, purged, kept FROM softdelete.purge_expired('images');
SELECT expired, purged, kept FROM softdelete.purge_expired('images', older_than => '1 year');
SELECT left_of('images');

-- a child that is kept longer than its parent keeps it
SELECT softdelete.set_retention('posts', '1 day'), softdelete.set_retention('images', '60 days');
DELETE FROM posts WHERE id = 4;
SELECT backdate('posts', '40 days'), backdate('images', '40 days');
SELECT expired, purged, kept FROM softdelete.purge_expired('images');
SELECT expired, purged, kept, kept_why FROM softdelete.purge_expired('posts');

-- tables that refer to one another: the longest retention of those that the
-- deletion took rows from is everybody's
CREATE SCHEMA purge_with_its_deletion_circle;
SET search_path = purge_with_its_deletion_circle, purge_with_its_deletion;
CREATE TABLE "Team" (id int PRIMARY KEY, lead int);
CREATE TABLE person (id int PRIMARY KEY, team int REFERENCES "Team" ON DELETE CASCADE);
ALTER TABLE "Team" ADD FOREIGN KEY (lead) REFERENCES person ON DELETE CASCADE;
INSERT INTO "Team" SELECT generate_series(1, 4);
INSERT INTO person SELECT n, (n + 1) / 2 FROM generate_series(1, 8) n;
UPDATE "Team" SET lead = 2 * id;
SELECT softdelete.enable('"Team"', retention => '365 days', cascade => true);
SELECT softdelete.set_retention('person', '30 days');
-- person 7 alone; teams 1 and 2 with all of theirs
DELETE FROM person WHERE id = 7;
DELETE FROM "Team" WHERE id <= 2;
SELECT backdate('"Team"', '40 days'), backdate('person', '40 days');
SELECT target, expired, purged, kept FROM softdelete.purge_cycle('{"\"Team\"",person}', '{365 days,30 days}', 100);
SELECT left_of('"Team"'), left_of('person');
SELECT softdelete.restore('"Team"', 1);
SELECT id, team FROM person WHERE team = 1 ORDER BY id;
-- its time has come
SELECT backdate('"Team"', '366 days'), backdate('person', '366 days');
SELECT target, expired, purged, kept FROM softdelete.purge_cycle('{"\"Team\"",person}', '{365 days,30 days}', 100);
SELECT left_of('"Team"'), left_of('person');
-- whoever says how long does not wait
DELETE FROM "Team" WHERE id = 1;
SELECT target, purged, kept FROM softdelete.purge_cycle('{"\"Team\"",person}', '{0,0}', 100);
SELECT left_of('"Team"'), left_of('person');
DROP SCHEMA purge_with_its_deletion_circle CASCADE;
