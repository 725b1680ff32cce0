-- who may do what, and who is recorded to have done it
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA privileges;
GRANT USAGE ON SCHEMA privileges TO sd_user;
SET search_path = privileges;
CREATE TABLE posts (id int PRIMARY KEY, owner text DEFAULT 'sd_user', title text);
CREATE TABLE notes (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE);
SELECT softdelete.enable('posts', cascade => true);
INSERT INTO posts SELECT g, CASE WHEN g % 2 = 0 THEN 'sd_user' ELSE 'sd_owner' END, 'post ' || g FROM generate_series(1, 12) g;
INSERT INTO notes SELECT g, g FROM generate_series(1, 12) g;

-- DELETE needs DELETE, and SELECT for what its condition reads, as ever; not UPDATE
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
\set VERBOSITY sqlstate
DELETE FROM posts;
SELECT softdelete.delete('posts', 1);
SELECT * FROM softdelete.trash('posts');
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
GRANT DELETE ON privileges.posts TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
BEGIN;
\set QUIET off
DELETE FROM posts;
\set QUIET on
ROLLBACK;
\set VERBOSITY sqlstate
DELETE FROM posts WHERE id = 1;
DELETE FROM posts RETURNING id;
UPDATE posts SET deleted_at = now();
UPDATE posts SET title = 'x';
SELECT softdelete.delete('posts', 1);
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
GRANT SELECT (id) ON privileges.posts TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
DELETE FROM posts WHERE id = 1 RETURNING id;
\set VERBOSITY sqlstate
DELETE FROM posts WHERE id = 2 RETURNING title;
DELETE FROM posts WHERE title = 'post 2';
DELETE FROM posts WHERE id = 2 RETURNING deleted_at;
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
GRANT SELECT ON privileges.posts TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
SELECT softdelete.delete('posts', 2) > 0 AS deleted;
DELETE FROM posts WHERE id = 3 RETURNING title;
SELECT id FROM posts ORDER BY id;
-- the cascade went on in the child's owner's name: sd_user may not even read it
\set VERBOSITY sqlstate
SELECT * FROM notes;
DELETE FROM notes;
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM privileges.notes;

-- restore and undo need DELETE on the root table
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
SELECT softdelete.restore('posts', 1);
SELECT softdelete.undo(deletion_id) FROM softdelete.trash('posts') WHERE key = '{"id": 2}';
SET SESSION AUTHORIZATION sd_owner;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM privileges.notes;
REVOKE DELETE ON privileges.posts FROM sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
SELECT softdelete.restore('posts', 3);
SELECT softdelete.undo(max(deletion_id)) FROM softdelete.trash('posts');
\set VERBOSITY sqlstate
SELECT softdelete.restore('posts', 3);
SELECT softdelete.undo(max(deletion_id)) FROM softdelete.trash('posts');
SELECT softdelete.restore('notes', 3);
\set VERBOSITY default
SELECT string_agg(key->>'id', ' ' ORDER BY key) FROM softdelete.trash('posts');
-- so does clearing the mark need UPDATE
SET softdelete.visibility = deleted;
\set VERBOSITY sqlstate
UPDATE posts SET deleted_at = NULL;
\set VERBOSITY default
RESET softdelete.visibility;
SET SESSION AUTHORIZATION sd_owner;
GRANT UPDATE ON privileges.posts TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
SET softdelete.visibility = deleted;
UPDATE posts SET deleted_at = NULL;
RESET softdelete.visibility;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts;
SET SESSION AUTHORIZATION sd_owner;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM privileges.notes;
GRANT DELETE ON privileges.posts TO sd_user;
REVOKE UPDATE ON privileges.posts FROM sd_user;

