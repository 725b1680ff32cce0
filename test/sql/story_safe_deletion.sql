-- Leads with a trash of 30 days: who deleted what and why, how long it is kept, restore
-- one or many, what a clean-up would take, the clean-up, the forced one.  All of it is
-- on record.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA story_leads;
SET search_path = story_leads;
SET client_min_messages = warning;
CREATE TABLE leads (id int PRIMARY KEY, name text, source text);
CREATE TABLE callbacks (id int PRIMARY KEY, lead_id int NOT NULL REFERENCES leads ON DELETE CASCADE, note text);
CREATE INDEX ON callbacks (lead_id);
SELECT softdelete.enable('leads', cascade => true);		-- retention: 30 days, unless said otherwise
RESET client_min_messages;
SELECT target, retention FROM softdelete.tables WHERE target IN ('leads'::regclass, 'callbacks') ORDER BY 1;
INSERT INTO leads SELECT n, 'lead ' || n, CASE WHEN n % 2 = 0 THEN 'fair' ELSE 'web' END FROM generate_series(1, 10) n;
INSERT INTO callbacks SELECT n, (n + 1) / 2, 'callback ' || n FROM generate_series(1, 20) n;
GRANT USAGE ON SCHEMA story_leads TO sd_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA story_leads TO sd_user;

------------------------------------------------------------------------------
-- Delete, with who and why.  Gone from ordinary queries, counted among all
------------------------------------------------------------------------------
SET SESSION AUTHORIZATION sd_user;
SET search_path = story_leads;
BEGIN;
SET LOCAL softdelete.actor = 'ann';
SET LOCAL softdelete.reason = 'duplicate';
DELETE FROM leads WHERE id = 1;
COMMIT;
BEGIN;
SET LOCAL softdelete.actor = 'bob';
SET LOCAL softdelete.reason = 'old fair';
DELETE FROM leads WHERE source = 'fair';
COMMIT;
SELECT array_agg(id ORDER BY id) AS leads FROM leads;
SELECT * FROM leads WHERE id = 1;
SELECT count(*) AS callbacks FROM callbacks;
BEGIN;
SET LOCAL softdelete.visibility = with_deleted;
SELECT count(*) AS "all", count(deleted_at) AS deleted FROM leads;
COMMIT;

-- as if days had passed: lead 1 was deleted 10 days ago, 2 nearly 30, 4 exactly 30 and a bit, 6 31
SET SESSION AUTHORIZATION sd_owner;
SET softdelete.visibility = only_deleted;
UPDATE leads SET deleted_at = now() - CASE id WHEN 1 THEN interval '10 days' WHEN 2 THEN interval '29 days 12 hours'
	WHEN 4 THEN interval '30 days 1 minute' ELSE interval '31 days' END WHERE id IN (1, 2, 4, 6);
UPDATE callbacks SET deleted_at = (SELECT deleted_at FROM leads WHERE leads.id = lead_id);
RESET softdelete.visibility;

------------------------------------------------------------------------------
-- The list of what is deleted: who, why, days left, expired or not
------------------------------------------------------------------------------
SET SESSION AUTHORIZATION sd_user;
SELECT key ->> 'id' AS id, row_data ->> 'name' AS name, deleted_by, actor, reason, days_left, expires_at <= now() AS expired
  FROM softdelete.trash('leads') ORDER BY deleted_at DESC, key;
-- statistics
SELECT live >= 0 AS live, deleted, expired, held FROM softdelete.stats WHERE target = 'leads'::regclass;
SELECT live, deleted, expired, held FROM softdelete.stats_exact('leads');
SELECT actor, reason, total, rows FROM softdelete.deletions WHERE target = 'leads'::regclass ORDER BY id;

