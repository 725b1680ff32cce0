-- A purge erases without a statement where no trigger or rule of a user has a
-- say, and is as strict as a DELETE all the same: what refers to a row keeps it
-- or has its action carried out, whoever owns the referring table and whether it
-- is managed or not.  Why a row was kept is told.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA purge_directly;
GRANT USAGE, CREATE ON SCHEMA purge_directly TO sd_user;
SET search_path = purge_directly;
CREATE FUNCTION remaining(target regclass) RETURNS text
LANGUAGE plpgsql SET softdelete.visibility = 'all' AS $$
DECLARE
	result	text;
BEGIN
	EXECUTE format('SELECT string_agg(id::text, '' '' ORDER BY id) FROM %s', target) INTO result;
	RETURN coalesce(result, 'none');
END $$;

------------------------------------------------------------------------------
-- Referring tables: unmanaged, of another owner, without an index, keys of text,
-- of several columns and of columns with NULLs
------------------------------------------------------------------------------
CREATE TABLE "Parent" (id int PRIMARY KEY, "Code" text UNIQUE, a int, b smallint, UNIQUE (a, b));
GRANT REFERENCES ON "Parent" TO sd_user;
INSERT INTO "Parent" SELECT n, 'c' || n, n, CASE WHEN n <> 9 THEN n END FROM generate_series(1, 30) n;
SET client_min_messages = error;
SELECT softdelete.enable('"Parent"', retention => '0', "unique" => 'keep');
RESET client_min_messages;
CREATE TABLE plain (parent bigint REFERENCES "Parent" ON DELETE CASCADE);
CREATE TABLE by_code ("Code" varchar REFERENCES "Parent" ("Code") ON DELETE RESTRICT);
CREATE TABLE by_pair (a bigint, b int, FOREIGN KEY (a, b) REFERENCES "Parent" (a, b));
CREATE INDEX ON by_pair (a, b);
DELETE FROM "Parent" WHERE id <= 20;
SET SESSION AUTHORIZATION sd_user;
SET search_path = purge_directly;
CREATE TABLE theirs (parent int REFERENCES "Parent");
CREATE INDEX ON theirs (parent);
CREATE TABLE loose (parent int REFERENCES "Parent" ON DELETE SET NULL);
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_directly;
-- children that came by a session that does not know of deletions
RESET SESSION AUTHORIZATION;
SET search_path = purge_directly;
SET session_replication_role = replica;
INSERT INTO plain VALUES (1), (NULL);
INSERT INTO by_code VALUES ('c2'), (NULL);
INSERT INTO by_pair VALUES (3, 3), (9, NULL), (NULL, NULL);
INSERT INTO theirs VALUES (4), (NULL);
INSERT INTO loose VALUES (5), (6), (NULL);
RESET session_replication_role;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_directly;
SELECT expired, purged, kept FROM softdelete.purge_expired('"Parent"', 4, true);
SELECT expired, purged, kept, jsonb_pretty(kept_why) AS kept_why FROM softdelete.purge_expired('"Parent"', 4);
SELECT remaining('"Parent"');
RESET SESSION AUTHORIZATION;
SELECT count(*) FILTER (WHERE parent IS NULL) AS cleared FROM purge_directly.loose;
SELECT count(*) AS dangling FROM purge_directly.loose l WHERE parent IS NOT NULL AND NOT EXISTS (SELECT FROM purge_directly."Parent" p WHERE p.id = l.parent);
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_directly;
DELETE FROM plain;
DELETE FROM by_code;
DELETE FROM by_pair;
SELECT expired, purged, kept, kept_why FROM softdelete.purge_expired('"Parent"');
SELECT remaining('"Parent"');

------------------------------------------------------------------------------
-- A user's trigger or rule has its say
------------------------------------------------------------------------------
CREATE TABLE watched (id int PRIMARY KEY);
CREATE TABLE seen (id int);
CREATE TABLE ruled (id int PRIMARY KEY);
SELECT softdelete.enable('watched', retention => '0', triggers => 'update'), softdelete.enable('ruled', retention => '0');
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO purge_directly.seen VALUES (old.id); RETURN NULL; END';
CREATE TRIGGER see AFTER DELETE ON watched FOR EACH ROW EXECUTE FUNCTION see();
INSERT INTO watched VALUES (1), (2);
INSERT INTO ruled VALUES (1), (2);
DELETE FROM watched;
DELETE FROM ruled;
CREATE RULE keep AS ON DELETE TO ruled WHERE old.id = 1 DO INSTEAD NOTHING;
SELECT expired, purged, kept FROM softdelete.purge_expired('watched');
SELECT expired >= purged AS ok, purged FROM softdelete.purge_expired('ruled');
SELECT remaining('watched'), remaining('ruled'), (SELECT string_agg(id::text, ' ' ORDER BY id) FROM seen) AS seen;

------------------------------------------------------------------------------
-- The statistics count what was erased; the log does, too, and is written once
------------------------------------------------------------------------------
CREATE TABLE counted (id int PRIMARY KEY, part int);
SELECT softdelete.enable('counted', retention => '0');
INSERT INTO counted SELECT n, n % 10 FROM generate_series(1, 1000) n;
DO $$ BEGIN FOR i IN 0..9 LOOP DELETE FROM counted WHERE part = i; COMMIT; END LOOP; END $$;
BEGIN;
SELECT expired, purged, kept FROM softdelete.purge_expired('counted', 50);
SELECT n_tup_del FROM pg_stat_xact_user_tables WHERE relid = 'counted'::regclass;
RESET SESSION AUTHORIZATION;
-- by one transaction without its subtransactions: no MultiXact
SELECT count(*) AS deletions, count(DISTINCT xmin::text) AS writers, bool_and(xmax IN ('0'::xid, xmin)) AS plain, sum(purged) AS purged
  FROM softdelete.deletion_log WHERE target = 'purge_directly.counted'::regclass;
COMMIT;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_directly;

------------------------------------------------------------------------------
-- A table that publishes deletes and has no replica identity cannot be purged
------------------------------------------------------------------------------
CREATE TABLE published (id int);
SELECT softdelete.enable('published', retention => '0');
INSERT INTO published VALUES (1);
DELETE FROM published;
ALTER TABLE published REPLICA IDENTITY NOTHING;
RESET SESSION AUTHORIZATION;
SET client_min_messages = error;
CREATE PUBLICATION purge_directly FOR TABLE purge_directly.published;
RESET client_min_messages;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_directly;
SELECT expired, purged, kept FROM softdelete.purge_expired('published');
SELECT count(*) AS left FROM published;
RESET SESSION AUTHORIZATION;
DROP PUBLICATION purge_directly;
