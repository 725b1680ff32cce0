-- The log holds one row for what a transaction deleted, here a statement as a
-- rule: what, how many, by whom, why, when and in which transaction; and what
-- became of them.  What was rolled back leaves no row.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA log;
SET search_path = log;
SET TimeZone = 'UTC';
CREATE TABLE posts (id int PRIMARY KEY, title text);
CREATE TABLE comments (id int PRIMARY KEY, post_id int REFERENCES posts ON DELETE CASCADE);
CREATE TABLE "Other Table" (id int PRIMARY KEY);
INSERT INTO posts SELECT n, 'post ' || n FROM generate_series(1, 20) n;
INSERT INTO comments SELECT n, (n + 1) / 2 FROM generate_series(1, 20) n;
INSERT INTO "Other Table" SELECT generate_series(1, 9);
SELECT softdelete.enable('posts', cascade => true);
SELECT softdelete.enable('"Other Table"');

-- added(): the log rows since it was called last, oldest first
CREATE TABLE seen (id bigint);
INSERT INTO seen SELECT coalesce(max(id), 0) FROM softdelete.deletions;
CREATE FUNCTION added() RETURNS TABLE (n bigint, target regclass, rows jsonb, total bigint)
LANGUAGE plpgsql AS $$
DECLARE
	last	bigint := (SELECT seen.id FROM seen);
BEGIN
	RETURN QUERY SELECT row_number() OVER (ORDER BY d.id), d.target, d.rows, d.total
				   FROM softdelete.deletions d WHERE d.id > last ORDER BY d.id;
	UPDATE seen SET id = greatest(last, (SELECT max(d.id) FROM softdelete.deletions d));
END $$;

------------------------------------------------------------------------------
-- One row for a statement, however many rows it took; none where it took none
------------------------------------------------------------------------------
DELETE FROM posts WHERE id = 1;
DELETE FROM posts WHERE id BETWEEN 2 AND 4;
DELETE FROM "Other Table" WHERE id <= 2;
DELETE FROM posts WHERE id = 99;
DELETE FROM posts WHERE id = 1;
SELECT * FROM added();
-- several tables, in one WITH query or another
WITH p AS (DELETE FROM posts WHERE id = 5 RETURNING id)
DELETE FROM "Other Table" o USING p WHERE o.id = p.id - 2;
SELECT n, rows, total FROM added();
WITH p AS (DELETE FROM posts WHERE id = 6 RETURNING id), o AS (DELETE FROM "Other Table" WHERE id = 4 RETURNING id)
SELECT p.id AS post, o.id AS other FROM p, o;
WITH p AS (DELETE FROM posts WHERE id = 7) INSERT INTO posts VALUES (21, 'new');
WITH p AS (DELETE FROM posts WHERE id = 8) UPDATE posts SET title = 'changed' WHERE id = 21;
SELECT n, rows, total FROM added();
-- the same row by two ways
WITH c AS (DELETE FROM comments WHERE post_id = 9) DELETE FROM posts WHERE id = 9;
SELECT n, rows, total FROM added();
-- MERGE
MERGE INTO posts p USING (VALUES (10, true), (21, false), (22, false)) AS v(id, gone) ON p.id = v.id
	WHEN MATCHED AND v.gone THEN DELETE
	WHEN MATCHED THEN UPDATE SET title = 'merged'
	WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'merged');
SELECT * FROM added();
SELECT id, title FROM posts WHERE id IN (10, 21, 22) ORDER BY id;
-- an UPDATE that sets the mark
UPDATE posts SET deleted_at = '2020-02-02 02:02+00' WHERE id IN (11, 12);
SELECT * FROM added();
-- by a function that deletes twice: two statements, one deletion
CREATE FUNCTION twice() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM posts WHERE id = 13;
	DELETE FROM posts WHERE id = 14;
END $$;
SELECT twice();
SELECT * FROM added();

------------------------------------------------------------------------------
-- What a user's trigger deletes is of the same transaction, so of the same deletion
------------------------------------------------------------------------------
CREATE FUNCTION delete_other() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM "Other Table" WHERE id = old.id - 10;
	RETURN old;