-- enable, disable, retention, indexes, hold: the owner's.  purge: the owner's,
-- or softdelete.hard_delete
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
DELETE FROM posts WHERE id = 4;
\set VERBOSITY sqlstate
SELECT softdelete.enable('posts');
SELECT softdelete.disable('posts');
SELECT softdelete.set_retention('posts', '1 day');
SELECT softdelete.create_live_index('posts', 'title');
SELECT softdelete.create_live_unique('posts', 'title');
SELECT softdelete.hold(max(deletion_id), 'mine') FROM softdelete.trash('posts');
SELECT softdelete.release(max(deletion_id)) FROM softdelete.trash('posts');
SELECT softdelete.purge('posts', 4);
SELECT * FROM softdelete.purge_expired('posts', older_than => '0');
ALTER TABLE posts DISABLE TRIGGER ALL;
\set VERBOSITY default
SELECT softdelete.purge('posts', 4);
SELECT * FROM softdelete.purge_expired('posts', older_than => '0');
-- for all tables: those that the caller may purge, here none
SET client_min_messages = error;		-- other tests' tables are nobody's business
SELECT * FROM softdelete.purge_expired(older_than => '0') WHERE target = 'posts'::regclass;
RESET client_min_messages;
SELECT string_agg(key->>'id', ' ' ORDER BY key) FROM softdelete.trash('posts');

-- softdelete.hard_delete: a superuser's setting, or that of those he grants it to
\set VERBOSITY sqlstate
SET softdelete.hard_delete = on;
SELECT set_config('softdelete.hard_delete', 'on', true);
CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE sql SET softdelete.hard_delete = on AS 'DELETE FROM privileges.posts';
ALTER ROLE sd_user SET softdelete.hard_delete = on;
\set VERBOSITY default
SET softdelete.hard_delete = on;
SHOW softdelete.hard_delete;
SET SESSION AUTHORIZATION sd_owner;
\set VERBOSITY sqlstate
SET softdelete.hard_delete = on;
\set VERBOSITY default
SET SESSION AUTHORIZATION DEFAULT;
GRANT SET ON PARAMETER softdelete.hard_delete TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
SET softdelete.hard_delete = on;
SELECT softdelete.purge('posts', 4);
RESET softdelete.hard_delete;
SET softdelete.visibility = 'all';
SELECT count(*) FROM posts WHERE id = 4;
RESET softdelete.visibility;
SET SESSION AUTHORIZATION DEFAULT;
REVOKE SET ON PARAMETER softdelete.hard_delete FROM sd_user;

-- the log and the retention are closed: only functions write them, and one sees
-- the deletions from tables that one may read
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
DELETE FROM posts WHERE id = 5;
\set VERBOSITY sqlstate
SELECT * FROM softdelete.deletion_log;
INSERT INTO softdelete.deletion_log SELECT * FROM softdelete.deletion_log;
UPDATE softdelete.deletion_log SET deleted_by = 'somebody else';
DELETE FROM softdelete.deletion_log;
TRUNCATE softdelete.deletion_log;
SELECT * FROM softdelete.retention;
UPDATE softdelete.retention SET retention = '0';
DELETE FROM softdelete.retention;
DELETE FROM softdelete.deletions;
UPDATE softdelete.deletions SET reason = 'x';
UPDATE softdelete.tables SET retention = '0';
SELECT nextval('softdelete.deletion_log_id_seq');
SELECT setval('softdelete.deletion_log_id_seq', 1);
\set VERBOSITY default
SELECT rows FROM softdelete.deletions WHERE target = 'posts'::regclass ORDER BY id DESC LIMIT 1;
SET SESSION AUTHORIZATION sd_owner;
REVOKE SELECT ON privileges.posts FROM sd_user;
SET SESSION AUTHORIZATION sd_user;
SELECT count(*) FROM softdelete.deletions WHERE target = 'privileges.posts'::regclass;
SELECT count(*) FROM softdelete.trash() WHERE target = 'privileges.posts'::regclass;
\set VERBOSITY sqlstate
SELECT count(*) FROM softdelete.trash('privileges.posts');
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
GRANT SELECT ON privileges.posts TO sd_user;
-- internal functions refuse to be called by hand
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
\set VERBOSITY sqlstate
SELECT softdelete.adopt('posts', 100);
SELECT softdelete.forget('posts');
SELECT softdelete.enable_table('posts', 'title', 'x', '0', true, 'delete', 'keep', true, false);
SELECT softdelete.purge_table('posts', '0', 10);
SELECT softdelete.purge_tables('posts', 10, false, '0');
SELECT softdelete.add_companion('posts', 'x', 'int', '{}', 'x');
SELECT softdelete.mark();
SELECT softdelete.guard();
SELECT softdelete.stamp_trigger();
SELECT softdelete.refuse_truncate();
CREATE TEMP TABLE mine (id int);
CREATE TRIGGER t AFTER UPDATE ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark('timestamp', '');
INSERT INTO mine VALUES (1);
UPDATE mine SET id = 2;
\set VERBOSITY default
SELECT count(*) FROM softdelete.deletions WHERE target = 'posts'::regclass AND reason = 'marked before softdelete.enable()';
DROP TABLE mine;

