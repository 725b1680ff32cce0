-- Restore follows every foreign key, whatever a delete does along it, to rows of
-- the same deletion, in whatever order the application deleted them.  What another
-- row needs that is deleted still stays deleted, and a notice says so.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA unit_restore;
SET search_path = unit_restore;
-- lives(table): the keys of its live rows
CREATE FUNCTION lives(t regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result	text;
BEGIN
	EXECUTE format('SELECT string_agg(id::text, '' '' ORDER BY id) FROM %s', t) INTO result;
	RETURN coalesce(result, '');
END $$;

------------------------------------------------------------------------------
-- As Django does it: every key NO ACTION DEFERRABLE INITIALLY DEFERRED, and the
-- collector deletes the children first, by statements of their own
------------------------------------------------------------------------------
CREATE TABLE author (id int PRIMARY KEY, name text);
CREATE TABLE post (id int PRIMARY KEY, author_id int REFERENCES author DEFERRABLE INITIALLY DEFERRED, title text);
CREATE TABLE attachment (id int PRIMARY KEY, post_id int NOT NULL REFERENCES post DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE tag (id int PRIMARY KEY, name text);
CREATE TABLE post_tags (id int PRIMARY KEY, post_id int NOT NULL REFERENCES post DEFERRABLE INITIALLY DEFERRED,
	tag_id int NOT NULL REFERENCES tag DEFERRABLE INITIALLY DEFERRED, UNIQUE (post_id, tag_id));
SELECT softdelete.enable(t) FROM unnest('{post_tags,attachment,post,tag,author}'::regclass[]) t;
INSERT INTO author SELECT n, 'author ' || n FROM generate_series(1, 3) n;
INSERT INTO post SELECT n, (n + 1) / 2, 'post ' || n FROM generate_series(1, 6) n;
INSERT INTO attachment SELECT n, (n + 3) / 4 FROM generate_series(1, 24) n;
INSERT INTO tag SELECT n, 'tag ' || n FROM generate_series(1, 3) n;
INSERT INTO post_tags SELECT row_number() OVER (), p, t FROM generate_series(1, 6) p, generate_series(1, 3) t;
DELETE FROM attachment WHERE id = 4;	-- by itself, before
BEGIN;
DELETE FROM post_tags WHERE post_id IN (1);
DELETE FROM attachment WHERE id IN (1, 2, 3);
DELETE FROM post WHERE id IN (1);
COMMIT;
SELECT target, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT softdelete.restore('post', 1);
SELECT lives('post') AS post, lives('attachment') AS attachment, (SELECT count(*) FROM post_tags) AS post_tags;
SELECT rows, restored FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
-- an author with two posts and all that hangs on them
BEGIN;
DELETE FROM post_tags WHERE post_id IN (3, 4);
DELETE FROM attachment WHERE post_id IN (3, 4);
DELETE FROM post WHERE author_id = 2;
DELETE FROM author WHERE id = 2;
COMMIT;
SELECT softdelete.restore('post', 3);		-- its author is deleted
SELECT softdelete.restore('author', 2);
SELECT lives('author') AS author, lives('post') AS post, lives('attachment') AS attachment, (SELECT count(*) FROM post_tags) AS post_tags;
-- the other order: the parent first, checked at the commit
BEGIN;
DELETE FROM author WHERE id = 2;
DELETE FROM post WHERE author_id = 2;
DELETE FROM attachment WHERE post_id IN (3, 4);
DELETE FROM post_tags WHERE post_id IN (3, 4);
COMMIT;
SELECT softdelete.restore('author', 2);
SELECT (SELECT count(*) FROM attachment) AS attachments, (SELECT count(*) FROM post_tags) AS post_tags;
-- rows of the same deletion that nothing links to the restored one stay; undo brings all
BEGIN;
DELETE FROM post_tags WHERE post_id IN (5, 6);
DELETE FROM attachment WHERE post_id IN (5, 6);
DELETE FROM post WHERE id IN (5, 6);
COMMIT;
SELECT softdelete.restore('post', 5);
SELECT lives('post') AS post, count(*) FILTER (WHERE post_id = 5) AS of_5, count(*) FILTER (WHERE post_id = 6) AS of_6 FROM attachment;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;
SELECT lives('post') AS post, count(*) FILTER (WHERE post_id = 5) AS of_5, count(*) FILTER (WHERE post_id = 6) AS of_6 FROM attachment;

------------------------------------------------------------------------------
-- M:N: the link comes back with the last of the rows that it needs
------------------------------------------------------------------------------
BEGIN;
DELETE FROM post_tags WHERE post_id = 2 OR tag_id = 1;
DELETE FROM attachment WHERE post_id = 2;
DELETE FROM post WHERE id = 2;
DELETE FROM tag WHERE id = 1;
COMMIT;
SELECT softdelete.restore('post', 2);
SELECT tag_id FROM post_tags WHERE post_id = 2 ORDER BY 1;
SELECT softdelete.restore('tag', 1);
SELECT tag_id FROM post_tags WHERE post_id = 2 ORDER BY 1;
SELECT count(*) FROM post_tags;
-- the tag went by a deletion of its own: so does its link
BEGIN;
DELETE FROM post_tags WHERE tag_id = 3;
DELETE FROM tag WHERE id = 3;
COMMIT;
BEGIN;
DELETE FROM post_tags WHERE post_id = 2;
DELETE FROM attachment WHERE post_id = 2;
DELETE FROM post WHERE id = 2;
COMMIT;
SELECT softdelete.restore('post', 2);
SELECT tag_id FROM post_tags WHERE post_id = 2 ORDER BY 1;
SELECT softdelete.restore('tag', 3);
SELECT tag_id FROM post_tags WHERE post_id = 2 ORDER BY 1;

------------------------------------------------------------------------------
-- As ActiveRecord does it (dependent: :destroy): row by row, each child's own
-- children first, no foreign key or one of each action
------------------------------------------------------------------------------
CREATE TABLE forum (id int PRIMARY KEY);
CREATE TABLE thread (id int PRIMARY KEY, forum_id int REFERENCES forum ON DELETE RESTRICT);
CREATE TABLE reply (id int PRIMARY KEY, thread_id int REFERENCES thread ON DELETE CASCADE,
	answers int REFERENCES reply ON DELETE SET NULL);
CREATE TABLE vote (id int PRIMARY KEY, reply_id int DEFAULT 0 REFERENCES reply ON DELETE SET DEFAULT);
SELECT softdelete.enable(t) FROM unnest('{vote,reply,thread,forum}'::regclass[]) t;
INSERT INTO forum VALUES (1), (2);
INSERT INTO thread VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO reply VALUES (0, NULL, NULL), (1, 1, NULL), (2, 1, 1), (3, 1, 2), (4, 2, 1), (5, 3, NULL);
INSERT INTO vote VALUES (1, 1), (2, 3), (3, 4), (4, 5);
DO $$
DECLARE
	t	int;
	r	int;
BEGIN
	FOR t IN SELECT id FROM thread WHERE forum_id = 1 LOOP
		FOR r IN SELECT id FROM reply WHERE thread_id = t LOOP
			DELETE FROM vote WHERE reply_id = r;
			DELETE FROM reply WHERE id = r;
		END LOOP;
		DELETE FROM thread WHERE id = t;
	END LOOP;
	DELETE FROM forum WHERE id = 1;
END $$;
SELECT rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT lives('forum') AS forum, lives('thread') AS thread, lives('reply') AS reply, lives('vote') AS vote;
SELECT softdelete.restore('forum', 1);
SELECT lives('forum') AS forum, lives('thread') AS thread, lives('reply') AS reply, lives('vote') AS vote;
SELECT id, answers FROM reply WHERE answers IS NOT NULL ORDER BY id;

------------------------------------------------------------------------------
-- A reference that SET NULL let stand comes back as it was, its parent deleted
------------------------------------------------------------------------------
DELETE FROM reply WHERE id = 1;
DELETE FROM reply WHERE id = 4;			-- it answered 1
SELECT softdelete.restore('reply', 4);
SELECT id, answers FROM reply WHERE id = 4;
DELETE FROM reply WHERE id = 4;
BEGIN;
SET LOCAL softdelete.visibility = only_deleted;
UPDATE reply SET answers = 1 WHERE id = 4;
SELECT softdelete.restore('reply', 4);
COMMIT;
SELECT id, answers FROM reply WHERE id = 4;
BEGIN;
DELETE FROM reply WHERE id = 2;
DELETE FROM reply WHERE id = 3;			-- it answered 2
SELECT softdelete.restore('reply', 3);
COMMIT;
SELECT id, answers FROM reply WHERE id = 3;
-- a new reference to a deleted row is refused as ever
INSERT INTO reply VALUES (6, 3, 1);
UPDATE reply SET answers = 2 WHERE id = 5;
BEGIN;
DELETE FROM reply WHERE id = 3;
SELECT softdelete.restore('reply', 3);
INSERT INTO reply VALUES (6, 3, 2);
ROLLBACK;
SELECT softdelete.restore('reply', 1), softdelete.restore('reply', 2);

------------------------------------------------------------------------------
-- Rows that hold only each other come back together
------------------------------------------------------------------------------
CREATE TABLE house (id int PRIMARY KEY);
CREATE TABLE person (id int PRIMARY KEY, house_id int REFERENCES house ON DELETE CASCADE,
	spouse int REFERENCES person ON DELETE RESTRICT, boss int REFERENCES person ON DELETE NO ACTION);
CREATE TABLE pet (id int PRIMARY KEY, owner int REFERENCES person ON DELETE CASCADE, house_id int REFERENCES house);
SELECT softdelete.enable('house', cascade => true), softdelete.enable('pet');
INSERT INTO house VALUES (1), (2), (3);
INSERT INTO person VALUES (1, 1, NULL, NULL), (2, 1, 1, NULL), (3, 1, 3, NULL), (4, 2, NULL, NULL), (5, 1, 4, NULL), (6, 1, NULL, 5),
	(7, 3, NULL, NULL), (8, 3, NULL, 7);
UPDATE person SET spouse = 2 WHERE id = 1;
INSERT INTO pet VALUES (1, 1, 1), (2, 5, 1), (3, 6, NULL), (4, 3, 2), (5, 8, 3);
DELETE FROM house WHERE id = 3;
-- of the spouses only both together; 5 is married to 4, who stays deleted, so 5
-- stays, with who works for 5 and their pets
BEGIN;
DELETE FROM pet WHERE id <= 4;
WITH p AS (DELETE FROM person WHERE id <= 6) DELETE FROM house WHERE id IN (1, 2);
COMMIT;
SELECT rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT softdelete.restore('house', 1);
SELECT lives('house') AS house, lives('person') AS person, lives('pet') AS pet;
SELECT rows, restored FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT softdelete.restore('house', 2);
SELECT lives('house') AS house, lives('person') AS person, lives('pet') AS pet;
SELECT rows, restored FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT softdelete.restore('house', 3);
-- nothing that is live refers to a deleted row
SET softdelete.visibility = with_deleted;
SELECT c.id FROM person c JOIN person p ON p.id IN (c.spouse, c.boss) WHERE c.deleted_at IS NULL AND p.deleted_at IS NOT NULL;
SELECT c.id FROM pet c JOIN person p ON p.id = c.owner WHERE c.deleted_at IS NULL AND p.deleted_at IS NOT NULL;
RESET softdelete.visibility;

------------------------------------------------------------------------------
-- All in one transaction: deleted, restored, deleted again, undone
------------------------------------------------------------------------------
BEGIN;
DELETE FROM attachment WHERE post_id = 3;
DELETE FROM post_tags WHERE post_id = 3;
DELETE FROM post WHERE id = 3;
SELECT softdelete.restore('post', 3);
SELECT count(*) FROM attachment WHERE post_id = 3;
DELETE FROM attachment WHERE post_id = 3;
DELETE FROM post_tags WHERE post_id = 3;
DELETE FROM post WHERE id = 3;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;
SET CONSTRAINTS ALL IMMEDIATE;
COMMIT;
SELECT count(*) FROM attachment WHERE post_id = 3;
-- and with keys that are checked at once, where the children were deleted first
BEGIN;
DELETE FROM vote WHERE reply_id = 5;
DELETE FROM reply WHERE thread_id = 3;
DELETE FROM thread WHERE id = 3;
DELETE FROM forum WHERE id = 2;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;
COMMIT;
SELECT lives('forum') AS forum, lives('thread') AS thread, lives('reply') AS reply, lives('vote') AS vote;

------------------------------------------------------------------------------
-- Tables of different owners, each asked as its owner
------------------------------------------------------------------------------
RESET SESSION AUTHORIZATION;
GRANT CREATE, USAGE ON SCHEMA unit_restore TO sd_user;
GRANT REFERENCES ON forum TO sd_user;
SET SESSION AUTHORIZATION sd_user;
CREATE TABLE room (id int PRIMARY KEY);
CREATE TABLE booking (id int PRIMARY KEY, forum_id int REFERENCES forum, room_id int REFERENCES room);
SELECT softdelete.enable('booking'), softdelete.enable('room');
INSERT INTO room VALUES (1), (2);
INSERT INTO booking VALUES (1, 2, 1), (2, 2, 2), (3, 1, 2);
GRANT DELETE, SELECT ON booking, room TO sd_owner;
SET SESSION AUTHORIZATION sd_owner;
BEGIN;
DELETE FROM booking WHERE id IN (1, 2);
DELETE FROM vote WHERE reply_id = 5;
DELETE FROM reply WHERE thread_id = 3;
DELETE FROM thread WHERE id = 3;
DELETE FROM forum WHERE id = 2;
DELETE FROM room WHERE id = 1;
COMMIT;
REVOKE ALL ON forum FROM sd_user;
SELECT softdelete.restore('forum', 2);
SELECT lives('booking') AS booking, lives('vote') AS vote;
SELECT softdelete.restore('room', 1);
SELECT lives('booking') AS booking;
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP SCHEMA unit_restore CASCADE;
