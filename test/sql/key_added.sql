-- A unique key that is added to a managed table is one of live rows, as those are
-- that were there when it was enabled: a migration does not fail for rows that the
-- application has deleted.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA key_added;
SET search_path = key_added;
CREATE TABLE "Users" (id int PRIMARY KEY, email text, "Nick" text, n int, note text);
INSERT INTO "Users" VALUES (1, 'a', 'x', NULL, ''), (2, 'a', 'x', NULL, ''), (3, 'b', 'y', 1, '');
SELECT softdelete.enable('"Users"');
DELETE FROM "Users" WHERE id = 1;

CREATE FUNCTION keys() RETURNS TABLE (index name, definition text, constraint_of_the_name text, comment text) LANGUAGE sql AS $$
	SELECT i.relname, regexp_replace(pg_get_indexdef(i.oid), '.* USING ', ''),
		   (SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c WHERE c.conrelid = x.indrelid AND c.conname = i.relname),
		   obj_description(i.oid)
	  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = 'key_added."Users"'::regclass AND x.indisunique ORDER BY 1
$$;

-- constraints, with a name and without, several in a command, beside another
ALTER TABLE "Users" ADD CONSTRAINT "The Email" UNIQUE (email), ADD UNIQUE ("Nick", n) INCLUDE (id), ADD CHECK (n > 0);
ALTER TABLE "Users" ADD UNIQUE ("Nick", n);
ALTER TABLE "Users" ADD CONSTRAINT nulls UNIQUE NULLS NOT DISTINCT ("Nick", n);
-- indexes
CREATE UNIQUE INDEX ON "Users" (lower(email));
CREATE UNIQUE INDEX IF NOT EXISTS of_nick ON "Users" ("Nick") WITH (fillfactor = 70);
CREATE UNIQUE INDEX IF NOT EXISTS of_nick ON "Users" ("Nick");
CREATE UNIQUE INDEX CONCURRENTLY of_both ON "Users" (email, "Nick" DESC NULLS LAST);
SELECT * FROM keys();

-- what the application sees
INSERT INTO "Users" VALUES (4, 'a', 'z', 2);
INSERT INTO "Users" VALUES (5, 'c', 'z', 3) ON CONFLICT ("Nick") DO UPDATE SET note = 'upserted' RETURNING id, note;
INSERT INTO "Users" VALUES (5, 'a', 'q', 4) ON CONFLICT ON CONSTRAINT "The Email" DO NOTHING;
DELETE FROM "Users" WHERE id = 2;
INSERT INTO "Users" VALUES (6, 'a', 'x', NULL) ON CONFLICT DO NOTHING RETURNING id;
SELECT softdelete.restore('"Users"', 2);
-- a live row stands in the way, and so do mistakes
INSERT INTO "Users" VALUES (7, 'b7', 'y7', 1);
ALTER TABLE "Users" ADD UNIQUE (n);
CREATE UNIQUE INDEX ON "Users" (n);
ALTER TABLE "Users" ADD UNIQUE (nonesuch);
ALTER TABLE "Users" ADD CONSTRAINT "The Email" UNIQUE (note);
ALTER TABLE IF EXISTS nowhere ADD UNIQUE (note);
GRANT USAGE ON SCHEMA key_added TO sd_user;
SET SESSION AUTHORIZATION sd_user;
ALTER TABLE key_added."Users" ADD UNIQUE (id);
SET SESSION AUTHORIZATION sd_owner;

-- down again: by the names that the migration knows
ALTER TABLE "Users" RENAME CONSTRAINT nulls TO "No Nulls";
ALTER TABLE "Users" DROP CONSTRAINT "No Nulls", DROP CONSTRAINT "Users_Nick_n_key1";
DROP INDEX of_both;
SELECT index, constraint_of_the_name FROM keys();

-- In one transaction with other changes, and taken back
BEGIN;
ALTER TABLE "Users" ADD COLUMN code text UNIQUE;
ALTER TABLE "Users" ADD UNIQUE (code, id);
ROLLBACK;
SELECT count(*) FROM keys();

-- Stays a key of all rows: one that speaks of the mark, says itself for which rows it is, can be deferred
CREATE UNIQUE INDEX of_marks ON "Users" (id, deleted_at);
CREATE UNIQUE INDEX of_some ON "Users" (id) WHERE n > 0;
ALTER TABLE "Users" ADD CONSTRAINT late UNIQUE (id, n) DEFERRABLE;
-- and in a session that sees deleted rows
SET softdelete.visibility = with_deleted;
ALTER TABLE "Users" ADD CONSTRAINT full_key UNIQUE (id, email);
ALTER TABLE "Users" ADD CONSTRAINT email_again UNIQUE (email);
RESET softdelete.visibility;
SET row_security = off;
CREATE UNIQUE INDEX from_a_dump ON "Users" (id, "Nick");
RESET row_security;
SELECT index, definition FROM keys() WHERE comment IS NULL;
ALTER TABLE "Users" DROP CONSTRAINT late, DROP CONSTRAINT full_key;
-- as a foreign key wants it
CREATE TABLE child (nick text);
ALTER TABLE child ADD FOREIGN KEY (nick) REFERENCES "Users" ("Nick");

-- disable() puts back what was meant
UPDATE "Users" SET note = '' WHERE note IS NULL;
SET client_min_messages = warning;
SET softdelete.visibility = with_deleted;
UPDATE "Users" SET email = 'e' || id, "Nick" = 'n' || id WHERE deleted_at IS NOT NULL;
RESET softdelete.visibility;
SELECT softdelete.disable('"Users"');
SELECT index, definition, constraint_of_the_name FROM keys();
RESET client_min_messages;

-- "unique" => 'keep' means these, too
CREATE TABLE kept (id int PRIMARY KEY, email text);
INSERT INTO kept VALUES (1, 'a'), (2, 'a');
SELECT softdelete.enable('kept', "unique" => 'keep');
DELETE FROM kept WHERE id = 1;
ALTER TABLE kept ADD UNIQUE (email);
-- a partitioned table
CREATE TABLE parts (id int PRIMARY KEY, email text) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (10);
SELECT softdelete.enable('parts');
ALTER TABLE parts ADD UNIQUE (id, email);
ALTER TABLE part ADD UNIQUE (email);
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'key_added' AND tablename LIKE 'part%' AND indexdef ~ 'email' ORDER BY 1;
DROP SCHEMA key_added CASCADE;