-- who is recorded: deleted_by is the role that acts, session_role the one that
-- logged in.  actor and reason are what the application says
SET SESSION AUTHORIZATION DEFAULT;
GRANT sd_owner TO sd_user;
CREATE VIEW privileges.last AS SELECT deleted_by, session_role, actor, reason, rows FROM softdelete.deletions
 WHERE target = 'privileges.posts'::regclass ORDER BY id DESC LIMIT 1;
GRANT SELECT ON privileges.last TO sd_user, sd_owner;
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
DELETE FROM posts WHERE id = 6;
SELECT * FROM last;
SET ROLE sd_owner;
SET softdelete.actor = 'Ada "the 1st"';
SET softdelete.reason = 'spam; it''s ''quoted''';
DELETE FROM posts WHERE id = 7;
SELECT * FROM last;
RESET ROLE;
RESET softdelete.reason;
SET ROLE sd_owner;
CREATE FUNCTION definer(int) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = privileges AS
    'WITH d AS (DELETE FROM posts WHERE id = $1 RETURNING 1) SELECT count(*) FROM d';
CREATE FUNCTION with_reason(int) RETURNS bigint LANGUAGE sql SET softdelete.reason = 'by function' AS 'SELECT softdelete.delete(''privileges.posts'', $1)';
RESET ROLE;
SET SESSION AUTHORIZATION DEFAULT;
REVOKE sd_owner FROM sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
SELECT definer(8);
SELECT * FROM last;
SELECT with_reason(9) > 0 AS deleted;
SELECT * FROM last;
RESET softdelete.actor;
BEGIN;
SET LOCAL softdelete.actor = 'only here';
DELETE FROM posts WHERE id = 10;
SELECT * FROM last;
COMMIT;
DELETE FROM posts WHERE id = 11;
SELECT * FROM last;
-- a role cannot pass for another one: deleted_by is none of the settings
SET softdelete.actor = 'postgres';
DELETE FROM posts WHERE id = 12;
SELECT * FROM last;
RESET softdelete.actor;
-- who restored it
SELECT softdelete.restore('posts', 12);
SELECT restored_by, restored FROM softdelete.deletions WHERE target = 'posts'::regclass ORDER BY id DESC LIMIT 1;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = privileges;
SELECT sum(softdelete.undo(deletion_id)) FROM (SELECT DISTINCT deletion_id FROM softdelete.trash('posts')) d;