------------------------------------------------------------------------------
-- Restore one, with who restored it; many at once
------------------------------------------------------------------------------
BEGIN;
SET LOCAL softdelete.actor = 'cid';
SET LOCAL softdelete.reason = 'was none';
SELECT softdelete.restore('leads', 1) AS rows;
COMMIT;
SELECT l.id, l.name, array_agg(c.note ORDER BY c.id) AS callbacks FROM leads l JOIN callbacks c ON c.lead_id = l.id WHERE l.id = 1 GROUP BY l.id;
SELECT what, role, actor, reason FROM softdelete.history('leads', 1) ORDER BY at, what;
\set VERBOSITY terse
SELECT softdelete.restore('leads', 1);
SELECT softdelete.restore('leads', 99);
\set VERBOSITY default
-- the bulk action: an outcome for each
BEGIN;
SET LOCAL softdelete.actor = 'dee';
SELECT * FROM softdelete.restore_many('leads', '{8,10,3,99}'::int[]);
COMMIT;
SELECT array_agg(id ORDER BY id) AS leads FROM leads;
SELECT restored_by, actor, reason, rows FROM softdelete.restores WHERE target = 'leads'::regclass ORDER BY restored_at, deletion_id;
-- and the bulk action that deletes
BEGIN;
SET LOCAL softdelete.actor = 'dee';
SELECT key, outcome FROM softdelete.delete_many('leads', '{8,9,2}'::int[]);
COMMIT;

------------------------------------------------------------------------------
-- The clean-up: tried, then done; children first.  All tables in their order, daily at
-- two: softdelete.schedule(), by pg_cron (test/t/020_pg_cron.pl)
------------------------------------------------------------------------------
\set VERBOSITY terse
SELECT * FROM softdelete.purge_expired('leads');		-- not the application's
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
CALL softdelete.run_maintenance('callbacks', dry_run => true);
SELECT * FROM softdelete.purge_expired('callbacks', dry_run => true);
-- alone the leads cannot go: that is said
CALL softdelete.run_maintenance('leads', dry_run => true);
SELECT count(*) AS in_trash FROM softdelete.trash('leads');
SELECT coalesce(max(id), 0) AS before FROM softdelete.job_runs \gset
CALL softdelete.run_maintenance('callbacks');
CALL softdelete.run_maintenance('leads');
SELECT job, target, status, expired, purged, kept FROM softdelete.job_runs WHERE id > :before ORDER BY id;
SELECT key ->> 'id' AS id, days_left FROM softdelete.trash('leads') ORDER BY 1;
SELECT count(*) AS callbacks_of_them FROM softdelete.trash('callbacks') WHERE row_data ->> 'lead_id' IN ('4', '6');
\set VERBOSITY terse
SELECT softdelete.restore('leads', 4);
\set VERBOSITY default
-- the retention is what is configured
SELECT softdelete.set_retention('leads', '7 days', cascade => true);
SELECT key ->> 'id' AS id, days_left, expires_at <= now() AS expired FROM softdelete.trash('leads') ORDER BY 1;
SELECT target, expired FROM softdelete.purge_expired('callbacks', dry_run => true);
SELECT softdelete.set_retention('leads', '30 days', cascade => true);

------------------------------------------------------------------------------
-- The forced clean-up: everything that is deleted, however recently; but not what
-- is on hold
------------------------------------------------------------------------------
SELECT softdelete.hold(max(id), 'case 1173') FROM softdelete.deletions WHERE target = 'leads'::regclass;		-- leads 8 and 9
SELECT target, expired, purged, kept, kept_why FROM softdelete.purge_expired('callbacks', older_than => '0');
SELECT target, expired, purged, kept, kept_why FROM softdelete.purge_expired('leads', older_than => '0');
SELECT key ->> 'id' AS id FROM softdelete.trash('leads') ORDER BY 1;
SELECT softdelete.release(max(id)) FROM softdelete.deletions WHERE target = 'leads'::regclass;
CALL softdelete.run_maintenance('callbacks', older_than => '0');
CALL softdelete.run_maintenance('leads', older_than => '0');
SELECT count(*) AS leads FROM softdelete.trash('leads');
SELECT count(*) AS callbacks FROM softdelete.trash('callbacks');
SELECT array_agg(id ORDER BY id) AS leads FROM leads;

------------------------------------------------------------------------------
-- All of it is on record: deletions, restorations, permanent deletions
------------------------------------------------------------------------------
SELECT actor, reason, total, restored, purged, purged_at IS NOT NULL AS purged_some FROM softdelete.deletions WHERE target = 'leads'::regclass ORDER BY id;
SELECT actor, rows FROM softdelete.restores WHERE target = 'leads'::regclass ORDER BY restored_at, deletion_id;
SELECT what, role, actor, reason FROM softdelete.history('leads', 1) ORDER BY at, what;
-- of a row that is gone for good the deletions have the count, and no key or value
SELECT count(*) AS of_lead_4 FROM softdelete.history('leads', 4);
