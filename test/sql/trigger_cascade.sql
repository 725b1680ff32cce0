-- Users' DELETE triggers of tables that a cascade reaches, and of partitions,
-- compared with a native twin (include/twins.psql).  One
-- difference is right: a cascade is set-based, so a child's statement triggers
-- fire once for all parents, also where PostgreSQL would fire them again.
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
CALL public.both($$
	CREATE TABLE authors (id int PRIMARY KEY);
	CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES authors ON DELETE CASCADE);
	CREATE TABLE comments (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE);
	INSERT INTO authors SELECT generate_series(1, 9);
	INSERT INTO posts SELECT n, (n + 1) / 2 FROM generate_series(1, 18) n;
	INSERT INTO comments SELECT n, (n + 2) / 3 FROM generate_series(1, 54) n$$);
SELECT softdelete.enable('"Managed twin".authors', cascade => true);
CALL public.both($$DO $do$
DECLARE t text; BEGIN
	FOREACH t IN ARRAY '{authors,posts,comments}'::text[] LOOP
		EXECUTE format('CREATE TRIGGER a BEFORE DELETE ON %s FOR EACH ROW EXECUTE FUNCTION public.note()', t);
		EXECUTE format('CREATE TRIGGER b AFTER DELETE ON %s FOR EACH ROW EXECUTE FUNCTION public.note()', t);
		EXECUTE format('CREATE TRIGGER c BEFORE DELETE ON %s EXECUTE FUNCTION public.note()', t);
		EXECUTE format('CREATE TRIGGER d AFTER DELETE ON %s REFERENCING OLD TABLE AS gone EXECUTE FUNCTION public.note_gone()', t);
		EXECUTE format('CREATE TRIGGER u AFTER UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION public.note()', t);
	END LOOP; END $do$ $$);
\echo # down a tree
SELECT * FROM public.run('DELETE FROM authors WHERE id IN (2, 3)', true);
\echo # in one statement with its children (statement triggers would fire once more, for a level that finds no row)
CALL public.both('DROP TRIGGER c ON posts; DROP TRIGGER d ON posts; DROP TRIGGER c ON comments; DROP TRIGGER d ON comments');
SELECT * FROM public.run('WITH c AS (DELETE FROM comments WHERE post IN (7, 8)), p AS (DELETE FROM posts WHERE author = 4) DELETE FROM authors WHERE id = 4', true);
\echo # a parent whose DELETE a trigger refuses takes nothing along
CALL public.both($$CREATE TRIGGER keep BEFORE DELETE ON authors FOR EACH ROW EXECUTE FUNCTION public.note('keep odd')$$);
SELECT * FROM public.run('DELETE FROM authors WHERE id IN (5, 6)', true);
\echo # a table that refers to itself: once a level
CALL public.both($$
	CREATE TABLE nodes (id int PRIMARY KEY, up int REFERENCES nodes ON DELETE CASCADE);
	INSERT INTO nodes VALUES (1, NULL), (2, 1), (3, 1), (4, 2), (5, 3), (6, 6)$$);
SELECT softdelete.enable('"Managed twin".nodes');
CALL public.both($$
	CREATE TRIGGER a BEFORE DELETE ON nodes FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER b AFTER DELETE ON nodes FOR EACH ROW EXECUTE FUNCTION public.note()$$);
SELECT * FROM public.run('DELETE FROM nodes WHERE id = 1');
CALL public.both($$CREATE TRIGGER d AFTER DELETE ON nodes REFERENCING OLD TABLE AS gone EXECUTE FUNCTION public.note_gone()$$);
SELECT * FROM public.run('DELETE FROM nodes WHERE id = 6');

\echo # partitions: triggers of the root, of a partition, transition tables across partitions of other shapes
CALL public.both($$
	CREATE TABLE events (id int, at int, what text) PARTITION BY RANGE (at);
	CREATE TABLE events_1 (what text, dropped int, at int NOT NULL, id int);
	ALTER TABLE events_1 DROP COLUMN dropped;
	ALTER TABLE events ATTACH PARTITION events_1 FOR VALUES FROM (1) TO (10);
	CREATE TABLE "Events 2" PARTITION OF events FOR VALUES FROM (10) TO (20);
	INSERT INTO events SELECT n, n, 'event ' || n FROM generate_series(1, 19) n;
	CREATE TRIGGER a BEFORE DELETE ON events FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER b AFTER DELETE ON events FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER c BEFORE DELETE ON events EXECUTE FUNCTION public.note();
	CREATE TRIGGER d AFTER DELETE ON events REFERENCING OLD TABLE AS gone EXECUTE FUNCTION public.note_gone();
	CREATE TRIGGER e AFTER DELETE ON events_1 FOR EACH ROW WHEN (old.what LIKE '%7') EXECUTE FUNCTION public.note();
	CREATE TRIGGER f AFTER DELETE ON events_1 EXECUTE FUNCTION public.note();
	CREATE CONSTRAINT TRIGGER g AFTER DELETE ON events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER i AFTER INSERT OR UPDATE ON events FOR EACH ROW EXECUTE FUNCTION public.note()$$);
SELECT softdelete.enable('"Managed twin".events');
SELECT * FROM public.run('SET CONSTRAINTS ALL DEFERRED;DELETE FROM events WHERE id IN (7, 17);SET CONSTRAINTS ALL IMMEDIATE', true);
SELECT * FROM public.run('DELETE FROM events_1 WHERE id IN (1, 2)', true);
SELECT * FROM public.run('MERGE INTO events e USING (VALUES (3), (13)) v(id) ON e.id = v.id WHEN MATCHED THEN DELETE', true);
\echo # nothing but a transition table
CALL public.both('DROP TRIGGER a ON events; DROP TRIGGER b ON events; DROP TRIGGER e ON events_1; DROP TRIGGER g ON events; DROP TRIGGER i ON events');
SELECT * FROM public.run('DELETE FROM events WHERE id IN (4, 5, 6, 14, 15)', true);

\echo # a child that a trigger keeps: PostgreSQL leaves an orphan, softdelete none
CALL public.both($$CREATE TRIGGER keep BEFORE DELETE ON posts FOR EACH ROW EXECUTE FUNCTION public.note('keep odd'); DROP TRIGGER keep ON authors$$);
SELECT * FROM public.run('DELETE FROM authors WHERE id = 8', true);

SET SESSION AUTHORIZATION DEFAULT;
SET client_min_messages = error;
DROP SCHEMA "native twin", "Managed twin" CASCADE;
DROP FUNCTION public.run, public.run_one, public.note, public.note_gone;
DROP PROCEDURE public.both;
REVOKE CREATE ON SCHEMA public FROM sd_owner;