-- row-level security: the policies for DELETE hold for a converted DELETE,
-- those for UPDATE do not
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON posts FOR SELECT USING (true);
CREATE POLICY del ON posts FOR DELETE USING (owner = current_user);
CREATE POLICY upd ON posts FOR UPDATE USING (false) WITH CHECK (false);
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
BEGIN;
\set QUIET off
DELETE FROM posts;
\set QUIET on
SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts;
ROLLBACK;
DELETE FROM posts WHERE id IN (1, 2) RETURNING id;
PREPARE del AS DELETE FROM posts WHERE id = $1 RETURNING id;
EXECUTE del(3);
EXECUTE del(6);
\set VERBOSITY sqlstate
SELECT softdelete.delete('posts', 1);
SELECT softdelete.delete('posts', 2);
SELECT softdelete.delete('posts', 100);
\set VERBOSITY default
SELECT softdelete.delete('posts', 1);
-- restore is held to them, too
SET SESSION AUTHORIZATION sd_owner;
DELETE FROM privileges.posts WHERE id = 1;
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
SELECT softdelete.restore('posts', 2);
\set VERBOSITY sqlstate
SELECT softdelete.restore('posts', 1);
\set VERBOSITY default
SELECT softdelete.restore('posts', 1);
SELECT softdelete.restore('posts', 6);
-- a policy that hides rows hides deleted ones, from the trash, too
SET SESSION AUTHORIZATION sd_owner;
DROP POLICY see ON privileges.posts;
CREATE POLICY see ON privileges.posts FOR SELECT USING (owner = current_user);
SET SESSION AUTHORIZATION sd_user;
SET search_path = privileges;
DELETE FROM posts WHERE id = 8;
SELECT string_agg(key->>'id', ' ' ORDER BY key) FROM softdelete.trash('posts');
SET softdelete.visibility = deleted;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts;
RESET softdelete.visibility;
\set VERBOSITY sqlstate
SELECT softdelete.restore('posts', 1);
SELECT softdelete.delete('posts', 3);
\set VERBOSITY default
SELECT softdelete.restore('posts', 8);
-- the owner bypasses them, unless they are forced
SET SESSION AUTHORIZATION sd_owner;
SET search_path = privileges;
SELECT softdelete.restore('posts', 1);
ALTER TABLE posts FORCE ROW LEVEL SECURITY;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts;
BEGIN;
\set QUIET off
DELETE FROM posts;
\set QUIET on
ROLLBACK;
ALTER TABLE posts NO FORCE ROW LEVEL SECURITY;
-- policies on the child do not stop a cascade, not even forced ones: it runs as
-- the referential action that it stands for
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON notes USING (false) WITH CHECK (false);
SELECT count(*) FROM notes;
SET SESSION AUTHORIZATION sd_user;
DELETE FROM privileges.posts WHERE id = 2;
SET SESSION AUTHORIZATION DEFAULT;
SET softdelete.visibility = deleted;
SELECT id FROM privileges.notes;
RESET softdelete.visibility;
SET SESSION AUTHORIZATION sd_user;
SELECT softdelete.restore('privileges.posts', 2);
SET SESSION AUTHORIZATION DEFAULT;
SELECT count(*) FROM privileges.notes WHERE id = 2;
SET softdelete.visibility = deleted;
SELECT id FROM privileges.notes;
RESET softdelete.visibility;
-- purge, by the owner who is held to them
SET SESSION AUTHORIZATION sd_user;
DELETE FROM privileges.posts WHERE id = 2;
SET SESSION AUTHORIZATION sd_owner;
SELECT softdelete.purge('privileges.posts', 2);
SET SESSION AUTHORIZATION DEFAULT;
SET softdelete.visibility = 'all';
SELECT (SELECT count(*) FROM privileges.posts WHERE id = 2) AS post, (SELECT count(*) FROM privileges.notes WHERE id = 2) AS note;
RESET softdelete.visibility;

-- a child that somebody else owns: the cascade is his, the log names the deleter
SET SESSION AUTHORIZATION DEFAULT;
CREATE TABLE privileges.foreign_notes (id int PRIMARY KEY, post int REFERENCES privileges.posts ON DELETE CASCADE, by text);
ALTER TABLE privileges.foreign_notes OWNER TO sd_user;
CREATE FUNCTION privileges.who() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.by := current_user; RETURN NEW; END';
CREATE TRIGGER who BEFORE UPDATE ON privileges.foreign_notes FOR EACH ROW EXECUTE FUNCTION privileges.who();
SET SESSION AUTHORIZATION sd_owner;
-- the owner of the parent cannot manage it for him
\set VERBOSITY sqlstate
SELECT softdelete.enable('privileges.posts', cascade => true);
\set VERBOSITY default
GRANT CREATE ON SCHEMA privileges TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SELECT softdelete.enable('privileges.foreign_notes', triggers => 'update');
INSERT INTO privileges.foreign_notes VALUES (1, 5), (3, 3);
SET SESSION AUTHORIZATION sd_owner;
DELETE FROM privileges.posts WHERE id = 3;
SELECT deleted_by, session_role, rows FROM softdelete.deletions WHERE target = 'privileges.posts'::regclass ORDER BY id DESC LIMIT 1;
SET SESSION AUTHORIZATION sd_user;
SELECT id FROM privileges.foreign_notes ORDER BY id;
SET softdelete.visibility = deleted;
SELECT id, by FROM privileges.foreign_notes ORDER BY id;
RESET softdelete.visibility;
