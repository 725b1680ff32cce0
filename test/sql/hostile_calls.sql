-- what an ordinary role cannot do: call the engine's own functions, erase a row
-- of a managed table, or change the log
SET SESSION AUTHORIZATION DEFAULT;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP ROLE IF EXISTS sd_member, sd_heir, sd_reader, sd_writer;
RESET client_min_messages;

-- every function of the extension: nobody runs with the rights of somebody else
-- by calling one, and those that take names apart pin the search_path.  (A new
-- function shows up here; the tests below then have to say who may call it.)
\pset format unaligned
\pset footer off
SELECT p.proname AS function, oidvectortypes(p.proargtypes) AS arguments,
       l.lanname AS language, p.prosecdef AS definer,
       has_function_privilege('public', p.oid, 'EXECUTE') AS public,
       (SELECT string_agg(c, '; ') FROM unnest(p.proconfig) c) AS settings
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE p.pronamespace = 'softdelete'::regnamespace
 ORDER BY 1, 2;
-- the same for relations and types; everybody reads the views, nobody the tables,
-- but for policies of own tables, which row security sees to
SELECT c.relname, c.relkind, c.reloptions,
       (SELECT string_agg(a.privilege_type, ', ') FROM aclexplode(c.relacl) a WHERE a.grantee = 0) AS public
  FROM pg_class c WHERE c.relnamespace = 'softdelete'::regnamespace AND c.relkind <> 'i' ORDER BY 1;
\pset format aligned
\pset footer on
SELECT t.typname FROM pg_type t WHERE t.typnamespace = 'softdelete'::regnamespace AND t.typtype = 'b' AND t.typelem = 0;
SELECT a.privilege_type AS on_schema FROM pg_namespace n, aclexplode(n.nspacl) a
 WHERE n.nspname = 'softdelete' AND a.grantee = 0;

CREATE ROLE sd_member;
CREATE ROLE sd_heir NOINHERIT;
CREATE ROLE sd_reader;
CREATE ROLE sd_writer;
GRANT sd_owner TO sd_member, sd_heir;
GRANT pg_read_all_data TO sd_reader;
GRANT pg_write_all_data TO sd_writer;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA security;
GRANT USAGE, CREATE ON SCHEMA security TO PUBLIC;
SET search_path = security;
CREATE TABLE posts (id int PRIMARY KEY, title text, secret text);
CREATE TABLE notes (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE);
SELECT softdelete.enable('posts', cascade => true);
CREATE VIEW alive AS SELECT 'posts' AS rows, string_agg(id::text, ' ' ORDER BY id) AS ids FROM security.posts
 UNION ALL SELECT 'notes', string_agg(id::text, ' ' ORDER BY id) FROM security.notes;
GRANT SELECT ON alive TO PUBLIC;
-- every row that is there, deleted or not; a function that is the owner's
CREATE FUNCTION there() RETURNS TABLE (posts bigint, notes bigint)
    LANGUAGE sql SECURITY DEFINER SET search_path = security SET softdelete.visibility = 'all' AS
    'SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM notes)';
INSERT INTO posts SELECT g, 'post ' || g, 'secret' FROM generate_series(1, 20) g;
INSERT INTO notes SELECT g, g FROM generate_series(1, 20) g;

------------------------------------------------------------------------------
-- functions of the engine, called by hand
------------------------------------------------------------------------------

-- no value of type engine can be made in SQL, and NULL is refused
SET SESSION AUTHORIZATION sd_user;
SET search_path = security;
SELECT '1'::softdelete.engine;
SELECT softdelete.stamp(NULL);
\set VERBOSITY sqlstate
SELECT softdelete.engine_in('1');
SELECT softdelete.engine_out(1);
SELECT 1::softdelete.engine;
SELECT '{1}'::softdelete.engine[];
CREATE CAST (int AS softdelete.engine) WITHOUT FUNCTION;
CREATE CAST (int AS softdelete.engine) WITH INOUT;
CREATE FUNCTION engine() RETURNS softdelete.engine LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION engine() RETURNS softdelete.engine LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
SELECT softdelete.stamp(engine());
DROP FUNCTION engine();
CREATE TABLE engines (e softdelete.engine);
INSERT INTO engines VALUES ('1');
INSERT INTO engines VALUES (NULL);
SELECT softdelete.stamp(e) FROM engines;
DROP TABLE engines;
SELECT softdelete.stamp(NULL::softdelete.engine, '(0,1)', 'posts'::regclass);
SELECT softdelete.deleted_parent_ok(NULL, 'posts'::regclass, '1', '(0,1)', 'posts'::regclass, 1);
SELECT softdelete.raise_deleted_row(NULL, 'posts'::regclass, '1', 1);
UPDATE posts SET deletion_id = softdelete.stamp(NULL);
-- the engine marks its own statements with a parameter of type internal
PREPARE forged(internal) AS DELETE FROM posts WHERE $1 IS NULL;
EXECUTE forged(1);
\set VERBOSITY default

