-- enable(), disable(), set_retention() and the view of managed tables
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA enable;
SET search_path = enable;

-- a table as it comes: the marker and the companion are added, a DELETE marks
CREATE TABLE posts (id int PRIMARY KEY, title text NOT NULL);
INSERT INTO posts SELECT g, 'post ' || g FROM generate_series(1, 4) g;
SELECT softdelete.enable('posts');
SELECT attname, format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum)
  FROM pg_attribute WHERE attrelid = 'posts'::regclass AND attnum > 0 ORDER BY attnum;
SELECT tgname, tgenabled, tgisinternal FROM pg_trigger WHERE tgrelid = 'posts'::regclass ORDER BY tgname;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'enable' AND tablename = 'posts' ORDER BY 1;
SELECT * FROM softdelete.tables WHERE target = 'posts'::regclass \gx
DELETE FROM posts WHERE id = 4;
SELECT * FROM posts ORDER BY id;

-- twice is once; the retention is the only thing that a second call changes
CREATE VIEW state AS
    SELECT 'column' AS what, attname::text AS name FROM pg_attribute WHERE attrelid = 'posts'::regclass AND attnum > 0
    UNION ALL SELECT 'trigger', tgname FROM pg_trigger WHERE tgrelid = 'posts'::regclass
    UNION ALL SELECT 'index', indexrelid::regclass::text FROM pg_index WHERE indrelid = 'posts'::regclass;
CREATE TABLE before AS SELECT * FROM state;
SELECT softdelete.enable('posts', retention => '7 days');
SELECT softdelete.enable('posts', 'deleted_at', retention => '7 days', build_index => false);
(SELECT * FROM state EXCEPT ALL SELECT * FROM before) UNION ALL (SELECT * FROM before EXCEPT ALL SELECT * FROM state);
SELECT target, retention FROM softdelete.tables WHERE target = 'posts'::regclass;
SELECT count(*) FROM posts;

-- the clean-up index can be left out, and built by a later call
CREATE TABLE no_index (id int PRIMARY KEY);
SELECT softdelete.enable('no_index', build_index => false);
SELECT indexdef FROM pg_indexes WHERE schemaname = 'enable' AND tablename = 'no_index' ORDER BY 1;
SELECT softdelete.enable('no_index');
SELECT indexdef FROM pg_indexes WHERE schemaname = 'enable' AND tablename = 'no_index' ORDER BY 1;

-- retention: an interval from nothing to a lot, NULL keeps for ever
SELECT softdelete.set_retention('posts', '0');
SELECT retention FROM softdelete.tables WHERE target = 'posts'::regclass;
SELECT softdelete.set_retention('posts', '10 years 3 days');
SELECT retention FROM softdelete.tables WHERE target = 'posts'::regclass;
SELECT softdelete.set_retention('posts', NULL);
SELECT retention IS NULL AS for_ever FROM softdelete.tables WHERE target = 'posts'::regclass;
SELECT softdelete.enable('posts', retention => NULL);
SELECT retention IS NULL AS for_ever FROM softdelete.tables WHERE target = 'posts'::regclass;
CREATE TABLE plain (id int PRIMARY KEY);
\set VERBOSITY sqlstate
SELECT softdelete.set_retention('posts', '-1 second');
SELECT softdelete.enable('posts', retention => '-1 second');
SELECT softdelete.set_retention('plain', '1 day');
SELECT softdelete.set_retention(NULL, '1 day');
SELECT softdelete.set_retention('nowhere', '1 day');
SELECT softdelete.set_retention(0, '1 day');
\set VERBOSITY default
SELECT softdelete.set_retention('posts', '-1 second');
SELECT softdelete.set_retention('plain', '1 day');
SELECT softdelete.enable('plain', retention => '-1 day');
-- nothing came of the refused calls
SELECT target, retention IS NULL AS for_ever FROM softdelete.tables
 WHERE target IN ('posts'::regclass, 'plain'::regclass);
SELECT attname FROM pg_attribute WHERE attrelid = 'plain'::regclass AND attnum > 0 ORDER BY attnum;

