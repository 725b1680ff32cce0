-- enable(…, cascade => true) marks children by the column that they have, and enable() names the children it leaves out
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA enable_children;
SET search_path = enable_children;
CREATE VIEW markers AS SELECT target, marker, deleted_value FROM softdelete.tables
 WHERE target IN (SELECT oid FROM pg_class WHERE relnamespace = 'enable_children'::regnamespace) ORDER BY target::text;

CREATE TYPE state AS ENUM ('open', 'deleted');
CREATE TABLE "Member" (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT false);
CREATE TABLE address (id int PRIMARY KEY, m int REFERENCES "Member" ON DELETE CASCADE, is_deleted boolean NOT NULL DEFAULT false, is_active boolean);
CREATE TABLE cart (id int PRIMARY KEY, m int REFERENCES "Member" ON DELETE CASCADE, "isActive" boolean DEFAULT true, is_active boolean DEFAULT true);
CREATE TABLE item (id int PRIMARY KEY, c int REFERENCES address ON DELETE CASCADE, status state);
CREATE TABLE mail (id int PRIMARY KEY, c int REFERENCES address ON DELETE CASCADE, status text CHECK (status IN ('sent', 'deleted')), deleted_at timestamptz);
CREATE TABLE note (id int PRIMARY KEY, c int REFERENCES address ON DELETE CASCADE, status text);
CREATE TABLE word (id int PRIMARY KEY, c int REFERENCES address ON DELETE CASCADE, status text);
CREATE TABLE late (id int PRIMARY KEY, c int REFERENCES address ON DELETE CASCADE, removed_at timestamp, created_at timestamp);
INSERT INTO "Member" VALUES (1, false), (2, true);
INSERT INTO address VALUES (1, 1, false), (2, 1, true);
INSERT INTO note VALUES (1, 1, 'deleted'), (2, 1, 'x');
INSERT INTO word VALUES (1, 1, 'x');

-- two columns could be it: nothing is guessed
SELECT softdelete.enable('"Member"', 'is_deleted', cascade => true);
SELECT * FROM markers;
-- what the HINT says
SELECT softdelete.enable('cart', 'is_active');
SELECT softdelete.enable('"Member"', 'is_deleted', cascade => true);
SELECT * FROM markers;
-- the application's own deletes stay deletes
SELECT (SELECT count(*) FROM address) AS addresses, (SELECT count(*) FROM note) AS notes;
UPDATE address SET is_deleted = true WHERE id = 1;
SELECT (SELECT count(*) FROM address) AS addresses, (SELECT count(*) FROM note) AS notes;

-- the same column as the parent's goes first, whatever else there is
CREATE TABLE a (id int PRIMARY KEY, archived boolean DEFAULT false);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE, archived boolean DEFAULT false, is_deleted boolean, deleted_at timestamptz);
SELECT softdelete.enable('a', 'archived');
SELECT softdelete.enable('a', 'archived', cascade => true);
SELECT * FROM markers WHERE target IN ('a'::regclass, 'b'::regclass);

-- keys that do not cascade: what refers by them is erased by the application first
CREATE TABLE post (id int PRIMARY KEY);
CREATE TABLE attachment (id int PRIMARY KEY, p int REFERENCES post DEFERRABLE INITIALLY DEFERRED, is_active boolean);
CREATE TABLE "Like" (id int PRIMARY KEY, p int REFERENCES post ON DELETE RESTRICT, q int REFERENCES post);
CREATE TABLE tag (id int PRIMARY KEY, p int REFERENCES post ON DELETE SET NULL);
SELECT softdelete.enable('post', cascade => true);
SELECT softdelete.enable('attachment', 'is_active');
SELECT softdelete.enable('"Like"');
SELECT softdelete.enable('post', cascade => true);

-- a child of somebody else is named, too, and not looked into
RESET SESSION AUTHORIZATION;
CREATE TABLE enable_children.theirs (id int PRIMARY KEY, p int REFERENCES enable_children.post, status text);
CREATE TABLE enable_children.below (id int PRIMARY KEY, p int REFERENCES enable_children.tag ON DELETE CASCADE, status text);
INSERT INTO enable_children.theirs VALUES (1, NULL, 'deleted');
SET SESSION AUTHORIZATION sd_owner;
SET search_path = enable_children;
SELECT softdelete.enable('post');
SELECT softdelete.enable('tag');
\set VERBOSITY sqlstate
SELECT softdelete.enable('tag', cascade => true);
