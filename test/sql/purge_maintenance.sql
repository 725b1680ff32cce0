-- CALL run_maintenance() purges a batch a transaction, tells in job_runs how far
-- it is, keeps what it has done whatever comes next, and lets nothing that cannot
-- go stall the rest.
\set SHOW_CONTEXT never
SELECT coalesce(max(id), 0) AS "from" FROM softdelete.job_runs \gset
SELECT set_config('test.from', :'from', false) IS NOT NULL AS ok;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA purge_maintenance;
GRANT USAGE ON SCHEMA purge_maintenance TO PUBLIC;
SET search_path = purge_maintenance;
CREATE FUNCTION left_of(target regclass) RETURNS bigint
LANGUAGE plpgsql SET softdelete.visibility = 'all' AS $$
DECLARE
	result	bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM %s', target) INTO result;
	RETURN result;
END $$;
CREATE VIEW runs AS
	SELECT job, target, status, expired, purged, kept, batches, error, kept_why, finished_at >= started_at AS finished
	  FROM softdelete.job_runs WHERE id > coalesce(current_setting('test.from', true)::bigint, 0) ORDER BY id;
CREATE TABLE "Posts" (id int PRIMARY KEY, note text);
CREATE TABLE images (id int PRIMARY KEY, post int REFERENCES "Posts" ON DELETE CASCADE);
CREATE INDEX ON images (post);
INSERT INTO "Posts" SELECT n, 'post ' || n FROM generate_series(1, 100) n;
INSERT INTO images SELECT n, (n - 1) / 3 + 1 FROM generate_series(1, 300) n;
SELECT softdelete.enable('"Posts"', retention => '0', cascade => true);
SELECT softdelete.set_retention('images', '0');

------------------------------------------------------------------------------
-- A dry run tells, exactly, and changes nothing
------------------------------------------------------------------------------
DELETE FROM "Posts" WHERE id <= 50;
CALL softdelete.run_maintenance('images', dry_run => true);
SELECT left_of('"Posts"'), left_of('images'), (SELECT count(*) FROM runs) AS runs;

------------------------------------------------------------------------------
-- Batch by batch: children, then parents
------------------------------------------------------------------------------
CALL softdelete.run_maintenance('images', 40);
CALL softdelete.run_maintenance('"Posts"', batch_size => 20, pause => '1 millisecond', older_than => '0');
SELECT left_of('"Posts"'), left_of('images');
TABLE runs;
-- nothing is left to do, and that is said, too
CALL softdelete.run_maintenance('"Posts"');
SELECT job, status, expired, purged, kept, batches FROM runs OFFSET 4;
SELECT total, purged FROM softdelete.deletions WHERE target = '"Posts"'::regclass;
SELECT max(id) AS "from" FROM softdelete.job_runs \gset
SELECT set_config('test.from', :'from', false) IS NOT NULL AS ok;

------------------------------------------------------------------------------
-- What cannot go: held, referred to, refused by a trigger.  It is met once, and the
-- rest goes
------------------------------------------------------------------------------
CREATE TABLE cases (id int PRIMARY KEY);
CREATE TABLE papers (id int PRIMARY KEY, "case" int REFERENCES cases);
SET client_min_messages = warning;
SELECT softdelete.enable('cases', retention => '0', triggers => 'update');		-- those for DELETE fire at the purge
RESET client_min_messages;
INSERT INTO cases SELECT generate_series(1, 20);
DELETE FROM cases WHERE id = 1;
SELECT max(id) AS held FROM softdelete.deletions WHERE target = 'cases'::regclass \gset
SELECT softdelete.hold(:held, 'court');
DELETE FROM cases WHERE id BETWEEN 2 AND 10;
RESET SESSION AUTHORIZATION;
SET session_replication_role = replica;
INSERT INTO purge_maintenance.papers VALUES (1, 2), (2, 9);
RESET session_replication_role;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_maintenance;
CALL softdelete.run_maintenance('cases', 3);
SELECT job, target, status, expired, purged, kept, batches, kept_why FROM runs;
SELECT softdelete.release(:held);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF old.id = 13 THEN
		RAISE EXCEPTION 'thirteen stays';
	END IF;
	RETURN old;
END $$;
CREATE TRIGGER refuse BEFORE DELETE ON cases FOR EACH ROW EXECUTE FUNCTION refuse();
ALTER TABLE cases DISABLE TRIGGER refuse;
DELETE FROM cases WHERE id BETWEEN 11 AND 14;
ALTER TABLE cases ENABLE TRIGGER refuse;
DELETE FROM papers;
CALL softdelete.run_maintenance('cases', 3);
SELECT job, status, expired, purged, kept, batches, kept_why FROM runs OFFSET 2;
SELECT left_of('cases');