-- rows that are marked already are taken over: hidden, stamped, logged, restorable
CREATE TABLE old_posts (id int PRIMARY KEY, deleted_at timestamptz);
INSERT INTO old_posts VALUES (1, NULL), (2, '2020-02-02 02:02:02Z'), (3, '2021-03-03 03:03:03Z');
SELECT softdelete.enable('old_posts');
SELECT * FROM old_posts ORDER BY id;
SELECT target, total, rows, reason, deleted_by, restored FROM softdelete.deletions WHERE target = 'old_posts'::regclass;
SELECT key, deleted_at AT TIME ZONE 'UTC' AS deleted_at, reason, days_left FROM softdelete.trash('old_posts') ORDER BY key;
SELECT softdelete.restore('old_posts', 2);
SELECT * FROM old_posts ORDER BY id;
SELECT target, total, restored FROM softdelete.deletions WHERE target = 'old_posts'::regclass;
-- enabled again they are not taken over again
SELECT softdelete.enable('old_posts');
SELECT count(*) FROM softdelete.deletions WHERE target = 'old_posts'::regclass;
-- a flag has no time of its own: now() is the earliest that can be said
CREATE TABLE old_flags (id int PRIMARY KEY, is_deleted boolean);
INSERT INTO old_flags VALUES (1, false), (2, true), (3, NULL);
SELECT softdelete.enable('old_flags', 'is_deleted');
SELECT id FROM old_flags ORDER BY id;
SET softdelete.visibility = deleted;
SELECT id, is_deleted, deleted_at IS NOT NULL AS has_time, deletion_id IS NOT NULL AS has_id FROM old_flags;
RESET softdelete.visibility;
-- a status: nobody knows the former one
CREATE TABLE old_statuses (id int PRIMARY KEY, status text DEFAULT 'draft');
INSERT INTO old_statuses VALUES (1, 'published'), (2, 'deleted');
SELECT softdelete.enable('old_statuses', 'status');
SELECT id, status FROM old_statuses;
SELECT softdelete.restore('old_statuses', 2);
SELECT id, status FROM old_statuses ORDER BY id;

-- children: refused unless they are managed or asked for
CREATE TABLE forums (id int PRIMARY KEY);
CREATE TABLE "Topics" ("Id" int PRIMARY KEY, "Forum" int REFERENCES forums ON DELETE CASCADE);
CREATE TABLE replies (id int PRIMARY KEY, topic int REFERENCES "Topics" ON DELETE CASCADE, answer_to int REFERENCES replies ON DELETE CASCADE);
CREATE TABLE votes (id int PRIMARY KEY, reply int REFERENCES replies);
CREATE TABLE badges (id int PRIMARY KEY, forum int REFERENCES forums ON DELETE SET NULL);
SELECT softdelete.enable('forums');
SELECT target FROM softdelete.tables
 WHERE target IN ('forums'::regclass, '"Topics"'::regclass, 'replies'::regclass, 'votes'::regclass, 'badges'::regclass);
SELECT softdelete.enable('forums', cascade => true, retention => '3 days');
-- only ON DELETE CASCADE counts
SELECT target, marker, retention FROM softdelete.tables
 WHERE target IN ('forums'::regclass, '"Topics"'::regclass, 'replies'::regclass, 'votes'::regclass, 'badges'::regclass)
 ORDER BY target::text;
INSERT INTO forums VALUES (1);
INSERT INTO "Topics" VALUES (10, 1);
INSERT INTO replies VALUES (100, 10, NULL), (101, NULL, 100);
DELETE FROM forums;
SELECT (SELECT count(*) FROM forums) AS forums, (SELECT count(*) FROM "Topics") AS topics, (SELECT count(*) FROM replies) AS replies;
-- a cycle of tables is a closure like any other
CREATE TABLE a (id int PRIMARY KEY, b int);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b ON DELETE CASCADE;
SELECT softdelete.enable('a', cascade => true);
SELECT target FROM softdelete.tables WHERE target IN ('a'::regclass, 'b'::regclass) ORDER BY target::text;
-- a child that is managed by a column of its own choice stays as it is
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, is_deleted boolean NOT NULL DEFAULT false);
SELECT softdelete.enable('c', 'is_deleted', retention => '1 day');
SELECT softdelete.enable('p', cascade => true, retention => '2 days');
SELECT target, marker, retention FROM softdelete.tables WHERE target IN ('p'::regclass, 'c'::regclass) ORDER BY target::text;

