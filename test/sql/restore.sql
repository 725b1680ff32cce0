-- restore(), undo() and a plain UPDATE that clears the mark bring rows back as
-- they were, with all that went along and nothing else; what cannot be brought
-- back says why and changes nothing.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA restore;
SET search_path = restore;

CREATE TABLE authors (id int PRIMARY KEY, name text);
CREATE TABLE posts (id int PRIMARY KEY, author_id int REFERENCES authors ON DELETE CASCADE, title text, body text);
CREATE TABLE comments (id int PRIMARY KEY, post_id int REFERENCES posts ON DELETE CASCADE, said text);
INSERT INTO authors SELECT n, 'author ' || n FROM generate_series(1, 3) n;
INSERT INTO posts SELECT n, (n + 1) / 2, 'post ' || n, repeat('long ', 1000) || n FROM generate_series(1, 6) n;
INSERT INTO comments SELECT n, (n + 1) / 2, 'comment ' || n FROM generate_series(1, 12) n;
SELECT softdelete.enable('authors', cascade => true);
GRANT USAGE ON SCHEMA restore TO sd_user;

-- the rows as they were at first, companion columns included
CREATE TABLE before AS
	SELECT 'authors' AS t, to_jsonb(a) AS r FROM authors a UNION ALL
	SELECT 'posts', to_jsonb(p) FROM posts p UNION ALL SELECT 'comments', to_jsonb(c) FROM comments c;
CREATE VIEW now AS
	SELECT 'authors' AS t, to_jsonb(a) AS r FROM authors a UNION ALL
	SELECT 'posts', to_jsonb(p) FROM posts p UNION ALL SELECT 'comments', to_jsonb(c) FROM comments c;
-- what is missing or changed
CREATE VIEW difference AS
	SELECT * FROM (SELECT 'missing' AS what, * FROM (TABLE before EXCEPT ALL TABLE now) b UNION ALL
				   SELECT 'extra', * FROM (TABLE now EXCEPT ALL TABLE before) a) d;
CREATE VIEW summary AS
	SELECT what, t, string_agg(r ->> 'id', ' ' ORDER BY (r ->> 'id')::int) AS ids FROM difference GROUP BY what, t ORDER BY t, what;
CREATE VIEW last_deletion AS
	SELECT rows, total, restored, restored_at IS NOT NULL AS was_restored, restored_by FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
CREATE FUNCTION last_id() RETURNS bigint LANGUAGE sql AS 'SELECT max(id) FROM softdelete.deletions';

------------------------------------------------------------------------------
-- By key: exactly as it was, byte by byte; the count includes what went along
------------------------------------------------------------------------------
DELETE FROM authors WHERE id = 1;
TABLE summary;
TABLE last_deletion;
SELECT softdelete.restore('authors', 1);
TABLE summary;
TABLE last_deletion;
-- twice
SELECT softdelete.restore('authors', 1);
-- unknown, deleted for good
SELECT softdelete.restore('authors', 4);
DELETE FROM comments WHERE id = 12;
SELECT softdelete.purge('comments', 12);
SELECT softdelete.restore('comments', 12);
INSERT INTO comments VALUES (12, 6, 'comment 12');
TABLE summary;

------------------------------------------------------------------------------
-- By the id of the deletion
------------------------------------------------------------------------------
DELETE FROM posts WHERE id IN (1, 3, 5);
TABLE summary;
SELECT softdelete.undo(last_id());
TABLE summary;
TABLE last_deletion;
-- twice, unknown, NULL
\set VERBOSITY sqlstate
SELECT softdelete.undo(last_id());
\set VERBOSITY default
SELECT softdelete.undo(-1);
SELECT softdelete.undo(NULL::bigint);
-- one row of many comes back by key, the others by id
DELETE FROM posts WHERE id IN (1, 3, 5);
SELECT softdelete.restore('posts', 3);
TABLE last_deletion;
SELECT softdelete.undo(last_id());
TABLE last_deletion;
TABLE summary;
-- several roots in one WITH query are one deletion
WITH a AS (DELETE FROM authors WHERE id = 1 RETURNING id),
	 p AS (DELETE FROM posts WHERE id = 3 RETURNING id)
