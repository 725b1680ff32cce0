-- What every call and statement does with one table, it does with a distributed one, for a role that may SELECT and DELETE
SET client_min_messages = warning;
SET ROLE shop_owner;
CREATE TABLE posts (tenant int, id int, title text, PRIMARY KEY (tenant, id));
CREATE TABLE attachments (tenant int, id int, post int NOT NULL, name text, PRIMARY KEY (tenant, id),
	FOREIGN KEY (tenant, post) REFERENCES posts ON DELETE CASCADE);
CREATE INDEX ON attachments (tenant, post);
SELECT create_distributed_table('posts', 'tenant');
SELECT create_distributed_table('attachments', 'tenant');
SET client_min_messages = notice;
SELECT softdelete.enable('posts', cascade => true);
INSERT INTO posts SELECT t, i, 'post ' || i FROM generate_series(1, 10) t, generate_series(1, 10) i;
INSERT INTO attachments SELECT t, 10 * i + j, i, 'file' FROM generate_series(1, 10) t, generate_series(1, 10) i, generate_series(1, 3) j;
GRANT SELECT, DELETE ON posts, attachments TO app;
CREATE FUNCTION rows() RETURNS text LANGUAGE sql AS $$
	SELECT format('%s posts, %s attachments', (SELECT count(*) FROM posts), (SELECT count(*) FROM attachments))
$$;
CREATE FUNCTION trash() RETURNS text LANGUAGE sql AS $$
	SELECT format('%s posts, %s attachments', (SELECT count(*) FROM softdelete.trash('posts')), (SELECT count(*) FROM softdelete.trash('attachments')))
$$;
CREATE VIEW log AS SELECT id, target, rows, actor, reason, deleted_by, restored, purged, held FROM softdelete.deletions ORDER BY id;
GRANT SELECT ON log TO app;

-- DELETE: tag, RETURNING, one deletion over all shards, the children's rows counted
RESET ROLE;
SET ROLE app;
SET softdelete.actor = 'ann; %41';
SET softdelete.reason = 'spam';
\set QUIET off
DELETE FROM posts WHERE tenant = 1 AND id = 1;
DELETE FROM posts WHERE id = 2 RETURNING title, deleted_at, deletion_id;
DELETE FROM posts WHERE tenant = 1 AND id = 1;
WITH gone AS (DELETE FROM posts WHERE tenant = 8 AND id = 8 RETURNING *) SELECT * FROM gone;
WITH gone AS (DELETE FROM posts WHERE id = 9 RETURNING *) SELECT count(*) FROM gone;
DELETE FROM posts USING attachments a WHERE a.tenant = posts.tenant AND a.post = posts.id AND a.id = 71;
DELETE FROM posts WHERE (tenant, id) IN (SELECT tenant, post FROM attachments WHERE id = 61);
\set QUIET on
SELECT rows(), trash();
SELECT * FROM log;

-- prepared, and kept plans
PREPARE one(int, int) AS DELETE FROM posts WHERE tenant = $1 AND id = $2;
EXECUTE one(1, 3); EXECUTE one(2, 3); EXECUTE one(3, 3); EXECUTE one(4, 3); EXECUTE one(5, 3); EXECUTE one(6, 3); EXECUTE one(7, 3);
SELECT rows FROM log ORDER BY id DESC LIMIT 7;
SELECT count(*) AS distinct_ids FROM (SELECT DISTINCT deletion_id FROM softdelete.trash('posts') WHERE key @> '{"id": 3}') x;

-- rolled back; one transaction is one deletion, children deleted first or not
BEGIN;
DELETE FROM attachments WHERE tenant = 9 AND post = 4;
DELETE FROM posts WHERE tenant = 9 AND id = 4;
SAVEPOINT s;
DELETE FROM posts WHERE id = 5;
SELECT rows FROM log ORDER BY id DESC LIMIT 1;
ROLLBACK TO s;
SELECT rows FROM log ORDER BY id DESC LIMIT 1;
DELETE FROM posts WHERE tenant = 10 AND id = 5;
COMMIT;
SELECT rows FROM log ORDER BY id DESC LIMIT 1;
BEGIN;
DELETE FROM posts;
ROLLBACK;
SELECT rows(), trash();

-- deleted, restored and deleted again, all in one
BEGIN;
DELETE FROM posts WHERE tenant = 6 AND id = 10;
SELECT softdelete.restore('posts', 6, 10);
DELETE FROM posts WHERE tenant = 6 AND id = 10;
DELETE FROM posts WHERE tenant = 7 AND id = 10;
SELECT rows, restored FROM log ORDER BY id DESC LIMIT 1;
SAVEPOINT s;
SELECT softdelete.restore('posts', 6, 10);
ROLLBACK TO s;
DELETE FROM posts WHERE tenant = 8 AND id = 10;
SELECT rows, restored FROM log ORDER BY id DESC LIMIT 1;
ROLLBACK;

-- statements of their own
SET softdelete.deletion_scope = 'statement';
BEGIN;
DELETE FROM posts WHERE tenant = 1 AND id = 10;
DELETE FROM posts WHERE tenant = 2 AND id = 10;
COMMIT;
SELECT rows FROM log ORDER BY id DESC LIMIT 2;
RESET softdelete.deletion_scope;

