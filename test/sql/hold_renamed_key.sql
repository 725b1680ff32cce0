-- A hold of a row goes on when the columns of its key are renamed, as it does when
-- the table is; and it does not end because a column of the key is gone.
SET ROLE sd_owner;
SET client_min_messages = warning;
CREATE SCHEMA "hold Renamed";
SET search_path = "hold Renamed";
CREATE TABLE "Lead" (id int, "Part" text, note text, PRIMARY KEY (id, "Part"));
SELECT softdelete.enable('"Lead"');
INSERT INTO "Lead" VALUES (1, 'a'), (1, 'b'), (2, 'a'), (2, 'b');
SELECT softdelete.hold_row('"Lead"', 'case', 1, 'a'), softdelete.hold_row('"Lead"', 'was one', 2, 'a');
SELECT softdelete.release_row('"Lead"', 2, 'a');
DELETE FROM "Lead";
ALTER TABLE "Lead" RENAME id TO number;
ALTER TABLE "Lead" RENAME "Part" TO part;
ALTER TABLE "Lead" RENAME TO lead;
ALTER TABLE lead RENAME note TO remark;
SELECT key, why, released_at IS NULL AS in_force FROM softdelete.holds WHERE target = 'lead'::regclass ORDER BY why;
SELECT expired, purged, kept, kept_why FROM softdelete.purge_expired('lead', older_than => '0');
\set VERBOSITY sqlstate
SELECT softdelete.purge('lead', 1, 'a');
\set VERBOSITY default
-- in the transaction that has read it, too
INSERT INTO lead VALUES (3, 'c');
BEGIN;
SELECT softdelete.hold_row('lead', 'later', 3, 'c');
DELETE FROM lead WHERE number = 3;
SELECT purged, kept FROM softdelete.purge_expired('lead', older_than => '0');
ALTER TABLE lead RENAME number TO id;
SELECT purged, kept FROM softdelete.purge_expired('lead', older_than => '0');
COMMIT;
-- a column of the key is dropped: what is left of the key is held
INSERT INTO lead VALUES (4, 'a'), (5, 'z');
DELETE FROM lead;
ALTER TABLE lead DROP CONSTRAINT "Lead_pkey", DROP COLUMN part;
SELECT purged, kept FROM softdelete.purge_expired('lead', older_than => '0');
SET softdelete.visibility = only_deleted;
SELECT id FROM lead ORDER BY id;
RESET softdelete.visibility;
RESET ROLE;
DROP SCHEMA "hold Renamed" CASCADE;
