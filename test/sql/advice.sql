-- advice(): what could be better about managed tables, each with the command
-- that makes it so, which \gexec can run; and after that there is nothing left
-- to say.  foreign_keys: what a delete does along each key.
SET SESSION AUTHORIZATION sd_owner;
SET client_min_messages = error;
CREATE SCHEMA advice;
SET search_path = advice;
\set SHOW_CONTEXT never
CREATE TABLE "Users" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE,
	"Nick" text, org int, note text, UNIQUE NULLS NOT DISTINCT ("Nick", org) INCLUDE (note));
CREATE UNIQUE INDEX by_lower ON "Users" (lower(email));
CREATE INDEX "By Note" ON "Users" (note DESC, org);
CREATE TABLE codes (code text PRIMARY KEY, label text UNIQUE);
CREATE TABLE uses (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text REFERENCES codes (label));
CREATE TABLE links (a int, b int, "user" bigint REFERENCES "Users" ON DELETE CASCADE, PRIMARY KEY (a, b));
CREATE TABLE logs (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "user" bigint REFERENCES "Users" ON DELETE CASCADE);
CREATE TABLE hints (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "user" bigint REFERENCES "Users" ON DELETE SET NULL);
SELECT softdelete.enable('"Users"', cascade => true, "unique" => 'keep');
SELECT softdelete.enable('codes', build_index => false, "unique" => 'keep');
SELECT softdelete.enable('uses', triggers => 'update', "unique" => 'keep');
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
CREATE TRIGGER farewell AFTER DELETE ON uses FOR EACH ROW EXECUTE FUNCTION noop();
SELECT softdelete.disable('logs');
-- a third of the rows deleted
INSERT INTO "Users" (email, "Nick", org, note) SELECT n || '@example.org', n, n, n FROM generate_series(1, 3000) n;
DELETE FROM "Users" WHERE id % 3 = 0;
VACUUM ANALYZE "Users";

SELECT * FROM softdelete.foreign_keys WHERE child IN ('uses'::regclass, 'links', 'logs', 'hints') ORDER BY child::text;

-- (sizes differ from one build to the next)
SELECT target, kind, regexp_replace(problem, 'about .*', 'about ...') AS problem, ddl, severity
  FROM softdelete.advice() WHERE target IN ('"Users"'::regclass, 'codes', 'uses', 'links');

-- every command runs as it is
SELECT ddl FROM softdelete.advice('"Users"') WHERE ddl IS NOT NULL
\gexec
SELECT ddl FROM softdelete.advice('codes') WHERE ddl IS NOT NULL
\gexec
SELECT ddl FROM softdelete.advice('links') WHERE ddl IS NOT NULL
\gexec
SELECT ddl FROM softdelete.advice('uses') WHERE ddl IS NOT NULL
\gexec

-- what is left has no command
SELECT target, kind, problem, ddl
  FROM softdelete.advice() WHERE target IN ('"Users"'::regclass, 'codes', 'uses', 'links');

-- and the keys are free for live rows
INSERT INTO "Users" (email, "Nick", org) VALUES ('3@example.org', '3', 3);
INSERT INTO "Users" (email, "Nick", org) VALUES ('4@example.org', 'x', 4);
SELECT indexdef FROM pg_indexes WHERE schemaname = 'advice' AND indexdef ~ 'WHERE' ORDER BY indexname;

-- a child by itself is enabled where it can be: at the root of its partitions
CREATE TABLE owners (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE pets (id int, owner int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE "Old" PARTITION OF pets FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
CREATE TABLE "Old 1" PARTITION OF "Old" DEFAULT;
SELECT softdelete.enable('owners', triggers => 'update', "unique" => 'keep');
ALTER TABLE "Old 1" ADD FOREIGN KEY (owner) REFERENCES owners ON DELETE CASCADE;
SELECT problem, ddl FROM softdelete.advice('owners');
SELECT ddl FROM softdelete.advice('owners')
\gexec
-- and the extension's own triggers are known by what they call
ALTER TRIGGER "~softdelete_guard" ON owners RENAME TO guard;
CREATE TRIGGER "~softdelete_farewell" AFTER DELETE ON owners FOR EACH ROW EXECUTE FUNCTION noop();
SELECT kind, problem, ddl FROM softdelete.advice('owners');
-- nothing to say of it where it fires at the delete
SELECT softdelete.enable('owners', "unique" => 'keep');
SELECT count(*) FROM softdelete.advice('owners') WHERE kind = 'delete_trigger';

-- the unhappy path
CREATE TABLE plain (id int);
SELECT * FROM softdelete.advice('plain');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
-- others' tables are not the caller's business
SELECT count(*) FROM softdelete.advice() WHERE target::text LIKE 'advice.%';