-- trigger functions: not by hand, and on a table of one's own only as enable()
-- puts them there; what does not fit makes no table managed
\set VERBOSITY sqlstate
SELECT softdelete.mark(), softdelete.guard();
SELECT softdelete.stamp_trigger();
SELECT softdelete.refuse_truncate();
\set VERBOSITY default
CREATE TABLE mine (id int PRIMARY KEY, t timestamptz, n bigint, s text, s2 text, b boolean);
INSERT INTO mine VALUES (1), (2);
DO $$
DECLARE
    definition text;
BEGIN
    FOREACH definition IN ARRAY ARRAY[
        'AFTER UPDATE OF t, n ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark()',
        'AFTER UPDATE OF b, n, t ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''boolean'')',
        'AFTER UPDATE OF t, n ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''timestamp'', '''', '''')',
        'AFTER UPDATE OF t, n ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''Timestamp'', '''')',
        'AFTER UPDATE OF t, n ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''%s%n'', '''')',
        'AFTER UPDATE OF n, t ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''timestamp'', '''')',
        'AFTER UPDATE OF t, n, s ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''timestamp'', '''')',
        'AFTER UPDATE OF id, n ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''timestamp'', '''')',
        'AFTER UPDATE OF b, n ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''boolean'', ''true'')',
        'AFTER UPDATE OF id, n, t ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''boolean'', ''true'')',
        'AFTER UPDATE OF s, n, t, id ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''status'', ''x'')',
        'AFTER UPDATE OF id, n, t, s ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''status'', ''x'')',
        'AFTER UPDATE ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''timestamp'', '''')',
        'BEFORE UPDATE OF t, n ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark(''timestamp'', '''')',
        'AFTER UPDATE OF t, n ON mine FOR EACH STATEMENT EXECUTE FUNCTION softdelete.mark(''timestamp'', '''')',
        'BEFORE UPDATE ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.stamp_trigger()',
        'BEFORE UPDATE ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.guard()',
        'AFTER UPDATE ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.guard()',
        'BEFORE UPDATE ON mine FOR EACH STATEMENT EXECUTE FUNCTION softdelete.stamp_trigger()']
    LOOP
        BEGIN
            EXECUTE 'CREATE TRIGGER x ' || definition;
            IF EXISTS (SELECT FROM softdelete.tables WHERE target = 'mine'::regclass) THEN
                RAISE NOTICE 'managed: %', definition;
            END IF;
            UPDATE mine SET t = now(), n = 7, s = 'x', b = true, id = id + 10;
            RAISE NOTICE 'passed: %', definition;
        EXCEPTION WHEN SQLSTATE '39P01' THEN NULL;
        END;
    END LOOP;
END $$;
SELECT * FROM mine ORDER BY id;
CREATE TRIGGER g BEFORE DELETE ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.guard();
\set VERBOSITY sqlstate
DELETE FROM mine;
\set VERBOSITY default
DROP TABLE mine;

