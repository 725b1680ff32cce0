-- An upsert by columns that are unique among live rows finds their index whatever
-- the session sees: import scripts and dumps that are loaded with ON CONFLICT run
-- under visibility all or row_security = off.
\set VERBOSITY terse
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA key_upsert_visibility;
SET search_path = key_upsert_visibility;
CREATE TABLE "User" (id int PRIMARY KEY, email text UNIQUE, n int DEFAULT 0);
SELECT softdelete.enable('"User"', "unique" => 'keep');
SELECT softdelete.create_live_unique('"User"', 'email') IS NOT NULL AS made;
INSERT INTO "User" VALUES (1, 'a'), (2, 'b');
DELETE FROM "User" WHERE id = 1;
INSERT INTO "User" VALUES (3, 'a');
DELETE FROM "User" WHERE id = 2;

PREPARE add (int, text) AS INSERT INTO "User" VALUES ($1, $2)
	ON CONFLICT (email) DO UPDATE SET n = "User".n + 1 RETURNING id, n;
CREATE FUNCTION try(number int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r	record;
BEGIN
	INSERT INTO "User" VALUES (number, 'a') ON CONFLICT (email) DO NOTHING;
	INSERT INTO "User" VALUES (number, 'a') ON CONFLICT (email) DO UPDATE SET n = "User".n + 1 RETURNING * INTO r;
	RAISE NOTICE 'a: %, %', r.id, r.n;
	-- only a deleted row has this one
	INSERT INTO "User" VALUES (number, 'b') ON CONFLICT (email) DO UPDATE SET n = "User".n + 1 RETURNING * INTO r;
	RAISE NOTICE 'b: %, %', r.id, r.n;
END $$;
SELECT try(10);
EXECUTE add(0, 'a');
SET softdelete.visibility = 'all';
EXECUTE add(0, 'a');
SELECT try(11);
SET softdelete.visibility = deleted;
EXECUTE add(0, 'a');
SELECT try(12);
RESET softdelete.visibility;
SET row_security = off;
EXECUTE add(0, 'a');
SELECT try(13);
RESET row_security;
SET application_name = 'pg_repack';
EXECUTE add(0, 'a');
RESET application_name;
EXECUTE add(0, 'a');

-- by the primary key, which deleted rows hold, too: whoever sees them may update
-- them, others are told
INSERT INTO "User" VALUES (2, 'c') ON CONFLICT (id) DO UPDATE SET n = 99;
SET softdelete.visibility = 'all';
INSERT INTO "User" VALUES (2, 'c') ON CONFLICT (id) DO UPDATE SET n = 99 RETURNING email, n;
SELECT id, email, n, deleted_at IS NOT NULL AS deleted FROM "User" ORDER BY id;

-- a condition of the statement's own is kept, and needed as ever
RESET softdelete.visibility;
CREATE TABLE part (id int PRIMARY KEY, email text, active boolean);
SELECT softdelete.enable('part', "unique" => 'keep');
CREATE UNIQUE INDEX ON part (email) WHERE active AND deleted_at IS NULL;
INSERT INTO part VALUES (1, 'a', true);
SET softdelete.visibility = 'all';
INSERT INTO part VALUES (2, 'a', true) ON CONFLICT (email) WHERE active DO UPDATE SET id = 3 RETURNING id;
INSERT INTO part VALUES (2, 'a', true) ON CONFLICT (email) DO NOTHING;