-- what cannot be managed is refused, and says why
CREATE VIEW a_view AS SELECT * FROM plain;
CREATE MATERIALIZED VIEW a_matview AS SELECT * FROM plain;
CREATE SEQUENCE a_sequence;
SET SESSION AUTHORIZATION DEFAULT;
CREATE FOREIGN DATA WRAPPER sd_wrapper;
CREATE SERVER sd_server FOREIGN DATA WRAPPER sd_wrapper;
CREATE FOREIGN TABLE enable.a_foreign_table (id int) SERVER sd_server;
ALTER FOREIGN TABLE enable.a_foreign_table OWNER TO sd_owner;
SET SESSION AUTHORIZATION sd_owner;
CREATE TABLE inh_parent (id int PRIMARY KEY);
CREATE TABLE inh_child () INHERITS (inh_parent);
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE "Parted 1" PARTITION OF parted FOR VALUES FROM (0) TO (10);
SELECT softdelete.enable('a_view');
SELECT softdelete.enable('a_matview');
SELECT softdelete.enable('a_sequence');
SELECT softdelete.enable('a_foreign_table');
SELECT softdelete.enable('plain_pkey');
SELECT softdelete.enable('inh_parent');
SELECT softdelete.enable('inh_child');
SELECT softdelete.enable('"Parted 1"');
SELECT softdelete.enable('pg_catalog.pg_class');
SELECT softdelete.enable('plain', 'nothing');
SELECT softdelete.enable(NULL);
SELECT softdelete.enable('nowhere');
\set VERBOSITY sqlstate
SELECT softdelete.enable('a_view');
SELECT softdelete.enable('a_matview');
SELECT softdelete.enable('a_sequence');
SELECT softdelete.enable('a_foreign_table');
SELECT softdelete.enable('plain_pkey');
SELECT softdelete.enable('inh_parent');
SELECT softdelete.enable('inh_child');
SELECT softdelete.enable('"Parted 1"');
SELECT softdelete.enable('pg_catalog.pg_class');
SELECT softdelete.enable('softdelete.retention');
SELECT softdelete.enable('plain', 'nothing');
SELECT softdelete.enable(NULL);
SELECT softdelete.enable('nowhere');
\set VERBOSITY default
SELECT softdelete.enable('plain', 'deleted_at', 'gone');
-- managed already, by another column or value: enable_marker_change.sql has that
CREATE TABLE two_marks (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT false, is_active boolean NOT NULL DEFAULT true);
SELECT softdelete.enable('two_marks', 'is_deleted');
SELECT softdelete.enable('two_marks', 'is_deleted', 'true');
-- a companion's name is taken by a column of another type
CREATE TABLE taken (id int PRIMARY KEY, deletion_id text);
SELECT softdelete.enable('taken');
SELECT attname FROM pg_attribute WHERE attrelid = 'taken'::regclass AND attnum > 0 ORDER BY attnum;
\set VERBOSITY sqlstate
SELECT softdelete.enable('taken');
\set VERBOSITY default
-- one of the closure cannot be managed: none is
CREATE TABLE root (id int PRIMARY KEY);
CREATE TABLE leaf (id int PRIMARY KEY, root int REFERENCES root ON DELETE CASCADE);
CREATE TABLE leaf_heir () INHERITS (leaf);
SELECT softdelete.enable('root', cascade => true);
SELECT count(*) FROM softdelete.tables WHERE target IN ('root'::regclass, 'leaf'::regclass);

