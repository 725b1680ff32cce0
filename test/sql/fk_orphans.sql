-- A table may be managed that hand-written code has marked rows of before, and
-- left live rows that refer to them.  enable() says so, and disable(), where its
-- deleted rows, ordinary ones from then on, refer to rows that stay deleted.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA orphans;
SET search_path = orphans;

CREATE TABLE posts (id int PRIMARY KEY, deleted_at timestamptz);
CREATE TABLE "Attachments" (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE, is_deleted boolean DEFAULT false);
CREATE TABLE links (a int, b int, post int REFERENCES posts ON DELETE SET NULL);
INSERT INTO posts SELECT n, CASE WHEN n <= 3 THEN now() END FROM generate_series(1, 5) n;
INSERT INTO "Attachments" VALUES (1, 1, true), (2, 1, false), (3, 2, false), (4, 4, false), (5, NULL, false);
INSERT INTO links VALUES (1, 1, 1);
SELECT softdelete.enable('"Attachments"', 'is_deleted');
SELECT softdelete.enable('posts');
-- what the hint says
BEGIN;
DELETE FROM "Attachments" c WHERE (c.post) IS NOT NULL AND NOT EXISTS (SELECT FROM posts p WHERE p.id = c.post);
SELECT id FROM "Attachments" ORDER BY id;
SELECT softdelete.enable('posts');
ROLLBACK;
-- it stands in the way of no other change of the table
ALTER TABLE "Attachments" ADD COLUMN note text, ADD CHECK (id > 0), ALTER id TYPE bigint;
\set VERBOSITY sqlstate
ALTER TABLE "Attachments" ALTER post TYPE int USING post;
ALTER TABLE "Attachments" ADD FOREIGN KEY (post) REFERENCES posts ON DELETE RESTRICT;
\set VERBOSITY default
SELECT softdelete.enable('"Attachments"', 'is_deleted');
-- or: their posts are restored
SELECT softdelete.restore('posts', 1), softdelete.restore('posts', 2);
SELECT softdelete.enable('posts');

-- the other way round: deleted attachments are live when nobody hides them
DELETE FROM posts WHERE id = 4;
SELECT softdelete.disable('"Attachments"');
SELECT id, is_deleted FROM "Attachments" ORDER BY id;
-- nobody refers to what comes alive here
SELECT softdelete.disable('posts');

-- keys of several columns, and tables without anything to warn of
CREATE TABLE pairs (a int, b int, is_active boolean, PRIMARY KEY (a, b));
CREATE TABLE refers (x int, y int, FOREIGN KEY (x, y) REFERENCES pairs);
INSERT INTO pairs VALUES (1, 1, false), (1, 2, false), (2, 1, true);
INSERT INTO refers VALUES (1, 1), (1, 1), (2, 1), (1, NULL);
SELECT softdelete.enable('pairs', 'is_active');
DELETE FROM refers c WHERE (c.x, c.y) IS NOT NULL AND NOT EXISTS (SELECT FROM pairs p WHERE p.a = c.x AND p.b = c.y);
SELECT * FROM refers ORDER BY x, y;