END $$;
CREATE TRIGGER before_posts BEFORE DELETE ON posts FOR EACH ROW EXECUTE FUNCTION delete_other();
DELETE FROM posts WHERE id = 15;
SELECT * FROM added();
DROP TRIGGER before_posts ON posts;
CREATE TRIGGER after_posts AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION delete_other();
DELETE FROM posts WHERE id = 16;
SELECT * FROM added() ORDER BY total;
-- restoring the row brings back what its foreign keys lead to, nothing else
SELECT softdelete.restore('posts', 16);
SELECT count(*) FROM "Other Table" WHERE id IN (5, 6);
DROP TRIGGER after_posts ON posts;
-- a trigger on a child that deletes elsewhere, at the cascade
CREATE TRIGGER after_comments AFTER DELETE ON comments FOR EACH ROW EXECUTE FUNCTION delete_other();
INSERT INTO posts VALUES (50, 'fifty');
INSERT INTO comments VALUES (27, 50), (28, 50);
INSERT INTO "Other Table" VALUES (17), (18);
DELETE FROM posts WHERE id = 50;
SELECT target, rows, total FROM added() ORDER BY total DESC;
SELECT id FROM "Other Table" ORDER BY id;
DROP TRIGGER after_comments ON comments;

------------------------------------------------------------------------------
-- What was rolled back has not happened
------------------------------------------------------------------------------
BEGIN;
DELETE FROM posts WHERE id = 17;
ROLLBACK;
BEGIN;
DELETE FROM posts WHERE id = 17;
SAVEPOINT s;
DELETE FROM posts WHERE id = 18;
ROLLBACK TO s;
DELETE FROM posts WHERE id = 19;
COMMIT;
DO $$
BEGIN
	DELETE FROM posts WHERE id = 18;
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
	NULL;
END $$;
DELETE FROM posts WHERE id = 20 AND 1 / (id - 20) > 0;
SELECT * FROM added();
SELECT id FROM posts WHERE id IN (17, 18, 19, 20) ORDER BY id;

------------------------------------------------------------------------------
-- Who, why, when, where
------------------------------------------------------------------------------
CREATE VIEW who AS
	SELECT deleted_by, session_role, actor, reason, application_name, rows
	  FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SET application_name = 'log test';
SET softdelete.actor = 'user 42';
SET softdelete.reason = 'it''s "spam"; 100 %';
BEGIN;
DELETE FROM posts WHERE id = 18;
SELECT deleted_at = now() AS this_transaction, txid = txid_current() AS this_txid FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
COMMIT;
TABLE who;
-- the deletion id and the time stand in the rows as well
SET softdelete.visibility = deleted;
SELECT p.deleted_at = d.deleted_at AS same_time, d.actor FROM posts p JOIN softdelete.deletions d ON d.id = p.deletion_id WHERE p.id = 18;
RESET softdelete.visibility;
-- for a transaction; unset and empty are both nobody
BEGIN;
SET LOCAL softdelete.actor = 'for once';
SET LOCAL softdelete.reason = '';
DELETE FROM posts WHERE id = 20;
COMMIT;
TABLE who;
RESET softdelete.actor;
RESET softdelete.reason;
RESET application_name;
-- another role, and one that acts through SET ROLE or SECURITY DEFINER
GRANT USAGE ON SCHEMA log TO sd_user;
GRANT SELECT, DELETE ON posts TO sd_user;
GRANT SELECT ON who TO sd_user;
CREATE FUNCTION delete_for_all(n int) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = log AS
	'DELETE FROM posts WHERE id = n';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SET search_path = log;
SELECT delete_for_all(21);
RESET SESSION AUTHORIZATION;
SELECT deleted_by, session_role, rows FROM log.who;
SET ROLE sd_user;
DELETE FROM log.posts WHERE id = 22;
RESET ROLE;
SELECT deleted_by, session_role = session_user AS session_user, rows FROM log.who;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = log;

------------------------------------------------------------------------------
-- Later: restored and purged, how many, when and by whom
------------------------------------------------------------------------------
CREATE VIEW fate AS
	SELECT rows, restored, restored_by, restored_at IS NOT NULL AS "at", purged, purged_by, purged_at IS NOT NULL AS "when"
	  FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