-- by key
SELECT softdelete.delete('posts', 3, 4);
SELECT softdelete.delete('posts', 3, 4);
SELECT softdelete.delete('posts', 3, 400);
SELECT softdelete.state('posts', 3, 4), softdelete.state('posts', 4, 4), softdelete.state('posts', 3, 400);
SELECT softdelete.restore('posts', 3, 4);
SELECT softdelete.restore('posts', 3, 4);
SELECT softdelete.restore('posts', 3, 400);
SELECT softdelete.undo(2);
SELECT softdelete.undo(2);
SELECT softdelete.undo(ARRAY[3, 4]);
SELECT * FROM log WHERE id <= 4;

-- what is visible, and on whose behalf
SET softdelete.visibility = only_deleted;
SELECT DISTINCT id FROM posts ORDER BY id;
SET softdelete.visibility = with_deleted;
SELECT rows();
RESET softdelete.visibility;
SELECT key, deleted_by, actor, reason, days_left FROM softdelete.trash('posts') WHERE key @> '{"id": 1}';

-- not the owner
SELECT softdelete.purge('posts', 1, 1);
SELECT * FROM softdelete.purge_expired('posts');
UPDATE posts SET title = 'x' WHERE tenant = 1;
RESET ROLE;

-- retention and holds
SET ROLE shop_owner;
SELECT softdelete.hold(1, 'law');
SELECT * FROM softdelete.purge_expired('posts', older_than => '0');
BEGIN;
SELECT * FROM softdelete.purge_expired(older_than => '0');
SELECT rows(), trash();
ROLLBACK;
SELECT * FROM softdelete.purge_expired(older_than => '0', dry_run => true);
SELECT softdelete.set_retention('posts', '1 year');
SELECT * FROM softdelete.purge_expired();
SELECT rows(), trash();
CALL softdelete.run_maintenance(older_than => '0');
SELECT job, target, status, purged, kept, kept_why FROM softdelete.job_runs ORDER BY id;
SELECT rows(), trash();
SELECT softdelete.purge('posts', 1, 1);
SELECT softdelete.release(1);
SELECT softdelete.purge('posts', 1, 1);
SELECT softdelete.erase('posts', 5, 5);
SELECT rows(), trash();
SELECT * FROM log ORDER BY id;

-- an UPDATE that sets the mark is a delete, too
UPDATE posts SET deleted_at = now() WHERE id = 8;
SELECT rows FROM log ORDER BY id DESC LIMIT 1;
SELECT rows(), trash();

-- upsert; the key of a deleted row stays taken
INSERT INTO posts VALUES (1, 5, 'again') ON CONFLICT (tenant, id) DO UPDATE SET title = excluded.title RETURNING title;
INSERT INTO posts VALUES (1, 8, 'again') ON CONFLICT (tenant, id) DO UPDATE SET title = excluded.title RETURNING title;
INSERT INTO posts VALUES (1, 8, 'again') ON CONFLICT DO NOTHING RETURNING title;
INSERT INTO attachments VALUES (1, 1000, 8, 'orphan');

-- figures, advice
SELECT target, live, deleted, expired, held FROM softdelete.stats ORDER BY target::text;
SELECT live, deleted FROM softdelete.stats_exact('posts');
SELECT target, kind, severity FROM softdelete.advice() ORDER BY 1, 2;
SELECT child, parent, soft_delete FROM softdelete.foreign_keys;
COPY (SELECT count(*) FROM posts) TO STDOUT;
COPY posts (tenant, id) TO STDOUT \g | wc -l

-- triggers of users fire on the shard, and know on whose behalf; row security holds there; hard deletes
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE WARNING '% of % for % since %', TG_OP, coalesce(OLD.id, NEW.id), current_setting('softdelete.actor', true), current_setting('softdelete.reason', true);
	RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON posts FOR EACH ROW EXECUTE FUNCTION tell();
SET softdelete.actor = 'bob';
SET softdelete.reason = 'why not';
DELETE FROM posts WHERE tenant = 2 AND id = 4;
SELECT softdelete.restore('posts', 2, 4);
DROP TRIGGER tell ON posts;
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY third ON posts TO app USING (tenant = 3);
RESET ROLE;
SET ROLE app;
BEGIN;
WITH gone AS (DELETE FROM posts RETURNING tenant) SELECT tenant, count(*) FROM gone GROUP BY tenant;
SELECT rows FROM log ORDER BY id DESC LIMIT 1;
SELECT softdelete.undo((SELECT max(id) FROM log));
ROLLBACK;
RESET ROLE;
BEGIN;
SELECT rows(), trash();
SET LOCAL softdelete.hard_delete = on;
DELETE FROM posts WHERE tenant = 4;
SELECT rows(), trash();
ROLLBACK;
SET ROLE shop_owner;
ALTER TABLE posts DISABLE ROW LEVEL SECURITY;

-- off, and on again
SELECT softdelete.disable('attachments');
SELECT softdelete.disable('posts');
SELECT count(*) FROM posts;
DELETE FROM posts WHERE tenant = 10;
SELECT count(*), count(deleted_at) FROM posts;
SELECT softdelete.enable('posts', cascade => true);
SELECT rows(), trash();
SELECT softdelete.undo(id) FROM (SELECT max(id) AS id FROM log WHERE target = 'posts'::regclass AND restored = 0 AND purged = 0) x;
SELECT rows(), trash();