DELETE FROM comments WHERE id IN (9, 10);
TABLE summary;
TABLE last_deletion;
SELECT softdelete.undo(last_id());
TABLE summary;
-- roots of which one is the other's child
WITH c AS (DELETE FROM comments WHERE id = 1), p AS (DELETE FROM posts WHERE id = 1)
DELETE FROM authors WHERE id = 1;
TABLE last_deletion;
SELECT softdelete.undo(last_id());
TABLE summary;
-- and none, as the statement found nothing
WITH c AS (DELETE FROM comments WHERE id = 99) DELETE FROM authors WHERE id = 99;

------------------------------------------------------------------------------
-- By UPDATE: bulk restore, of several deletions at once
------------------------------------------------------------------------------
DELETE FROM posts WHERE id = 1;
DELETE FROM comments WHERE id = 4;
DELETE FROM posts WHERE id = 2;
SET softdelete.visibility = deleted;
UPDATE posts SET deleted_at = NULL WHERE author_id = 1 RETURNING id, deleted_at, deletion_id;
RESET softdelete.visibility;
TABLE summary;
SELECT rows, restored, restored_by FROM softdelete.deletions ORDER BY id DESC LIMIT 3;
SET softdelete.visibility = deleted;
UPDATE comments SET deleted_at = NULL, said = 'comment 4';
RESET softdelete.visibility;
TABLE summary;
-- among visible rows there is none to restore
DELETE FROM posts WHERE id = 1;
UPDATE posts SET deleted_at = NULL WHERE id = 1 RETURNING id;
-- not a child under its deleted parent
SET softdelete.visibility = deleted;
UPDATE comments SET deleted_at = NULL WHERE post_id = 1;
-- unless it moves to one that lives
UPDATE comments SET deleted_at = NULL, post_id = 2 WHERE id = 1;
RESET softdelete.visibility;
SELECT id, post_id FROM comments WHERE id <= 4 ORDER BY id;
SELECT softdelete.restore('posts', 1);
UPDATE comments SET post_id = 1 WHERE id = 1;
TABLE summary;

------------------------------------------------------------------------------
-- A child of a deleted parent
------------------------------------------------------------------------------
DELETE FROM comments WHERE id = 1;
DELETE FROM posts WHERE id = 1;
DELETE FROM authors WHERE id = 1;
SELECT softdelete.restore('comments', 1);
SELECT softdelete.restore('posts', 1);
SELECT softdelete.undo(last_id() - 1);
SELECT softdelete.restore('authors', 1);
TABLE summary;
SELECT softdelete.restore('posts', 1), softdelete.restore('comments', 1);
TABLE summary;

------------------------------------------------------------------------------
-- After a part of the deletion was purged, the rest comes back
------------------------------------------------------------------------------
DELETE FROM authors WHERE id = 2;
SELECT softdelete.purge('posts', 3);
TABLE last_deletion;
SELECT softdelete.restore('posts', 3);
SELECT softdelete.restore('authors', 2);
TABLE summary;
SELECT restored, purged, purged_by FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
INSERT INTO posts SELECT (jsonb_populate_record(NULL::posts, r)).* FROM before WHERE t = 'posts' AND r ->> 'id' = '3';
INSERT INTO comments SELECT (jsonb_populate_record(NULL::comments, r)).* FROM before WHERE t = 'comments' AND r ->> 'post_id' = '3';
TABLE summary;
-- all of it
DELETE FROM comments WHERE id = 12;
SELECT softdelete.purge('comments', 12);
\set VERBOSITY sqlstate
SELECT softdelete.undo(last_id());
\set VERBOSITY default
INSERT INTO comments VALUES (12, 6, 'comment 12');

