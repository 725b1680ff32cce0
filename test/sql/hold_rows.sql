-- A hold on one row, live or deleted: nothing erases it, whatever deletion it
-- belongs to, through restore and delete again, until it is released; and every
-- hold, of a row or of a deletion, is kept with its end.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA hold_rows;
GRANT USAGE ON SCHEMA hold_rows TO sd_user;
SET search_path = hold_rows;
CREATE TABLE lead (id int PRIMARY KEY, name text);
CREATE TABLE callback (id int PRIMARY KEY, lead_id int REFERENCES lead ON DELETE CASCADE);
CREATE TABLE "Odd key" ("Part, 1" numeric(6, 2), at timestamptz, PRIMARY KEY ("Part, 1", at));
SET client_min_messages = warning;
SELECT softdelete.enable('lead', cascade => true, retention => '0');
SELECT softdelete.enable('"Odd key"', retention => '0');
RESET client_min_messages;
INSERT INTO lead SELECT i, 'lead ' || i FROM generate_series(1, 5) i;
INSERT INTO callback SELECT i, (i - 1) % 5 + 1 FROM generate_series(1, 10) i;
INSERT INTO "Odd key" VALUES (1.5, '2026-01-01 12:00+00'), (2, '2026-01-01 12:00+00');

-- one that is live, one that is deleted; the same again says so
DELETE FROM lead WHERE id IN (2, 3);
SELECT softdelete.hold_row('lead', 'case 1173', 1);
SELECT softdelete.hold_row('lead', 'case 1174', 2);
SELECT softdelete.hold_row('lead', 'case 1174', 2);
SELECT softdelete.hold_row('"Odd key"', NULL, 1.5, '2026-01-01 13:00+01');
SELECT deletion_id, target, key, held_by, why, released_at FROM softdelete.holds WHERE target IN ('lead'::regclass, '"Odd key"'::regclass) ORDER BY target::text, key;

-- The purge passes over it, and over what it refers to nothing is lost either: the
-- callbacks of lead 2 are not on hold and go, those of 1 are live.
\set VERBOSITY terse
SET client_min_messages = warning;		-- other tests' tables
SELECT target, expired, purged, kept FROM softdelete.purge_expired() WHERE target::text ~ '^(lead|callback)$';
RESET client_min_messages;
SELECT softdelete.purge('lead', 2);
SELECT id FROM softdelete.trash('lead') t, jsonb_to_record(t.key) AS k(id int) ORDER BY 1;

-- restored and deleted again, by another deletion: still on hold
SELECT softdelete.restore('lead', 2);
DELETE FROM lead WHERE id IN (1, 2);
SET client_min_messages = warning;		-- other tests' tables
SELECT target, expired, purged, kept FROM softdelete.purge_expired() WHERE target::text ~ '^(lead|callback)$';
RESET client_min_messages;

-- by no other way, either
DELETE FROM "Odd key";
SELECT target, expired, purged, kept FROM softdelete.purge_expired('"Odd key"');
SET SESSION AUTHORIZATION DEFAULT;
SET softdelete.hard_delete = on;
SET softdelete.visibility = 'all';
SET search_path = hold_rows;
DELETE FROM lead WHERE id = 1;
DELETE FROM "Odd key";
TRUNCATE "Odd key";
TRUNCATE lead, callback;
DELETE FROM lead WHERE id = 4;
RESET softdelete.hard_delete;
RESET softdelete.visibility;
SET SESSION AUTHORIZATION sd_owner;
SELECT count(*) FROM softdelete.trash('"Odd key"');

-- released, in whatever way the session writes its key: it may go
SET TimeZone = 'Asia/Tokyo';
SELECT softdelete.release_row('lead', 1);
SELECT softdelete.release_row('lead', 1);
SELECT softdelete.release_row('lead', NULL::int);
SELECT softdelete.release_row('lead', 5);
SELECT softdelete.purge('lead', 1);
SELECT softdelete.release_row('"Odd key"', 1.50, '2026-01-01 12:00+00');
SELECT target, expired, purged, kept FROM softdelete.purge_expired('"Odd key"');
RESET TimeZone;

-- a deletion's hold leaves a trace, too; held again for another reason, it is another
DELETE FROM lead WHERE id = 5;
SELECT id FROM softdelete.deletions WHERE target = 'lead'::regclass ORDER BY id DESC LIMIT 1 \gset
SELECT softdelete.hold(:id, 'audit');
SELECT softdelete.hold(:id, 'lawsuit');
\set VERBOSITY sqlstate
SELECT softdelete.purge('lead', 5);
\set VERBOSITY terse
SELECT softdelete.release(:id);
SELECT softdelete.purge('lead', 5);
SELECT deletion_id = :id AS of_deletion, target, key, why, released_at IS NOT NULL AS released, released_by
  FROM softdelete.holds WHERE target IN ('lead'::regclass, '"Odd key"'::regclass) ORDER BY target::text, key, why;

-- the owner's to say
SET SESSION AUTHORIZATION sd_user;
SELECT softdelete.hold_row('hold_rows.lead', 'mine', 2);
SELECT softdelete.release_row('hold_rows.lead', 2);
SELECT count(*) FROM softdelete.holds WHERE target = 'hold_rows.lead'::regclass;
SET SESSION AUTHORIZATION sd_owner;
SELECT softdelete.hold_row('lead', 'none', 99);
SELECT softdelete.hold_row('lead', 'none', 'x');
SELECT softdelete.hold_row('lead', 'none', 1, 2);