-- not the owner
SET SESSION AUTHORIZATION DEFAULT;
GRANT USAGE ON SCHEMA enable TO sd_user;
GRANT ALL ON ALL TABLES IN SCHEMA enable TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = enable;
\set VERBOSITY sqlstate
SELECT softdelete.enable('two_marks', 'is_deleted');
SELECT softdelete.enable('root');
SELECT softdelete.disable('two_marks');
SELECT softdelete.set_retention('two_marks', '1 day');
\set VERBOSITY default
SELECT softdelete.enable('two_marks', 'is_deleted');
SELECT softdelete.disable('two_marks');
SELECT softdelete.set_retention('two_marks', '1 day');
SET SESSION AUTHORIZATION sd_owner;
SET search_path = enable;

-- renames: of the marker, a companion, the table, the schema
CREATE TABLE things (id int PRIMARY KEY, name text);
INSERT INTO things VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four');
SELECT softdelete.enable('things');
DELETE FROM things WHERE id = 1;
ALTER TABLE things RENAME deleted_at TO "Gone At";
DELETE FROM things WHERE id = 2;
ALTER TABLE things RENAME deletion_id TO "Gone By";
DELETE FROM things WHERE id = 3;
ALTER TABLE things RENAME TO "Things ""n more";
SELECT target, marker, live_predicate, time_column, id_column FROM softdelete.tables WHERE target = '"Things ""n more"'::regclass;
SELECT id, name FROM "Things ""n more";
CREATE SCHEMA "enable Moved";
ALTER TABLE "Things ""n more" SET SCHEMA "enable Moved";
DELETE FROM "enable Moved"."Things ""n more" WHERE id = 4;
SELECT id, name FROM "enable Moved"."Things ""n more";
SELECT softdelete.restore('"enable Moved"."Things ""n more"', g) FROM generate_series(1, 4) g;
SELECT * FROM "enable Moved"."Things ""n more" ORDER BY id;
ALTER SCHEMA "enable Moved" RENAME TO "enable moved again";
DELETE FROM "enable moved again"."Things ""n more" WHERE id < 3;
SELECT key FROM softdelete.trash('"enable moved again"."Things ""n more"') ORDER BY key;
SELECT softdelete.live_predicate('"enable moved again"."Things ""n more"');
-- a statement that was prepared under the old names goes on
PREPARE del AS DELETE FROM "enable moved again"."Things ""n more" WHERE id = $1;
EXECUTE del(3);
ALTER TABLE "enable moved again"."Things ""n more" RENAME "Gone At" TO gone;
EXECUTE del(4);
SELECT count(*) FROM "enable moved again"."Things ""n more";
SELECT softdelete.enable('"enable moved again"."Things ""n more"', 'gone');
SELECT softdelete.purge('"enable moved again"."Things ""n more"', 4);
SELECT softdelete.disable('"enable moved again"."Things ""n more"', drop_columns => true);
SELECT expired, purged, kept FROM softdelete.purge_expired('"enable moved again"."Things ""n more"', older_than => '0');
SELECT softdelete.disable('"enable moved again"."Things ""n more"', drop_columns => true);

-- columns that the state needs cannot be dropped, others can
ALTER TABLE two_marks DROP COLUMN is_deleted;
ALTER TABLE two_marks DROP COLUMN deletion_id CASCADE;
\set VERBOSITY sqlstate
ALTER TABLE two_marks DROP COLUMN is_deleted CASCADE;
ALTER TABLE two_marks DROP COLUMN deleted_at;
ALTER TABLE old_statuses DROP COLUMN former_status;
ALTER TABLE posts DROP COLUMN title, DROP COLUMN deletion_id CASCADE;
\set VERBOSITY default
ALTER TABLE two_marks DROP COLUMN is_active;
INSERT INTO two_marks VALUES (1), (2);
DELETE FROM two_marks WHERE id = 1;
SELECT id, is_deleted FROM two_marks;

