-- A restore that cannot be whole says so: how many rows of which table were purged
-- meanwhile.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA unit_losses;
SET search_path = unit_losses;
CREATE TABLE post (id int PRIMARY KEY);
CREATE TABLE image (id int PRIMARY KEY, post int REFERENCES post ON DELETE CASCADE);
CREATE TABLE tag (id int PRIMARY KEY, post int REFERENCES post ON DELETE CASCADE);
SELECT softdelete.enable('post', cascade => true);
INSERT INTO post SELECT generate_series(1, 4);
INSERT INTO image SELECT n, (n + 2) / 3 FROM generate_series(1, 12) n;
INSERT INTO tag SELECT n, n FROM generate_series(1, 4) n;
DELETE FROM post WHERE id = 1;
SELECT softdelete.purge('image', n) FROM generate_series(1, 2) n;
SELECT softdelete.restore('post', 1);
-- all of them
DELETE FROM post WHERE id = 2;
SELECT softdelete.purge('image', n) FROM generate_series(4, 6) n;
SELECT softdelete.purge('tag', 2);
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;
-- two posts at once: whose images these were is not known
DELETE FROM post WHERE id IN (3, 4);
SELECT softdelete.purge('image', 7);
SELECT softdelete.restore('post', 4);
SELECT softdelete.restore('post', 3);
-- by an UPDATE, too; and none where nothing was purged
DELETE FROM tag WHERE id IN (1, 3);
SELECT softdelete.purge('tag', 1);
SET softdelete.visibility = only_deleted;
UPDATE tag SET deleted_at = NULL WHERE id = 3;
RESET softdelete.visibility;
DELETE FROM tag WHERE id = 4;
SELECT softdelete.restore('tag', 4);
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP SCHEMA unit_losses CASCADE;
