-- Every restore is kept, with its actor and reason: view restores; and what became
-- of one row, as far as it was named: history().
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA log_history;
SET search_path = log_history;
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE TABLE "Leads" (id int PRIMARY KEY, "Name" text);
CREATE TABLE calls (lead int REFERENCES "Leads" ON DELETE CASCADE, at timestamptz, PRIMARY KEY (lead, at));
SELECT softdelete.enable('"Leads"', cascade => true);
INSERT INTO "Leads" VALUES (5, 'five'), (6, 'six'), (7, 'seven');
INSERT INTO calls SELECT id, '2030-01-02 03:04+00' FROM "Leads";
CREATE VIEW last AS SELECT rank() OVER (ORDER BY deletion_id) AS deletion, target, restored_at = now() AS now, restored_by, actor, reason, rows
  FROM softdelete.restores WHERE target IN ('"Leads"'::regclass, 'calls');
CREATE FUNCTION told(t regclass, VARIADIC k anyarray) RETURNS TABLE (what text, deletion bigint, role name, actor text, reason text) LANGUAGE sql AS
	'SELECT h.what, dense_rank() OVER (ORDER BY h.deletion_id), h.role, h.actor, h.reason FROM softdelete.history(t, VARIADIC k) WITH ORDINALITY h(at, what, deletion_id, role, actor, reason, n) ORDER BY h.n';

-- who deleted lead 5, and who brought it back?
SELECT * FROM told('"Leads"', 5);
SET softdelete.actor = 'ann';
SET softdelete.reason = 'asked for it';
DELETE FROM "Leads" WHERE id = 5;
SELECT * FROM told('"Leads"', 5);
SET softdelete.actor = 'bob';
SET softdelete.reason = 'a mistake';
SELECT softdelete.restore('"Leads"', 5);
SELECT * FROM told('"Leads"', 5);
-- once more; each restore stays
SET softdelete.actor = 'cid';
SET softdelete.reason = '';
DELETE FROM "Leads" WHERE id = 5;
SELECT softdelete.restore('"Leads"', 5);
SELECT * FROM told('"Leads"', 5);
TABLE last;
-- and by whatever way: undo, an UPDATE, a part of a deletion
DELETE FROM "Leads";
SELECT softdelete.undo(max(deletion_id)) FROM softdelete.trash('"Leads"');
DELETE FROM "Leads";
SET softdelete.reason = 'bulk';
SET softdelete.visibility = deleted;
UPDATE "Leads" SET deleted_at = NULL WHERE id > 5;
RESET softdelete.visibility;
SELECT * FROM last OFFSET 2;
-- a restore that is rolled back is none
BEGIN;
SELECT softdelete.restore('"Leads"', 5);
ROLLBACK;
SELECT count(*) FROM last;
-- keys of several columns, whatever the session's settings
SELECT softdelete.restore('"Leads"', 5);
DELETE FROM calls WHERE lead = 6;
SET TimeZone = 'Asia/Tokyo';
SELECT softdelete.restore('calls', 6, '2030-01-02 03:04+00');
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'UTC';
SELECT what FROM softdelete.history('calls', 6, timestamptz '02/01/2030 03:04');
RESET DateStyle;
-- a hold, and after the purge
DELETE FROM "Leads" WHERE id = 7;
SELECT softdelete.hold(max(deletion_id), 'law suit') FROM softdelete.trash('"Leads"');
SELECT * FROM told('"Leads"', 7);
SELECT softdelete.release(max(deletion_id)) FROM softdelete.trash('"Leads"');
SELECT softdelete.purge('"Leads"', 7);
SELECT * FROM told('"Leads"', 7);
-- a hold of the row itself
SELECT softdelete.hold_row('"Leads"', 'kept', 6);
SELECT what, role, reason FROM softdelete.history('"Leads"', 6);
SELECT softdelete.release_row('"Leads"', 6);
-- of rows that nothing named, the log knows their present deletion only
DELETE FROM "Leads" WHERE id = 6;
SELECT sum(purged) FROM softdelete.purge_expired('calls', older_than => '0');
SELECT sum(purged) FROM softdelete.purge_expired('"Leads"', older_than => '0');
SELECT * FROM told('"Leads"', 6);
SELECT what, rows, role, actor, key_of, key FROM softdelete.event_log;
RESET SESSION AUTHORIZATION;
SELECT what, rows, role, actor, reason, key_of, key FROM softdelete.event_log WHERE what = 'purged' AND target IN ('"Leads"'::regclass, 'calls') ORDER BY at;

-- others see what they may SELECT
GRANT USAGE ON SCHEMA log_history TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SELECT count(*) FROM softdelete.restores WHERE target = 'log_history."Leads"'::regclass;
SELECT * FROM softdelete.history('log_history."Leads"', 5);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_owner;
GRANT SELECT ON "Leads" TO sd_user;
ALTER TABLE "Leads" ENABLE ROW LEVEL SECURITY;
CREATE POLICY named ON "Leads" TO sd_user USING ("Name" = 'five');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SELECT count(*) > 0 FROM softdelete.restores WHERE target = 'log_history."Leads"'::regclass;
SELECT what, actor FROM softdelete.history('log_history."Leads"', 5);
SELECT what, actor FROM softdelete.history('log_history."Leads"', 7);
-- the unhappy path
SELECT * FROM softdelete.history('log_history."Leads"');
SELECT * FROM softdelete.history('pg_class', 1);
SELECT * FROM softdelete.history('log_history."Leads"', NULL::int);