------------------------------------------------------------------------------
-- Rows that were edited while they were deleted keep the edit
------------------------------------------------------------------------------
DELETE FROM posts WHERE id = 6;
SET softdelete.visibility = deleted;
UPDATE posts SET title = 'edited' WHERE id = 6;
UPDATE comments SET post_id = 5 WHERE id = 11;		-- no longer with the post that took it
UPDATE comments SET id = 112 WHERE id = 12;
RESET softdelete.visibility;
SELECT softdelete.restore('posts', 6);
SELECT id, title FROM posts WHERE id = 6;
SELECT id, post_id FROM comments WHERE post_id IN (5, 6) ORDER BY id;
-- undo goes by the deletion alone
SELECT softdelete.undo(last_id());
SELECT id, post_id FROM comments WHERE post_id IN (5, 6) ORDER BY id;
UPDATE posts SET title = 'post 6' WHERE id = 6;
UPDATE comments SET post_id = 6 WHERE id = 11;
UPDATE comments SET id = 12 WHERE id = 112;
TABLE summary;
-- the stamp itself is not the application's to change
DELETE FROM posts WHERE id = 6;
SET softdelete.visibility = deleted;
UPDATE posts SET deletion_id = 0 WHERE id = 6;
RESET softdelete.visibility;
SELECT softdelete.restore('posts', 6);

------------------------------------------------------------------------------
-- Columns that came and went in between
------------------------------------------------------------------------------
CREATE TABLE docs (id int PRIMARY KEY, a text, b text DEFAULT 'b', c text);
INSERT INTO docs VALUES (1, 'a1', 'b1', 'c1'), (2, 'a2', 'b2', 'c2');
SELECT softdelete.enable('docs');
DELETE FROM docs WHERE id = 1;
ALTER TABLE docs DROP COLUMN a;
ALTER TABLE docs ADD COLUMN d text NOT NULL DEFAULT 'new';
ALTER TABLE docs RENAME COLUMN c TO "C";
DELETE FROM docs WHERE id = 2;
SELECT softdelete.restore('docs', 1), softdelete.restore('docs', 2);
SELECT * FROM docs ORDER BY id;
-- a constraint that came in between and was not held against the rows there were
DELETE FROM docs WHERE id = 1;
ALTER TABLE docs ADD CHECK (b <> 'b1') NOT VALID;
SELECT softdelete.restore('docs', 1);
SELECT id FROM docs;

------------------------------------------------------------------------------
-- A live twin has taken the key
------------------------------------------------------------------------------
CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, "Nick" text, during int4range,
					EXCLUDE USING gist (during WITH &&) WHERE (deleted_at IS NULL), deleted_at timestamptz);
CREATE TABLE logins (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE);
INSERT INTO users VALUES (1, 'ann@example.org', 'ann', '[1,5)');
INSERT INTO logins VALUES (1, 1);
SELECT softdelete.enable('users', cascade => true);
SELECT softdelete.create_live_unique('users', 'email');
SELECT softdelete.create_live_unique('users', 'Nick');
DELETE FROM users WHERE id = 1;
INSERT INTO users VALUES (2, 'ann@example.org', 'ann2', '[11,15)');
SELECT softdelete.restore('users', 1);
SELECT softdelete.undo(last_id());
UPDATE users SET email = 'ann2@example.org', "Nick" = 'ann' WHERE id = 2;
SELECT softdelete.restore('users', 1);
UPDATE users SET "Nick" = 'ann2', during = '[4,6)' WHERE id = 2;
SELECT softdelete.restore('users', 1);
SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM logins) AS logins;
DELETE FROM users WHERE id = 2;
SELECT softdelete.restore('users', 1);
SELECT id, email, "Nick", during FROM users;
-- by UPDATE: the error of any UPDATE
SET softdelete.visibility = 'all';
UPDATE users SET deleted_at = NULL WHERE id = 2;
RESET softdelete.visibility;

