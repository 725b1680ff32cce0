-- The root of a deletion is the table that the statement deletes from, whatever
-- else the statement does.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA log_root;
SET search_path = log_root;
CREATE TABLE audit (v text);
CREATE TABLE posts (id int PRIMARY KEY);
CREATE TABLE comments (id int PRIMARY KEY, post_id int REFERENCES posts ON DELETE CASCADE);
INSERT INTO posts VALUES (1), (2), (3);
INSERT INTO comments VALUES (1, 1), (2, 2), (3, 3);
SELECT softdelete.enable('posts', cascade => true);
CREATE VIEW last_deletion AS SELECT target, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
-- an INSERT into a table that is not managed, in the same statement
WITH a AS (INSERT INTO audit VALUES ('x')) DELETE FROM posts WHERE id = 1;
TABLE last_deletion;
SELECT softdelete.undo((SELECT max(id) FROM softdelete.deletions));
WITH p AS (DELETE FROM posts WHERE id = 1 RETURNING id) INSERT INTO audit SELECT id FROM p;
TABLE last_deletion;
SELECT softdelete.undo((SELECT max(id) FROM softdelete.deletions));
-- two DELETEs: the main one
WITH c AS (DELETE FROM comments WHERE id = 2) DELETE FROM posts WHERE id = 2;
TABLE last_deletion;
SELECT softdelete.undo((SELECT max(id) FROM softdelete.deletions));
SELECT (SELECT count(*) FROM posts) AS posts, (SELECT count(*) FROM comments) AS comments;
-- kept for ever: there are no days left to count
SELECT softdelete.set_retention('posts', NULL);
DELETE FROM posts WHERE id = 3;
SELECT key, days_left, expires_at FROM softdelete.trash('posts');