INSERT INTO posts SELECT n, 'more' FROM generate_series(31, 34) n;
INSERT INTO comments SELECT n, n - 70 FROM generate_series(101, 104) n;
DELETE FROM posts WHERE id BETWEEN 31 AND 33;
TABLE fate;
SELECT softdelete.restore('posts', 31);
TABLE fate;
SELECT softdelete.purge('posts', 32);
TABLE fate;
BEGIN;
SELECT softdelete.restore('posts', 33);
ROLLBACK;
TABLE fate;
SELECT softdelete.restore('posts', 33);
TABLE fate;

------------------------------------------------------------------------------
-- Who sees the log, and who writes it: nobody
------------------------------------------------------------------------------
SELECT count(*) > 0 AS some FROM softdelete.deletions WHERE target = 'log."Other Table"'::regclass;
\set VERBOSITY sqlstate
UPDATE softdelete.deletions SET actor = 'somebody else';
DELETE FROM softdelete.deletions;
SELECT count(*) FROM softdelete.deletion_log;
DELETE FROM softdelete.deletion_log;
INSERT INTO softdelete.deletion_log (id) VALUES (1);
SELECT nextval('softdelete.deletion_log_id_seq');
\set VERBOSITY default
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SET search_path = log;
-- those of tables that one may read
SELECT DISTINCT target FROM softdelete.deletions WHERE target IN ('posts'::regclass, '"Other Table"'::regclass);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = log;

------------------------------------------------------------------------------
-- delete() for services: the id, or why not
------------------------------------------------------------------------------
SELECT softdelete.delete('posts', 31) AS id \gset
SELECT :id = max(id) AS latest FROM softdelete.deletions;
TABLE fate;
\set VERBOSITY sqlstate
SELECT softdelete.delete('posts', 31);
SELECT softdelete.delete('posts', 99);
SELECT softdelete.delete('posts', NULL);
SELECT softdelete.delete('seen', 1);
\set VERBOSITY default
SELECT softdelete.delete('posts', 99);
SELECT softdelete.undo(:id);
-- many at once, an id for each
SELECT count(DISTINCT softdelete.delete('posts', n)) FROM generate_series(33, 34) n;
SELECT * FROM (SELECT target, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 2) d;

------------------------------------------------------------------------------
-- trash(): the deleted rows, with key, reason and the days that are left
------------------------------------------------------------------------------
CREATE TABLE "Bin" ("Shop" int, id text, v jsonb, PRIMARY KEY (id, "Shop"));
INSERT INTO "Bin" VALUES (1, 'a', '{"x": 1}'), (1, 'b', NULL), (2, 'a', '[]'), (3, 'a', NULL);
SELECT softdelete.enable('"Bin"', retention => '10 days');
SELECT * FROM softdelete.trash('"Bin"');
SET softdelete.actor = 'ann';
SET softdelete.reason = 'tidy';
DELETE FROM "Bin" WHERE "Shop" = 1;
RESET softdelete.actor;
RESET softdelete.reason;
DELETE FROM "Bin" WHERE "Shop" = 2;
SELECT target, key, deleted_by, actor, reason, days_left, expires_at = deleted_at + '10 days' AS expires,
	   row_data - 'deleted_at' - 'deletion_id' AS row_data
  FROM softdelete.trash('"Bin"') ORDER BY key::text;
-- days left are rounded up, and never below zero
SET softdelete.visibility = deleted;
UPDATE "Bin" SET deleted_at = now() - CASE id WHEN 'b' THEN interval '9 days 1 hour' ELSE interval '100 days' END WHERE "Shop" = 1;
RESET softdelete.visibility;
SELECT key, days_left, expires_at < now() AS over FROM softdelete.trash('"Bin"') ORDER BY key::text;
-- kept for ever
SELECT softdelete.set_retention('"Bin"', NULL);
SELECT key, expires_at FROM softdelete.trash('"Bin"') ORDER BY key::text;
-- of all tables that one may read
SELECT target, count(*) FROM softdelete.trash() WHERE target::text IN ('posts', 'comments', '"Bin"', '"Other Table"') GROUP BY target ORDER BY target::text;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SET search_path = log;
SELECT target, count(*) FROM softdelete.trash() WHERE target::text IN ('posts', 'comments', '"Bin"', '"Other Table"') GROUP BY target ORDER BY target::text;
SELECT * FROM softdelete.trash('"Bin"');
SELECT * FROM softdelete.trash('seen');
