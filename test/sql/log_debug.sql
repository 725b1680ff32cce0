-- What an operation did, told to whoever asks for messages of level debug1.
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA log_debug;
SET search_path = log_debug;
CREATE TABLE posts (id int PRIMARY KEY);
CREATE TABLE "Comments" (id int PRIMARY KEY, post_id int REFERENCES posts ON DELETE CASCADE);
CREATE TABLE pinned (post_id int REFERENCES posts);
INSERT INTO posts VALUES (1), (2), (3);
INSERT INTO "Comments" VALUES (1, 2), (2, 2), (3, 2);
INSERT INTO pinned VALUES (3);
SELECT softdelete.enable('posts', cascade => true);
-- the same ids, however many tests ran before this one; it leaves none of them
RESET SESSION AUTHORIZATION;
SELECT last_value AS before FROM softdelete.deletion_log_id_seq \gset
SELECT setval('softdelete.deletion_log_id_seq', 1000000);
SET SESSION AUTHORIZATION sd_owner;
SET search_path = log_debug;
BEGIN;
SET LOCAL client_min_messages = debug1;
DELETE FROM posts WHERE id < 3;
SELECT softdelete.restore('posts', 1);
SAVEPOINT a;
DELETE FROM posts;
ROLLBACK TO a;
-- nothing at the usual level
SET LOCAL client_min_messages = log;
DELETE FROM posts WHERE id < 3;
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT setval('softdelete.deletion_log_id_seq', :before) IS NOT NULL AS back;