-- disable: an ordinary table with a mark is left, DELETE erases, all rows are seen
SELECT softdelete.disable('posts');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'posts'::regclass;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'enable' AND tablename = 'posts';
SELECT target FROM softdelete.tables WHERE target = 'posts'::regclass;
SELECT id, deleted_at IS NULL AS live FROM posts ORDER BY id;
DELETE FROM posts WHERE id = 1;
SELECT id, deleted_at IS NULL AS live FROM posts ORDER BY id;
TRUNCATE plain;
SELECT softdelete.enable('plain');
TRUNCATE plain;
SELECT softdelete.disable('plain');
TRUNCATE plain;
-- enabled once more: the deleted row is the same deletion as before
SELECT softdelete.enable('posts');
SELECT id FROM posts ORDER BY id;
SELECT total, rows, restored FROM softdelete.deletions WHERE target = 'posts'::regclass;
SELECT softdelete.restore('posts', 4);
SELECT total, rows, restored FROM softdelete.deletions WHERE target = 'posts'::regclass;
-- dropping the columns too needs the deleted rows out of the way
DELETE FROM posts WHERE id = 3;
SELECT softdelete.disable('posts', drop_columns => true);
SELECT target FROM softdelete.tables WHERE target = 'posts'::regclass;
\set VERBOSITY sqlstate
SELECT softdelete.disable('posts', drop_columns => true);
\set VERBOSITY default
SELECT softdelete.restore('posts', 3);
SELECT softdelete.disable('posts', drop_columns => true);
SELECT * FROM posts ORDER BY id;
-- a column that was there before stays
SELECT softdelete.restore('old_posts', 3);
SELECT softdelete.disable('old_posts', true);
SELECT * FROM old_posts ORDER BY id;
SELECT attname FROM pg_attribute WHERE attrelid = 'old_statuses'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum;
SELECT softdelete.disable('old_statuses', true);
SELECT * FROM old_statuses ORDER BY id;
-- not managed
SELECT softdelete.disable('posts');
SELECT softdelete.live_predicate('posts');
\set VERBOSITY sqlstate
SELECT softdelete.disable('posts');
SELECT softdelete.disable('nowhere');
SELECT softdelete.disable(NULL);
SELECT softdelete.disable('a_view');
SELECT softdelete.live_predicate('posts');
\set VERBOSITY default

-- a rolled-back enable leaves nothing, a rolled-back disable takes nothing
BEGIN;
SELECT softdelete.enable('posts');
DELETE FROM posts WHERE id = 2;
ROLLBACK;
SELECT * FROM posts ORDER BY id;
BEGIN;
SELECT softdelete.disable('two_marks');
SELECT count(*) FROM two_marks;
ROLLBACK;
SELECT count(*) FROM two_marks;

-- a dropped table leaves no trace among the managed ones
DROP TABLE two_marks;
SELECT count(*) FROM softdelete.tables WHERE target NOT IN (SELECT oid FROM pg_class);

-- temporary and unlogged tables, and one without a primary key
CREATE TEMP TABLE temp_posts (id int PRIMARY KEY);
CREATE UNLOGGED TABLE unlogged_posts (id int PRIMARY KEY);
CREATE TABLE no_key (id int, note text);
INSERT INTO temp_posts VALUES (1), (2);
INSERT INTO unlogged_posts VALUES (1), (2);
INSERT INTO no_key VALUES (1, 'a'), (1, 'a'), (2, 'b');
SELECT softdelete.enable('temp_posts'), softdelete.enable('unlogged_posts'), softdelete.enable('no_key');
DELETE FROM temp_posts WHERE id = 1;
DELETE FROM unlogged_posts WHERE id = 1;
DELETE FROM no_key WHERE id = 1;
SELECT id FROM temp_posts;
SELECT id FROM unlogged_posts;
SELECT id FROM no_key;
SELECT row_data->>'note' AS note FROM softdelete.trash('no_key');
-- by key there is nothing to find it by, by deletion there is
\set VERBOSITY sqlstate
SELECT softdelete.restore('no_key', 1);
\set VERBOSITY default
SELECT softdelete.undo(max(deletion_id)) FROM softdelete.trash('no_key');
SELECT id, note FROM no_key ORDER BY id;
