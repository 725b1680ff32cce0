-- CALL enable_online(): the same as enable(), in steps that are committed one by one
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA enable_online;
SET search_path = enable_online;
CREATE TABLE "Post" (id int PRIMARY KEY, status text NOT NULL DEFAULT 'new', slug int UNIQUE, filler text DEFAULT repeat('x', 900));
CREATE TABLE comment (id int PRIMARY KEY, p int REFERENCES "Post" ON DELETE CASCADE, is_active boolean);
INSERT INTO "Post" SELECT n, CASE WHEN n % 10 = 0 THEN 'deleted' ELSE 'live' END, n FROM generate_series(1, 10000) n;
INSERT INTO comment SELECT n, n, n % 10 <> 0 FROM generate_series(1, 1000) n;
CALL softdelete.enable_online('"Post"', 'status');
CALL softdelete.enable_online('"Post"', 'status', cascade => true, retention => '1 year', triggers => 'both', hide => false);
SELECT target, marker, retention, triggers, hide FROM softdelete.tables WHERE target IN ('"Post"'::regclass, 'comment'::regclass) ORDER BY target::text;
-- one deletion for all rows that were marked, over all batches; the default is their former status
SELECT rows, reason FROM softdelete.deletions WHERE target IN ('"Post"'::regclass, 'comment'::regclass) ORDER BY id;
SET softdelete.visibility = 'all';
SELECT count(*) FILTER (WHERE deletion_id IS NOT NULL AND deleted_at IS NOT NULL AND former_status = 'new') AS stamped, count(*) FILTER (WHERE deletion_id IS NULL) AS live FROM "Post";
RESET softdelete.visibility;
-- again: nothing is done twice
CALL softdelete.enable_online('"Post"', 'status', hide => true);
SELECT count(*) FROM "Post";
SELECT count(*) FROM softdelete.deletions WHERE target = '"Post"'::regclass;
-- what the NOTICE says is left to do for a large table
CREATE INDEX CONCURRENTLY "Post_deleted_idx" ON enable_online."Post" (deleted_at, deletion_id) WHERE status OPERATOR(pg_catalog.=) 'deleted'::text;
COMMENT ON INDEX enable_online."Post_deleted_idx" IS 'softdelete: finds deleted rows by age';
CALL softdelete.enable_online('"Post"', 'status', "unique" => 'keep');
-- interrupted after the columns, or between two batches: it goes on
CREATE TABLE half (id int PRIMARY KEY, is_deleted boolean);
INSERT INTO half SELECT n, true FROM generate_series(1, 10) n;
SELECT softdelete.online_columns('half', 'is_deleted', NULL);
SELECT softdelete.online_adopt('half', 'is_deleted', NULL, NULL, 'half', 0, 500) > 0 AS adopted;
INSERT INTO half VALUES (11, true), (12, false);
CALL softdelete.enable_online('half', 'is_deleted');
SELECT id FROM half;
SELECT rows FROM softdelete.deletions WHERE target = 'half'::regclass ORDER BY id;
-- rows that were marked after their batch: the last pass takes them
CREATE TABLE late (id int PRIMARY KEY, is_deleted boolean);
INSERT INTO late VALUES (1, false), (2, false);
SELECT softdelete.online_columns('late', 'is_deleted', NULL);
UPDATE late SET is_deleted = true WHERE id = 1;
SELECT softdelete.online_triggers('late', 'is_deleted', NULL, NULL, 'delete', true);
CALL softdelete.enable_online('late', 'is_deleted');
SELECT rows, reason FROM softdelete.deletions WHERE target = 'late'::regclass;
-- partitions
CREATE TABLE parted (id int PRIMARY KEY, is_deleted boolean) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
INSERT INTO parted VALUES (1, true), (2, false), (11, true);
CALL softdelete.enable_online('parted', 'is_deleted');
SELECT * FROM softdelete.restore('parted', 11);
-- what it leaves to enable(), and what it cannot be part of
CALL softdelete.enable_online('late', 'deleted_at');
\set VERBOSITY sqlstate
CALL softdelete.enable_online('late', 'nothing');
CALL softdelete.enable_online('late', triggers => 'x');
BEGIN;
CALL softdelete.enable_online('late', 'is_deleted');
ROLLBACK;
SET SESSION AUTHORIZATION sd_user;
CALL softdelete.enable_online('enable_online.late', 'is_deleted');
