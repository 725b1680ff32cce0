-- hide => false: an application with filters of its own goes on filtering, un-marks
-- by UPDATE and lists its trash, while DELETE marks, cascades, is logged and purged.
\set VERBOSITY terse
SET ROLE sd_owner;
SET client_min_messages = warning;
CREATE SCHEMA "own Filters";
SET search_path = "own Filters";
CREATE TABLE "Post" (id int PRIMARY KEY, title text, is_deleted boolean NOT NULL DEFAULT false);
CREATE TABLE comment (id int PRIMARY KEY, post int NOT NULL REFERENCES "Post" ON DELETE CASCADE, body text, is_deleted boolean NOT NULL DEFAULT false);
INSERT INTO "Post" VALUES (1, 'one', false), (2, 'two', false), (3, 'three', true);
INSERT INTO comment VALUES (1, 1, 'a', false), (2, 1, 'b', true), (3, 2, 'c', false);
SELECT softdelete.enable('comment', 'is_deleted', hide => false), softdelete.enable('"Post"', 'is_deleted', hide => false);
SELECT target, hide FROM softdelete.tables WHERE target IN ('comment'::regclass, '"Post"'::regclass) ORDER BY target::text;

-- nothing is hidden; the application's own filter is all there is
SELECT id FROM "Post" ORDER BY id;
SELECT id FROM "Post" WHERE NOT is_deleted ORDER BY id;
SELECT p.id, count(c.id) FROM "Post" p LEFT JOIN comment c ON c.post = p.id AND NOT c.is_deleted GROUP BY p.id ORDER BY p.id;
EXPLAIN (COSTS OFF) SELECT * FROM "Post";

-- DELETE marks and cascades, once; deleted rows are no rows to it
DELETE FROM "Post" WHERE id = 1 RETURNING id, is_deleted;
DELETE FROM "Post" WHERE id = 1;
DELETE FROM "Post" WHERE id = 3;
SELECT id, is_deleted FROM "Post" ORDER BY id;
SELECT id, is_deleted FROM comment ORDER BY id;
SELECT rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
-- its un-delete restores exactly: the comment that was deleted before stays so
UPDATE "Post" SET is_deleted = false WHERE id = 1;
SELECT id, is_deleted, deletion_id IS NULL AS clean FROM "Post" ORDER BY id;
SELECT id, is_deleted FROM comment ORDER BY id;
SELECT restored FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
-- and its delete by UPDATE deletes
UPDATE "Post" SET is_deleted = true WHERE id = 1;
SELECT id, is_deleted FROM comment ORDER BY id;
SELECT softdelete.restore('"Post"', 1);
SELECT softdelete.delete('"Post"', 1) > 0 AS deleted;
SELECT key FROM softdelete.trash('"Post"') ORDER BY key;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;
-- edits of deleted rows are edits
UPDATE "Post" SET title = 'edited' WHERE id = 3 RETURNING id, is_deleted;

-- a deleted parent takes no child all the same, and a child cannot come back to one
DELETE FROM "Post" WHERE id = 2;
INSERT INTO comment VALUES (9, 2, 'late');
\set VERBOSITY sqlstate
UPDATE comment SET is_deleted = false WHERE id = 3;
\set VERBOSITY terse

-- what the session asks for goes on working beside it
SET softdelete.visibility = deleted;
SELECT id FROM "Post" ORDER BY id;
SET softdelete.visibility = 'all';
SELECT id FROM "Post" ORDER BY id;
RESET softdelete.visibility;

-- COPY, prepared and generic plans, policies, views
COPY "Post" TO STDOUT;
CREATE VIEW posts AS SELECT * FROM "Post" WHERE NOT is_deleted;
SELECT id FROM posts ORDER BY id;
PREPARE p AS SELECT count(*) FROM "Post";
SET plan_cache_mode = force_generic_plan;
EXECUTE p;
SELECT softdelete.enable('"Post"', 'is_deleted', hide => true);
EXECUTE p;
SELECT softdelete.enable('"Post"', 'is_deleted', hide => false);
EXECUTE p;
RESET plan_cache_mode;
MERGE INTO "Post" t USING (VALUES (1)) v(id) ON t.id = v.id WHEN MATCHED THEN DELETE;
MERGE INTO "Post" t USING (VALUES (1)) v(id) ON t.id = v.id WHEN MATCHED THEN UPDATE SET is_deleted = true;
SELECT id, is_deleted FROM "Post" ORDER BY id;

-- it sees that a deleted row holds a key
INSERT INTO "Post" VALUES (3, 'taken');
INSERT INTO "Post" VALUES (3, 'upsert') ON CONFLICT (id) DO UPDATE SET title = excluded.title, is_deleted = false RETURNING *;

-- purge
DELETE FROM "Post";
SELECT expired, purged, kept FROM softdelete.purge_expired('comment', older_than => '0');
SELECT expired, purged, kept FROM softdelete.purge_expired('"Post"', older_than => '0');
SELECT count(*) FROM "Post";

-- Laravel's SoftDeletes and TypeORM's DeleteDateColumn, by what they send
CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE, deleted_at timestamp, updated_at timestamp);
SELECT softdelete.enable('users', hide => false);
INSERT INTO users (email) VALUES ('a'), ('b');
UPDATE users SET deleted_at = '2024-01-01 10:00:00', updated_at = '2024-01-01 10:00:00' WHERE id = 1;
SELECT email FROM users WHERE users.deleted_at IS NULL;
SELECT email FROM users WHERE users.deleted_at IS NOT NULL;
SELECT email FROM users ORDER BY id;
UPDATE users SET deleted_at = NULL, updated_at = now() WHERE id = 1 AND deleted_at IS NOT NULL;
SELECT email, deleted_at, deletion_id FROM users ORDER BY id;
-- forceDelete() is DELETE, which marks
DELETE FROM users WHERE id = 1;
SELECT email FROM users WHERE deleted_at IS NOT NULL;
SELECT softdelete.purge('users', 1);

-- Sequelize's paranoid: destroy(), restore(), findAll({paranoid: false})
CREATE TABLE "Tasks" (id serial PRIMARY KEY, title text, "deletedAt" timestamptz);
SELECT softdelete.enable('"Tasks"', 'deletedAt', hide => false);
INSERT INTO "Tasks" (title) VALUES ('t1'), ('t2');
UPDATE "Tasks" SET "deletedAt" = now() WHERE id = 1;
SELECT id FROM "Tasks" AS "Task" WHERE ("Task"."deletedAt" IS NULL);
UPDATE "Tasks" SET "deletedAt" = NULL WHERE id = 1 RETURNING id, title, "deletedAt";
SELECT id FROM "Tasks" AS "Task" ORDER BY id;

-- a step on the way: the filters go, and nothing changes
UPDATE "Tasks" SET "deletedAt" = now() WHERE id = 2;
SELECT softdelete.enable('"Tasks"', 'deletedAt', hide => true);
SELECT id FROM "Tasks" ORDER BY id;
DROP SCHEMA "own Filters" CASCADE;
RESET ROLE;