-- the rest of the internal functions do what their caller could do anyway, or
-- ask for the table's owner
\set VERBOSITY sqlstate
SELECT softdelete.enable_table('posts', 'deleted_at', NULL, '1 day', true, 'delete', 'keep', true, false);
SELECT softdelete.create_cleanup_index('notes');
SELECT softdelete.add_companion('posts', 'evil', 'int DEFAULT 1', '{}', 'x');
SELECT softdelete.adopt('posts', 100);
SELECT softdelete.forget('posts');
SELECT softdelete.purge_table('posts', '0', 10);
SELECT softdelete.purge_cycle('{posts,notes}', '{0,0}', 10);
SELECT softdelete.check_table('posts');
SELECT softdelete.check_columns('posts', '{id}');
SELECT softdelete.trash('posts');
SELECT softdelete.purge_tables('posts', 10, false, '0');
\set VERBOSITY default
SELECT softdelete.predicate('posts', 'title', 'status', 'it''s', true, 'a');
SELECT softdelete.index_name('posts', 'x');
SELECT softdelete.warn_of_orphans('{posts,notes}');
SELECT marker, kind FROM softdelete.describe('posts');
SELECT kind FROM softdelete.advice_unique('posts');
SELECT softdelete.reset_sequence('posts');
SELECT * FROM softdelete.advice_queue_index('posts');
SELECT * FROM softdelete.sequences_behind('posts');

------------------------------------------------------------------------------
-- every way to a DELETE or TRUNCATE: nothing is erased
------------------------------------------------------------------------------

SET SESSION AUTHORIZATION sd_owner;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES ON posts, notes TO sd_user;
CREATE VIEW post_view AS SELECT * FROM posts;
CREATE VIEW invoker_view WITH (security_invoker) AS SELECT id, title FROM posts;
CREATE VIEW barrier_view WITH (security_barrier) AS SELECT id, title FROM posts WHERE id > 8;
CREATE VIEW check_view AS SELECT id, title FROM posts WHERE title LIKE 'post%' WITH CHECK OPTION;
GRANT SELECT, DELETE ON post_view, invoker_view, barrier_view, check_view TO sd_user;
CREATE FUNCTION definer(int) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = security AS
    'DELETE FROM posts WHERE id = $1';
SET SESSION AUTHORIZATION sd_user;
SET search_path = security;
\set QUIET off
DELETE FROM posts WHERE id = 1;
DELETE FROM ONLY posts USING notes WHERE notes.post = posts.id AND posts.id = 2;
WITH gone AS (DELETE FROM posts WHERE id = 3 RETURNING id) SELECT * FROM gone;
MERGE INTO posts USING (VALUES (4)) v (id) ON posts.id = v.id WHEN MATCHED THEN DELETE;
DELETE FROM post_view WHERE id = 5;
DELETE FROM invoker_view WHERE id = 6;
DELETE FROM barrier_view WHERE id IN (7, 9);
DELETE FROM check_view WHERE id = 8;
COPY (DELETE FROM posts WHERE id = 10 RETURNING id) TO STDOUT;
DO 'BEGIN EXECUTE ''EXPLAIN ANALYZE DELETE FROM posts WHERE id = 11''; END';
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM posts WHERE id = 12 FOR UPDATE;
FETCH c;
DELETE FROM posts WHERE CURRENT OF c;
COMMIT;
\set QUIET on
CREATE FUNCTION pg_temp.in_sql(int) RETURNS void LANGUAGE sql AS 'DELETE FROM security.posts WHERE id = $1';
SELECT pg_temp.in_sql(13);
SELECT definer(14);
DO 'BEGIN DELETE FROM posts WHERE id = 15; EXECUTE ''DELETE FROM posts WHERE id = 16''; END';
PREPARE del AS DELETE FROM posts WHERE id = $1;
EXECUTE del(17);
SET plan_cache_mode = force_generic_plan;
EXECUTE del(7);
RESET plan_cache_mode;
CREATE TABLE button (id int);
CREATE RULE press AS ON INSERT TO button DO INSTEAD DELETE FROM posts WHERE id = NEW.id;
INSERT INTO button VALUES (18);
DROP TABLE button;
UPDATE posts SET deleted_at = now() WHERE id = 19;
INSERT INTO posts VALUES (20, 'x') ON CONFLICT (id) DO UPDATE SET deleted_at = now();
SELECT * FROM alive;
SELECT * FROM there();
\set VERBOSITY sqlstate
TRUNCATE posts CASCADE;
TRUNCATE posts, notes;
TRUNCATE notes;
TRUNCATE ONLY notes RESTART IDENTITY;
\set VERBOSITY default
-- not through a table of one's own to which the managed one does not belong
CREATE TABLE inheriting () INHERITS (posts);
ALTER TABLE posts INHERIT alive;
ALTER TABLE posts DISABLE TRIGGER ALL;
DROP TRIGGER "~softdelete_guard" ON posts;
ALTER TRIGGER "~softdelete_mark" ON posts RENAME TO x;
\set VERBOSITY sqlstate
SET session_replication_role = replica;
LOAD 'softdelete';
\set VERBOSITY default
SELECT * FROM there();
SELECT sum(softdelete.restore('posts', g)) FROM generate_series(1, 20) g;
SELECT * FROM alive;

