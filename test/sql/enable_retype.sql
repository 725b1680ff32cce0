-- The type of a marker changes with the commands of the HINT; what was deleted stays so, and comes back as it was
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA enable_retype;
SET search_path = enable_retype;
CREATE TABLE "Lead" (id int PRIMARY KEY, status varchar(10) NOT NULL DEFAULT 'new');
SELECT softdelete.enable('"Lead"', 'status', retention => '1 year', triggers => 'both', hide => false, "unique" => 'keep');
INSERT INTO "Lead" VALUES (1, 'won'), (2, 'lost');
DELETE FROM "Lead" WHERE id = 1;
ALTER TABLE "Lead" ALTER status TYPE varchar(30);
BEGIN; SELECT softdelete.disable('enable_retype."Lead"'); ALTER TABLE enable_retype."Lead" ALTER COLUMN status TYPE character varying(30); SELECT softdelete.enable('enable_retype."Lead"', 'status', 'deleted', retention => '@ 1 year', triggers => 'both', "unique" => 'keep', hide => false); COMMIT;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '"Lead"'::regclass AND attname LIKE '%status' ORDER BY 1;
SELECT retention, triggers, hide FROM softdelete.tables WHERE target = '"Lead"'::regclass;
SELECT softdelete.restore('"Lead"', 1);
SELECT * FROM "Lead" ORDER BY id;
-- to an enum
CREATE TYPE status AS ENUM ('new', 'won', 'lost', 'deleted');
DELETE FROM "Lead" WHERE id = 2;
BEGIN;
SELECT softdelete.disable('"Lead"');
ALTER TABLE "Lead" ALTER status DROP DEFAULT, ALTER status TYPE status USING status::text::status;
SELECT softdelete.enable('"Lead"', 'status', "unique" => 'keep');
COMMIT;
SELECT softdelete.restore('"Lead"', 2);
SELECT * FROM "Lead" ORDER BY id;
-- a time, and columns that nothing depends on
CREATE TABLE note (id int PRIMARY KEY, body varchar(10));
SELECT softdelete.enable('note', "unique" => 'keep');
SELECT softdelete.set_retention('note', NULL);
ALTER TABLE note ALTER body TYPE text, ALTER deleted_at TYPE timestamp;
ALTER TABLE note ALTER body TYPE text;
-- a column of the user's under the companion's name stays what it is
CREATE TABLE mine (id int PRIMARY KEY, status text, former_status int);
SELECT softdelete.enable('mine', 'status');

-- a restore that does not know the former status says so, and what to do
CREATE TABLE legacy (id int PRIMARY KEY, status text NOT NULL);
INSERT INTO legacy VALUES (1, 'deleted'), (2, 'open');
SELECT softdelete.enable('legacy', 'status');
SELECT softdelete.restore('legacy', 1);
SET softdelete.visibility = deleted; UPDATE enable_retype.legacy SET status = 'active' WHERE former_status IS NULL; RESET softdelete.visibility;
SELECT id, status FROM legacy ORDER BY id;
DELETE FROM legacy WHERE id = 2;
SELECT softdelete.restore('legacy', 2);
SELECT id, status FROM legacy ORDER BY id;
