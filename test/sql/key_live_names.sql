-- A key that is unique among live rows keeps the name that it had: upserts by
-- column, index hints and migrations go on; what speaks of a constraint, which it
-- is not any more, is told what it is.
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA key_live_names;
SET search_path = key_live_names;
\set SHOW_CONTEXT never
CREATE TABLE "Users" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text CONSTRAINT "The Email" UNIQUE, nick text);
CREATE UNIQUE INDEX index_users_on_nick ON "Users" (nick);
SELECT softdelete.enable('"Users"', "unique" => 'keep');
SELECT softdelete.create_live_unique('"Users"', 'email'), softdelete.create_live_unique('"Users"', 'nick');
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'key_live_names' AND indexdef LIKE 'CREATE UNIQUE%' ORDER BY indexname COLLATE "C";
INSERT INTO "Users" (email, nick) VALUES ('a', 'a') ON CONFLICT (email) DO NOTHING;
ALTER INDEX index_users_on_nick RENAME TO index_users_on_nick2;
DROP INDEX index_users_on_nick2;
-- a migration that takes the constraint away
ALTER TABLE "Users" DROP CONSTRAINT "The Email";
ALTER TABLE "Users" DROP CONSTRAINT IF EXISTS "The Email";
ALTER TABLE "Users" DROP CONSTRAINT other;
DROP INDEX key_live_names."The Email";
-- what is none of ours is told nothing
CREATE TABLE plain (id int, UNIQUE (id));
CREATE UNIQUE INDEX full_index ON plain (id);
ALTER TABLE plain DROP CONSTRAINT full_index;
ALTER TABLE plain DROP CONSTRAINT plain_id_key;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
ALTER TABLE key_live_names."Users" DROP CONSTRAINT "The Email";
