-- What a restore fires: AFTER INSERT triggers, of rows and statements, so that
-- counters, search indexes and audit trails are right again.  BEFORE INSERT ones
-- do not fire, since the row has to come back as it was.  An UPDATE is an UPDATE,
-- whatever it sets.  A purge fires none.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
GRANT CREATE ON SCHEMA public TO sd_owner;
SET SESSION AUTHORIZATION sd_owner;
\getenv src PG_ABS_SRCDIR
\set ECHO none
\set twins :src '/sql/include/twins.psql'
\i :twins
\set ECHO all
SET search_path = "Managed twin";
-- what the last statement has fired; ids of deletions differ from run to run
CREATE FUNCTION fired(OUT text) RETURNS SETOF text LANGUAGE sql AS
	$$ WITH d AS (DELETE FROM trace RETURNING *) SELECT tbl || ': ' || regexp_replace(what, ', "(deletion_id": \d+|deleted_at": "[^"]*")', '', 'g') FROM d ORDER BY n $$;
CREATE TABLE posts (id int PRIMARY KEY, "Title" text, n int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE comments (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE, UNIQUE (id, post) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO posts SELECT n, 'post ' || n FROM generate_series(1, 9) n;
INSERT INTO comments SELECT n, (n + 1) / 2 FROM generate_series(1, 18) n;
SELECT softdelete.enable('posts', cascade => true);
DO $do$
DECLARE t text; BEGIN
	FOREACH t IN ARRAY '{posts,comments}'::text[] LOOP
		EXECUTE format('CREATE TRIGGER before BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION public.note()', t);
		EXECUTE format('CREATE TRIGGER before_statement BEFORE INSERT OR UPDATE ON %s EXECUTE FUNCTION public.note()', t);
		EXECUTE format('CREATE TRIGGER after AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION public.note()', t);
		EXECUTE format('CREATE TRIGGER after_statement AFTER INSERT ON %s REFERENCING NEW TABLE AS gone EXECUTE FUNCTION public.note_gone()', t);
		EXECUTE format('CREATE CONSTRAINT TRIGGER later AFTER INSERT ON %s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.id %% 2 = 0) EXECUTE FUNCTION public.note()', t);
	END LOOP; END $do$;

\echo # by key, with its cascade
DELETE FROM posts WHERE id = 1;
SELECT softdelete.restore('posts', 1);
SELECT * FROM fired() ORDER BY fired COLLATE "C";
\echo # a deletion, a row of which is back already; the deferred trigger at the commit
BEGIN;
DELETE FROM posts WHERE id IN (2, 3) RETURNING id;
SELECT max(id) AS id FROM softdelete.deletions \gset
SELECT softdelete.restore('posts', 2);
SELECT count(*) FROM fired();
SELECT softdelete.undo(:id);
SELECT * FROM fired() ORDER BY fired COLLATE "C";
\echo at the commit:
COMMIT;
SELECT * FROM fired() ORDER BY fired COLLATE "C";
\echo # nothing was restored
\set VERBOSITY sqlstate
SELECT softdelete.undo(:id);
\set VERBOSITY terse
SELECT * FROM fired() ORDER BY fired COLLATE "C";

\echo # counters that triggers keep come out right
CREATE TABLE counted (comments bigint);
INSERT INTO counted SELECT count(*) FROM comments;
CREATE FUNCTION recount() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE counted SET comments = comments + (SELECT CASE tg_op WHEN 'DELETE' THEN -1 ELSE 1 END * count(*) FROM changed);
	RETURN NULL;
END $$;
CREATE TRIGGER counts_up AFTER INSERT ON comments REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION recount();
CREATE TRIGGER counts_down AFTER DELETE ON comments REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION recount();
SELECT comments, (SELECT count(*) FROM comments) FROM counted;
DELETE FROM posts WHERE id < 6;
DELETE FROM comments WHERE id = 12;
INSERT INTO comments VALUES (30, 6);
SELECT comments, (SELECT count(*) FROM comments) FROM counted;
SELECT softdelete.restore('posts', id) FROM generate_series(1, 5) id;
SELECT softdelete.restore('comments', 12);
SELECT comments, (SELECT count(*) FROM comments) FROM counted;
\echo # also where the statement fails, or a savepoint is rolled back
BEGIN;
DELETE FROM posts WHERE id = 1;
SAVEPOINT s;
SELECT softdelete.restore('posts', 1);
ROLLBACK TO s;
COMMIT;
SELECT comments, (SELECT count(*) FROM comments) FROM counted;
DROP TRIGGER counts_up ON comments;
DROP TRIGGER counts_down ON comments;
DELETE FROM trace;

\echo # an UPDATE that sets or clears the mark fires what an UPDATE fires; its cascade is a delete or a restore
UPDATE posts SET deleted_at = '2020-01-01' WHERE id = 4;
SELECT * FROM fired() ORDER BY fired COLLATE "C";
SET softdelete.visibility = deleted;
UPDATE posts SET deleted_at = NULL WHERE id = 4;
SELECT * FROM fired() ORDER BY fired COLLATE "C";
RESET softdelete.visibility;
INSERT INTO posts VALUES (5, 'again') ON CONFLICT (id) DO UPDATE SET "Title" = excluded."Title" || '!';
SELECT * FROM fired() ORDER BY fired COLLATE "C";

\echo # a purge, by age and by key, fires nothing
CREATE TRIGGER gone BEFORE DELETE ON posts FOR EACH ROW EXECUTE FUNCTION public.note();
CREATE TRIGGER gone_after AFTER DELETE ON comments FOR EACH ROW EXECUTE FUNCTION public.note();
CREATE TRIGGER gone_statement AFTER DELETE ON comments REFERENCING OLD TABLE AS gone EXECUTE FUNCTION public.note_gone();
DELETE FROM posts WHERE id IN (6, 7);
SELECT count(*) FROM fired();
SELECT purged FROM softdelete.purge_expired('comments', older_than => '0');
SELECT softdelete.purge('posts', 6);
SELECT softdelete.purge('posts', 7);
SELECT * FROM fired() ORDER BY fired COLLATE "C";
\echo # a real DELETE fires them, as ever
RESET SESSION AUTHORIZATION;
SET softdelete.hard_delete = on;
DELETE FROM posts WHERE id = 8;
RESET softdelete.hard_delete;
SET SESSION AUTHORIZATION sd_owner;
SELECT * FROM fired() ORDER BY fired COLLATE "C";

\echo # mode both: UPDATE triggers, too
SELECT softdelete.enable('posts', triggers => 'both');
SELECT triggers FROM softdelete.tables WHERE target = 'posts'::regclass;
DELETE FROM posts WHERE id = 9;
SELECT * FROM fired() WHERE fired LIKE 'posts%';
SELECT softdelete.restore('posts', 9);
SELECT * FROM fired() WHERE fired LIKE 'posts%';
DELETE FROM posts WHERE id = 5;
SELECT count(*) > 0 FROM fired();
SELECT purged FROM softdelete.purge_expired('comments', older_than => '0');
SELECT softdelete.purge('posts', 5);
SELECT * FROM fired() ORDER BY fired COLLATE "C";
\echo # mode update: UPDATE triggers only, and the DELETE ones at the purge
SELECT softdelete.enable('posts', triggers => 'update');
DELETE FROM posts WHERE id = 9;
SELECT * FROM fired() WHERE fired LIKE 'posts%';
SELECT softdelete.restore('posts', 9);
SELECT * FROM fired() WHERE fired LIKE 'posts%';
DELETE FROM posts WHERE id = 9;
SELECT count(*) > 0 FROM fired();
SELECT purged FROM softdelete.purge_expired('comments', older_than => '0');
SELECT softdelete.purge('posts', 9);
SELECT * FROM fired() ORDER BY fired COLLATE "C";

\echo # rows that marking moves to another partition
CREATE TABLE moved (id int, is_deleted boolean NOT NULL DEFAULT false, note text) PARTITION BY LIST (is_deleted);
CREATE TABLE moved_live PARTITION OF moved FOR VALUES IN (false);
CREATE TABLE moved_deleted PARTITION OF moved FOR VALUES IN (true);
SELECT softdelete.enable('moved', 'is_deleted');
INSERT INTO moved SELECT n, false, 'row ' || n FROM generate_series(1, 6) n;
CREATE TRIGGER a_before BEFORE INSERT OR UPDATE OR DELETE ON moved FOR EACH ROW EXECUTE FUNCTION public.note();
CREATE TRIGGER b_after AFTER INSERT OR UPDATE OR DELETE ON moved FOR EACH ROW EXECUTE FUNCTION public.note();
CREATE TRIGGER c_statement BEFORE INSERT OR UPDATE OR DELETE ON moved EXECUTE FUNCTION public.note();
CREATE TRIGGER d_statement AFTER DELETE ON moved REFERENCING OLD TABLE AS gone EXECUTE FUNCTION public.note_gone();
CREATE TRIGGER e_statement AFTER INSERT ON moved REFERENCING NEW TABLE AS gone EXECUTE FUNCTION public.note_gone();
DELETE FROM moved WHERE id IN (1, 2);
SELECT * FROM fired();
WITH d AS (SELECT max(id) AS id FROM softdelete.deletions WHERE target = 'moved'::regclass) SELECT softdelete.undo(id) FROM d;
SELECT * FROM fired();
CREATE TRIGGER keep BEFORE DELETE ON moved FOR EACH ROW EXECUTE FUNCTION public.note('keep odd');
DELETE FROM moved WHERE id IN (3, 4);
SELECT * FROM fired();
SELECT id FROM moved ORDER BY id;

SET SESSION AUTHORIZATION DEFAULT;
SET client_min_messages = error;
DROP SCHEMA "native twin", "Managed twin" CASCADE;
DROP FUNCTION public.run, public.run_one, public.note, public.note_gone;
DROP PROCEDURE public.both;
REVOKE CREATE ON SCHEMA public FROM sd_owner;