------------------------------------------------------------------------------
-- softdelete.hard_delete: not by any of the ways in which a setting is made
------------------------------------------------------------------------------

\set VERBOSITY sqlstate
SET softdelete.hard_delete = on;
SET LOCAL softdelete.hard_delete = on;
SET SESSION softdelete.hard_delete TO DEFAULT;
SELECT set_config('softdelete.hard_delete', 'on', false);
SELECT set_config('SoftDelete.Hard_Delete', 'on', false);
UPDATE pg_settings SET setting = 'on' WHERE name = 'softdelete.hard_delete';
CREATE FUNCTION erase() RETURNS void LANGUAGE sql SET softdelete.hard_delete = on AS 'DELETE FROM security.posts';
CREATE FUNCTION erase() RETURNS void LANGUAGE sql AS 'DELETE FROM security.posts';
ALTER FUNCTION erase() SET softdelete.hard_delete = on;
ALTER ROLE sd_user SET softdelete.hard_delete = on;
ALTER ROLE CURRENT_USER SET softdelete.hard_delete = on;
ALTER SYSTEM SET softdelete.hard_delete = on;
GRANT SET ON PARAMETER softdelete.hard_delete TO sd_user;
DO 'BEGIN PERFORM set_config(''softdelete.hard_delete'', ''on'', true); DELETE FROM posts; END';
-- the prefix is taken: nobody plants a setting for a library that is to come
SET softdelete.hard_delete_too = on;
\set VERBOSITY default
SHOW softdelete.hard_delete;
DROP FUNCTION erase();
SELECT * FROM there();

-- a superuser can hand the means over in a function, for what it says and no more
SET SESSION AUTHORIZATION DEFAULT;
CREATE FUNCTION security.erase(int) RETURNS void LANGUAGE sql SECURITY DEFINER
    SET search_path = security SET softdelete.hard_delete = on AS 'DELETE FROM posts WHERE id = $1';
SET SESSION AUTHORIZATION sd_user;
SET search_path = security;
SELECT erase(20);
SHOW softdelete.hard_delete;
DELETE FROM posts WHERE id = 19;
EXECUTE del(18);
SELECT * FROM there();
SELECT * FROM alive;

------------------------------------------------------------------------------
-- the owner may tamper with his own triggers; rows are not lost by it
------------------------------------------------------------------------------

