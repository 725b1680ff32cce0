-- preview(): what a delete of one row would take, by table, what keeps its link,
-- and what would refuse it.  It says what the delete then does, and changes nothing.
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA preview;
SET search_path = preview;
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE TABLE "Forums" (id int PRIMARY KEY);
CREATE TABLE posts (id int PRIMARY KEY, forum int REFERENCES "Forums" ON DELETE CASCADE, parent int REFERENCES posts ON DELETE CASCADE);
CREATE TABLE images (post int REFERENCES posts ON DELETE CASCADE, n int, forum int REFERENCES "Forums" ON DELETE CASCADE, PRIMARY KEY (post, n)) PARTITION BY RANGE (post);
CREATE TABLE images_1 PARTITION OF images FOR VALUES FROM (0) TO (3);
CREATE TABLE images_2 PARTITION OF images DEFAULT;
CREATE TABLE reads (id int PRIMARY KEY, post int REFERENCES posts ON DELETE SET NULL);
CREATE TABLE orders (id int PRIMARY KEY, post int REFERENCES posts ON DELETE RESTRICT, image_post int, image_n int, forum int REFERENCES "Forums" ON DELETE CASCADE,
	FOREIGN KEY (image_post, image_n) REFERENCES images);
SELECT softdelete.enable('"Forums"', cascade => true);
INSERT INTO "Forums" VALUES (1), (2);
INSERT INTO posts VALUES (1, 1, NULL), (2, 1, 1), (3, 1, 2), (4, 2, NULL);
INSERT INTO images SELECT p, n, CASE WHEN n = 1 THEN 1 END FROM generate_series(1, 4) p, generate_series(1, 3) n;
INSERT INTO reads VALUES (1, 1), (2, 3), (3, 4);
-- what went before does not go again
DELETE FROM images WHERE post = 3;
SELECT * FROM softdelete.preview('"Forums"', 1);
SELECT * FROM softdelete.preview('posts', 2);
-- and that is what a delete takes
BEGIN;
DELETE FROM "Forums" WHERE id = 1;
SELECT rows FROM softdelete.deletions WHERE id = (SELECT max(id) FROM softdelete.deletions);
ROLLBACK;

-- what refuses it: live rows by RESTRICT and NO ACTION that do not go themselves
INSERT INTO orders VALUES (1, 3, NULL, NULL, NULL), (2, 3, NULL, NULL, 1), (3, NULL, 1, 1, NULL), (4, 4, NULL, NULL, NULL);
SELECT * FROM softdelete.preview('"Forums"', 1);
DO $$
BEGIN
	DELETE FROM "Forums" WHERE id = 1;
	RAISE 'it passed';
EXCEPTION WHEN foreign_key_violation OR restrict_violation THEN
	RAISE NOTICE 'refused';
END $$;
DELETE FROM orders WHERE id IN (1, 3);
SELECT * FROM softdelete.preview('"Forums"', 1);
BEGIN;
DELETE FROM "Forums" WHERE id = 1;
SELECT rows FROM softdelete.deletions WHERE id = (SELECT max(id) FROM softdelete.deletions);
ROLLBACK;
-- a table that is not managed
CREATE TABLE logs (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE);
INSERT INTO logs VALUES (1, 1), (2, 1);
SELECT * FROM softdelete.preview('posts', 1);
DROP TABLE logs;

-- nothing is changed, not even an id is drawn, in a read-only transaction
BEGIN READ ONLY;
SELECT sum(rows) FROM softdelete.preview('"Forums"', 1) WHERE outcome = 'deleted';
COMMIT;
-- rows that are deleted, and that are not there
DELETE FROM images WHERE post = 2 AND n = 2;
SELECT * FROM softdelete.preview('images', 2, 2);
SELECT * FROM softdelete.preview('posts', 99);
SELECT * FROM softdelete.preview('posts', NULL::int);
SELECT * FROM softdelete.preview('reads', 1);
-- keys of several columns, in a partition by itself
SELECT * FROM softdelete.preview('images', 1, 2);
SELECT * FROM softdelete.preview('images_1', 1, 2);

-- others are told what they may see
GRANT USAGE ON SCHEMA preview TO sd_user;
GRANT SELECT ON "Forums", posts TO sd_user;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SELECT * FROM softdelete.preview('preview.posts', 1);
SELECT * FROM softdelete.preview('preview.images', 1, 2);
RESET SESSION AUTHORIZATION;
-- a long chain, and a circle
SET SESSION AUTHORIZATION sd_owner;
INSERT INTO posts VALUES (100);
INSERT INTO posts SELECT n, NULL, n - 1 FROM generate_series(101, 150) n;
UPDATE posts SET parent = 150 WHERE id = 100;
SELECT * FROM softdelete.preview('posts', 125);