------------------------------------------------------------------------------
-- Keys as they come: untyped, of any type, from a driver; composite keys
------------------------------------------------------------------------------
CREATE TABLE "Members" (team int, "Name" varchar(10), since date, note text, PRIMARY KEY ("Name", team, since));
INSERT INTO "Members" (team, "Name", since) VALUES (1, 'ann', '2024-02-29'), (2, 'ann', '2024-02-29'), (1, 'it''s', '2024-02-29');
SELECT softdelete.enable('"Members"');
DELETE FROM "Members";
SELECT softdelete.restore('"Members"', 'ann', 1, '2024-02-29');
SELECT softdelete.restore('"Members"', 'ann'::text, '2', date '2024-02-29');
SELECT softdelete.restore('"Members"', VARIADIC ARRAY['it''s', '1', '2024-02-29']);
SELECT team, "Name" FROM "Members" ORDER BY 1, 2;
SELECT softdelete.restore('"Members"', 1, 'ann', '2024-02-29');
SELECT softdelete.restore('"Members"', 'ann', 1);
SELECT softdelete.restore('"Members"', 'ann', 1, '2024-02-29', 4);
\set VERBOSITY sqlstate
SELECT softdelete.restore('"Members"', 'ann', NULL, '2024-02-29');
SELECT softdelete.restore('"Members"', 'ann', 1, NULL::date);
\set VERBOSITY default
SELECT softdelete.restore('"Members"');
SELECT softdelete.restore('"Members"', VARIADIC NULL::text[]);
PREPARE give_back(text, text) AS SELECT softdelete.restore($1::regclass, $2);
DELETE FROM authors WHERE id = 3;
EXECUTE give_back('authors', '3');
DELETE FROM authors WHERE id = 3;
EXECUTE give_back('restore.authors', ' 3 ');
EXECUTE give_back('authors', 'three');
EXECUTE give_back('authors', '3; DROP TABLE authors');
DELETE FROM authors WHERE id = 3;
SELECT softdelete.restore('authors', 3::bigint);
DELETE FROM authors WHERE id = 3;
SELECT softdelete.restore('authors', 3.0);
TABLE summary;
CREATE TABLE keys (k uuid PRIMARY KEY, v int[] UNIQUE);
INSERT INTO keys VALUES ('7d1f0000-0000-0000-0000-000000000000', '{1,2}');
SELECT softdelete.enable('keys');
DELETE FROM keys;
SELECT softdelete.restore('keys', '7D1F0000-0000-0000-0000-000000000000');

------------------------------------------------------------------------------
-- Where there is nothing to restore by key
------------------------------------------------------------------------------
SELECT softdelete.restore('before', 1);
SELECT softdelete.restore('summary', 1);
SELECT softdelete.restore('nowhere', 1);
SELECT softdelete.restore(NULL, 1);
SELECT softdelete.restore(0::regclass, 1);
CREATE TABLE keyless (v int);
INSERT INTO keyless VALUES (1), (1), (2);
SELECT softdelete.enable('keyless');
DELETE FROM keyless WHERE v = 1;
SELECT softdelete.restore('keyless', 1);
SELECT softdelete.undo(last_id());
SELECT * FROM keyless ORDER BY v;

------------------------------------------------------------------------------
-- Who may: restore and undo need DELETE on the table that was deleted from
------------------------------------------------------------------------------
DELETE FROM authors WHERE id = 1;
SELECT last_id() AS id \gset
GRANT SELECT ON authors TO sd_user;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SET search_path = restore;
SELECT softdelete.restore('authors', 1);
SELECT softdelete.undo(:id);
SELECT softdelete.restore('posts', 1);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = restore;
GRANT DELETE ON authors TO sd_user;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SET search_path = restore;
SELECT softdelete.undo(:id);
DELETE FROM authors WHERE id = 1;
SELECT softdelete.restore('authors', 1);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = restore;
TABLE summary;
SELECT deleted_by, restored_by FROM softdelete.deletions ORDER BY id DESC LIMIT 2;