SET SESSION AUTHORIZATION sd_owner;
SET search_path = security;
CREATE TABLE own (id int PRIMARY KEY);
CREATE TABLE own_child (id int PRIMARY KEY, own int REFERENCES own ON DELETE CASCADE);
SELECT softdelete.enable('own', cascade => true);
INSERT INTO own SELECT generate_series(1, 9);
INSERT INTO own_child SELECT g, g FROM generate_series(1, 9) g;
ALTER TABLE own DISABLE TRIGGER "~softdelete_mark";
\set VERBOSITY sqlstate
DELETE FROM own WHERE id = 1;
\set VERBOSITY default
DELETE FROM own WHERE id = 1;
ALTER TABLE own ENABLE ALWAYS TRIGGER "~softdelete_mark";
DELETE FROM own WHERE id = 1;
ALTER TABLE own DISABLE TRIGGER "~softdelete_guard";
ALTER TABLE own DISABLE TRIGGER "~softdelete_truncate";
DELETE FROM own WHERE id = 2;
\set VERBOSITY sqlstate
TRUNCATE own CASCADE;
\set VERBOSITY default
ALTER TABLE own DISABLE TRIGGER "~softdelete_stamp";
DELETE FROM own WHERE id = 3;
\set VERBOSITY sqlstate
UPDATE own SET deleted_at = now() WHERE id = 4;
\set VERBOSITY default
ALTER TABLE own ENABLE TRIGGER USER;
ALTER TRIGGER "~softdelete_mark" ON own RENAME TO "A mark";
ALTER TRIGGER "~softdelete_guard" ON own RENAME TO "a 'guard'";
DELETE FROM own WHERE id = 4;
UPDATE own SET deleted_at = now() WHERE id = 5;
-- (drops are refused, see lifecycle; a dump's are not)
SET row_security = off;
DROP TRIGGER "~softdelete_truncate" ON own;
RESET row_security;
\set VERBOSITY sqlstate
TRUNCATE own CASCADE;
\set VERBOSITY default
SELECT string_agg(id::text, ' ' ORDER BY id) FROM own_child;
SELECT sum(softdelete.restore('own', g)) FROM generate_series(1, 5) g;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM own_child;
-- without the trigger that holds the state it is no managed table, but the
-- guard that is left lets no row go
SET row_security = off;
DROP TRIGGER "A mark" ON own;
RESET row_security;
SELECT count(*) FROM softdelete.tables WHERE target = 'own'::regclass;
DELETE FROM own WHERE id = 1;
SELECT count(*) FROM own;
DROP TABLE own, own_child;

------------------------------------------------------------------------------
-- privileges by column, membership and predefined roles
------------------------------------------------------------------------------

-- UPDATE of the mark's column is enough to set it, and to clear it; nothing else
-- is to be had by it
SET SESSION AUTHORIZATION sd_owner;
REVOKE ALL ON posts, notes FROM sd_user;
GRANT SELECT (id, deleted_at), UPDATE (deleted_at) ON posts TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = security;
UPDATE posts SET deleted_at = now() WHERE id = 1;
\set VERBOSITY sqlstate
UPDATE posts SET deletion_id = 1 WHERE id = 2;
UPDATE posts SET deleted_at = now(), deletion_id = 1 WHERE id = 2;
UPDATE posts SET deleted_at = now(), title = 'x' WHERE id = 2;
UPDATE posts SET deleted_at = now() WHERE title = 'post 2';
UPDATE posts SET deleted_at = now() WHERE id = 2 RETURNING deletion_id;
DELETE FROM posts WHERE id = 2;
SELECT softdelete.delete('posts', 2);
SELECT softdelete.restore('posts', 1);
SELECT softdelete.purge('posts', 1);
SELECT count(*) FROM softdelete.trash('posts');
\set VERBOSITY default
SELECT * FROM alive;
SELECT count(*) FROM softdelete.trash() WHERE target = 'posts'::regclass;
SELECT count(*) FROM softdelete.deletions WHERE target = 'posts'::regclass;
SET softdelete.visibility = deleted;
UPDATE posts SET deleted_at = NULL WHERE id = 1;
RESET softdelete.visibility;
SELECT * FROM alive;
-- UPDATE of another column sets no mark, not in an upsert either
SET SESSION AUTHORIZATION sd_owner;
REVOKE ALL ON posts FROM sd_user;
GRANT SELECT, INSERT, UPDATE (title) ON posts TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = security;
\set VERBOSITY sqlstate
UPDATE posts SET deleted_at = now() WHERE id = 1;
INSERT INTO posts VALUES (1) ON CONFLICT (id) DO UPDATE SET deleted_at = now();
\set VERBOSITY default
UPDATE posts SET title = 'changed' WHERE id = 1;
-- SELECT sees what was deleted, as text and in the trash, and does no more
SET SESSION AUTHORIZATION sd_owner;
REVOKE ALL ON posts FROM sd_user;
GRANT SELECT ON posts TO sd_user;
DELETE FROM posts WHERE id = 1;
SET SESSION AUTHORIZATION sd_user;
SET search_path = security;
SELECT key, row_data->'title' AS title FROM softdelete.trash('posts');
\set VERBOSITY sqlstate
SELECT softdelete.restore('posts', 1);
SELECT softdelete.undo(deletion_id) FROM softdelete.trash('posts');
SELECT softdelete.delete('posts', 2);
SELECT softdelete.purge('posts', 1);
SELECT softdelete.hold(deletion_id, 'x') FROM softdelete.trash('posts');
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
REVOKE ALL ON posts FROM sd_user;

-- a member acts as the owner; one who does not inherit only after SET ROLE, as
-- for ALTER TABLE
SET SESSION AUTHORIZATION sd_member;
SET search_path = security;
SELECT softdelete.set_retention('posts', '1 day');
SELECT softdelete.restore('posts', 1);
DELETE FROM posts WHERE id = 1;
SELECT softdelete.hold(deletion_id, 'mine') FROM softdelete.trash('posts');
SELECT softdelete.release(deletion_id) FROM softdelete.trash('posts');
SELECT deleted_by, session_role FROM softdelete.deletions WHERE target = 'posts'::regclass ORDER BY id DESC LIMIT 1;
SET SESSION AUTHORIZATION sd_heir;
\set VERBOSITY sqlstate
ALTER TABLE security.posts ADD COLUMN x int;
SELECT softdelete.set_retention('security.posts', '2 days');
SELECT softdelete.enable('security.posts');
SELECT softdelete.disable('security.posts');
SELECT softdelete.create_live_index('security.posts', 'title');
SELECT softdelete.restore('security.posts', 1);
SELECT softdelete.purge('security.posts', 1);
\set VERBOSITY default
SET client_min_messages = error;
SELECT count(*) FROM softdelete.purge_expired(older_than => '0') WHERE target = 'security.posts'::regclass;
RESET client_min_messages;
SET ROLE sd_owner;
SELECT softdelete.set_retention('security.posts', '2 days');
SELECT softdelete.restore('security.posts', 1);
DELETE FROM security.posts WHERE id = 1;
SELECT deleted_by, session_role FROM softdelete.deletions WHERE target = 'security.posts'::regclass ORDER BY id DESC LIMIT 1;
RESET ROLE;

-- pg_read_all_data reads, the log included; pg_write_all_data deletes and
-- restores with SELECT, and purges nothing
SET SESSION AUTHORIZATION sd_reader;
SELECT key FROM softdelete.trash('security.posts');
SELECT count(*) > 0 AS reads FROM softdelete.deletion_log;
SELECT count(*) FROM softdelete.deletions WHERE target = 'security.posts'::regclass AND restored_at IS NULL;
\set VERBOSITY sqlstate
DELETE FROM security.posts WHERE id = 2;
SELECT softdelete.restore('security.posts', 1);
UPDATE softdelete.deletion_log SET actor = 'x';
SELECT softdelete.purge('security.posts', 1);
SET SESSION AUTHORIZATION sd_writer;
SELECT softdelete.restore('security.posts', 1);
SELECT softdelete.purge('security.posts', 1);
\set VERBOSITY default
BEGIN;
\set QUIET off
DELETE FROM security.posts;
\set QUIET on
SELECT * FROM security.there();
ROLLBACK;

-- the owner of a child table without rights on the schema it is in: as with a
-- foreign key of an ordinary table, the delete fails
SET SESSION AUTHORIZATION DEFAULT;
CREATE SCHEMA security_hidden;
GRANT USAGE, CREATE ON SCHEMA security_hidden TO sd_user;
GRANT REFERENCES ON security.posts TO sd_user;
SET SESSION AUTHORIZATION sd_owner;
CREATE TABLE security.plain (id int PRIMARY KEY);
INSERT INTO security.plain VALUES (1);
GRANT REFERENCES ON security.plain TO sd_user;
SET SESSION AUTHORIZATION sd_user;
CREATE TABLE security_hidden.child (id int PRIMARY KEY, post int REFERENCES security.posts ON DELETE CASCADE);
CREATE TABLE security_hidden.plain_child (id int PRIMARY KEY, plain int REFERENCES security.plain ON DELETE CASCADE);
SELECT softdelete.enable('security_hidden.child');
INSERT INTO security_hidden.child VALUES (5, 5);
INSERT INTO security_hidden.plain_child VALUES (1, 1);
SET SESSION AUTHORIZATION DEFAULT;
REVOKE ALL ON SCHEMA security_hidden FROM sd_user;
SET SESSION AUTHORIZATION sd_owner;
\set VERBOSITY sqlstate
DELETE FROM security.plain;
DELETE FROM security.posts WHERE id = 5;
\set VERBOSITY default
SET SESSION AUTHORIZATION DEFAULT;
GRANT USAGE ON SCHEMA security_hidden TO sd_user;
-- the deleter needs none
SET SESSION AUTHORIZATION sd_owner;
DELETE FROM security.plain;
DELETE FROM security.posts WHERE id = 5;
SELECT rows FROM softdelete.deletions WHERE target = 'security.posts'::regclass ORDER BY id DESC LIMIT 1;
SELECT softdelete.restore('security.posts', 5);

------------------------------------------------------------------------------
-- the log
------------------------------------------------------------------------------

-- nobody learns more from it by a function that is cheap and curious
SET SESSION AUTHORIZATION sd_user;
CREATE FUNCTION pg_temp.peek(regclass, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
    $$ BEGIN IF $1 = 'security.posts'::regclass THEN RAISE NOTICE 'seen: %', $2; END IF; RETURN true; END $$;
SELECT count(*) FROM softdelete.deletions WHERE pg_temp.peek(target, reason) AND target = 'security.posts'::regclass;
SELECT count(*) FROM softdelete.deletions d JOIN pg_class c ON pg_temp.peek(d.target, d.actor) AND c.oid = d.target
 WHERE c.oid = 'security.posts'::regclass;
-- nor gets at it by means of a new column, trigger, rule, policy or view
\set VERBOSITY sqlstate
CREATE TRIGGER x AFTER INSERT ON softdelete.deletion_log EXECUTE FUNCTION softdelete.mark();
CREATE RULE x AS ON INSERT TO softdelete.deletion_log DO NOTHING;
ALTER TABLE softdelete.deletion_log ADD COLUMN x int;
ALTER TABLE softdelete.deletion_log DISABLE TRIGGER ALL;
CREATE POLICY x ON softdelete.deletion_log;
CREATE INDEX ON softdelete.deletion_log (actor);
CREATE TABLE security.refers (id bigint REFERENCES softdelete.deletion_log);
LOCK TABLE softdelete.deletion_log IN ACCESS SHARE MODE;
COPY softdelete.deletion_log TO STDOUT;
CREATE TABLE softdelete.mine (id int);
CREATE FUNCTION softdelete.delete(regclass, int) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE OPERATOR softdelete.= (LEFTARG = regclass, RIGHTARG = oid, PROCEDURE = oideq);
ALTER FUNCTION softdelete.undo(bigint, text) SECURITY DEFINER;
ALTER EXTENSION softdelete ADD VIEW security.alive;
DROP EXTENSION softdelete CASCADE;
-- and not even the owner manages the extension's tables or a system catalog
SET SESSION AUTHORIZATION DEFAULT;
SELECT softdelete.enable('softdelete.deletion_log');
SELECT softdelete.enable('pg_class');
\set VERBOSITY default

-- who is recorded: what the client says of itself does not count
CREATE VIEW security.last AS SELECT deleted_by, session_role, actor, reason FROM softdelete.deletions
 WHERE target = 'security.posts'::regclass ORDER BY id DESC LIMIT 1;
GRANT SELECT ON security.last TO PUBLIC;
GRANT SELECT, DELETE ON security.posts TO sd_user, sd_owner;
SET SESSION AUTHORIZATION sd_user;
SET search_path = security;
SET softdelete.actor = 'sd_owner';
SET softdelete.reason = E'two\nlines, 100%% "quoted" \\';
\set VERBOSITY sqlstate
SET ROLE sd_owner;
\set VERBOSITY default
DELETE FROM posts WHERE id = 6;
SELECT * FROM last;
-- a function that runs as its owner deletes as its owner, for the session's role
SELECT definer(7);
SELECT * FROM last;
RESET softdelete.actor;
RESET softdelete.reason;
DELETE FROM posts WHERE id = 8;
SELECT * FROM last;
-- a superuser who has become somebody is that one, whichever way he did it
SET SESSION AUTHORIZATION DEFAULT;
SET ROLE sd_member;
DELETE FROM security.posts WHERE id = 9;
SELECT deleted_by, session_role = session_user AS session FROM security.last;
RESET ROLE;
SET SESSION AUTHORIZATION sd_member;
DELETE FROM security.posts WHERE id = 10;
SELECT * FROM security.last;

SET SESSION AUTHORIZATION DEFAULT;
SET client_min_messages = warning;
DROP SCHEMA security, security_hidden CASCADE;
DROP ROLE sd_member, sd_heir, sd_reader, sd_writer;