------------------------------------------------------------------------------
-- A chain of rows that refer to one another, tables in a circle, partitions
------------------------------------------------------------------------------
CREATE TABLE chain (id int PRIMARY KEY, up int REFERENCES chain);
INSERT INTO chain SELECT n, nullif(n - 1, 0) FROM generate_series(1, 20) n;
CREATE TABLE a (id int PRIMARY KEY, b int);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
CREATE TABLE parts (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
SET client_min_messages = warning;
SELECT softdelete.enable(t, retention => '0') FROM unnest('{chain,a,b,parts}'::regclass[]) t;
RESET client_min_messages;
INSERT INTO a VALUES (1), (2);
INSERT INTO b VALUES (1, 1), (2, 2);
UPDATE a SET b = id;
INSERT INTO parts SELECT n, date '2024-12-20' + n FROM generate_series(1, 20) n;
DELETE FROM chain;
WITH x AS (DELETE FROM a) DELETE FROM b;
DELETE FROM parts WHERE id > 5;
SELECT max(id) AS "from" FROM softdelete.job_runs \gset
SELECT set_config('test.from', :'from', false) IS NOT NULL AS ok;
SET client_min_messages = error;			-- and other tests' tables
CALL softdelete.run_maintenance(batch_size => 4, older_than => '0');
RESET client_min_messages;
SELECT left_of('chain'), left_of('a'), left_of('b'), left_of('parts');
SELECT job, target, status, expired, purged, kept FROM runs WHERE target IN ('chain'::regclass, 'a', 'b', 'parts') ORDER BY target::text;

------------------------------------------------------------------------------
-- Where it may run, and with what
------------------------------------------------------------------------------
BEGIN;
CALL softdelete.run_maintenance();
ROLLBACK;
CREATE FUNCTION inside() RETURNS void LANGUAGE plpgsql AS 'BEGIN CALL softdelete.run_maintenance(); END';
\set VERBOSITY terse
SELECT inside();
CALL softdelete.run_maintenance(batch_size => 0);
CALL softdelete.run_maintenance(batch_size => NULL);
CALL softdelete.run_maintenance(pause => '-1 second');
CALL softdelete.run_maintenance(time_budget => '-1 second');
CALL softdelete.run_maintenance(older_than => '-1 second');
CALL softdelete.run_maintenance('papers');
SET default_transaction_read_only = on;
CALL softdelete.run_maintenance();
RESET default_transaction_read_only;
-- from a DO block, which may commit
DO $$ BEGIN CALL softdelete.run_maintenance('chain'); END $$;
-- one who owns nothing is told so
RESET SESSION AUTHORIZATION;
SET client_min_messages = error;
DROP ROLE IF EXISTS sd_nobody;
CREATE ROLE sd_nobody;
RESET client_min_messages;
SET SESSION AUTHORIZATION sd_nobody;
CALL softdelete.run_maintenance('purge_maintenance.cases');
CALL softdelete.run_maintenance();
SELECT job, status, run_by FROM softdelete.job_runs WHERE target = 'purge_maintenance.cases'::regclass;
SELECT count(*) AS own FROM softdelete.job_runs;
SELECT count(*) FROM softdelete.job_log;
SELECT softdelete.clean_log(1);
SELECT softdelete.set_log_retention('0');
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_maintenance;
\set VERBOSITY default

------------------------------------------------------------------------------
-- A time budget ends it between two batches; the next run goes on
------------------------------------------------------------------------------
INSERT INTO "Posts" SELECT n FROM generate_series(201, 300) n;
DELETE FROM "Posts" WHERE id > 200;
SELECT max(id) AS "from" FROM softdelete.job_runs \gset
SELECT set_config('test.from', :'from', false) IS NOT NULL AS ok;
SET client_min_messages = warning;
CALL softdelete.run_maintenance('"Posts"', 10, time_budget => '0');
SELECT job, status, purged, batches, error FROM runs;
CALL softdelete.run_maintenance('"Posts"', 10);
RESET client_min_messages;
SELECT left_of('"Posts"');

------------------------------------------------------------------------------
-- The log keeps deletions of which nothing is left for its own retention only, and
-- those that still have rows as long as they have them
------------------------------------------------------------------------------
RESET SESSION AUTHORIZATION;
SELECT softdelete.log_retention();
INSERT INTO purge_maintenance."Posts" VALUES (1000), (1001);
DELETE FROM purge_maintenance."Posts" WHERE id = 1000;
SELECT softdelete.set_retention('purge_maintenance."Posts"', NULL);
BEGIN;
CREATE TEMP TABLE before AS SELECT count(*) AS n FROM softdelete.deletion_log WHERE target = 'purge_maintenance."Posts"'::regclass;
UPDATE softdelete.deletion_log SET deleted_at = '2001-01-01', purged_at = least(purged_at, '2001-01-01') WHERE target = 'purge_maintenance."Posts"'::regclass;
SELECT softdelete.set_log_retention(NULL);
SELECT softdelete.clean_log(1000) AS gone;
SELECT softdelete.set_log_retention('20 years');
SELECT softdelete.clean_log(1000) = n - 1 AS gone FROM before;
SELECT total, purged FROM softdelete.deletions WHERE target = 'purge_maintenance."Posts"'::regclass;
SELECT count(*) AS events FROM softdelete.event_log WHERE target = 'purge_maintenance."Posts"'::regclass;
ROLLBACK;
DROP ROLE sd_nobody;
