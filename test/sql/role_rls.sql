-- row-level security: a policy that hides a row hides it deleted as well, and
-- what a role may not DELETE it does not restore either.  Cascades go on in the
-- name of the child's owner, policies aside, as foreign keys do.
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA rls;
GRANT USAGE ON SCHEMA rls TO sd_user;
GRANT CREATE ON SCHEMA rls TO sd_user;
SET search_path = rls;
CREATE TABLE "Docs" (id int PRIMARY KEY, tenant name, title text);
CREATE TABLE lines (id int PRIMARY KEY, doc int REFERENCES "Docs" ON DELETE CASCADE, body text);
CREATE TABLE pins (id int PRIMARY KEY, doc int REFERENCES "Docs");
SELECT softdelete.enable('"Docs"', cascade => true, "unique" => 'keep');
SELECT softdelete.enable('pins', "unique" => 'keep');
INSERT INTO "Docs" SELECT g, CASE WHEN g % 2 = 0 THEN 'sd_user' ELSE 'someone' END, 'doc ' || g FROM generate_series(1, 10) g;
INSERT INTO lines SELECT g, g, 'body' FROM generate_series(1, 10) g;
ALTER TABLE "Docs" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON "Docs" USING (tenant = current_user) WITH CHECK (tenant = current_user);
GRANT SELECT, INSERT, UPDATE, DELETE ON "Docs" TO sd_user;

------------------------------------------------------------------------------
-- rows of others: not seen, deleted, restored or purged
------------------------------------------------------------------------------

-- the same for an ordinary table, to compare with
CREATE TABLE plain AS SELECT id, tenant FROM "Docs";
ALTER TABLE plain ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON plain USING (tenant = current_user);
GRANT SELECT, UPDATE, DELETE ON plain TO sd_user;
DELETE FROM "Docs" WHERE id IN (1, 2);
SET SESSION AUTHORIZATION sd_user;
SET search_path = rls;
\set QUIET off
DELETE FROM plain WHERE id IN (3, 4, 5);
DELETE FROM "Docs" WHERE id IN (3, 4, 5);
DELETE FROM "Docs" WHERE id = 2;
DELETE FROM "Docs" WHERE id = 3;
WITH gone AS (DELETE FROM "Docs" WHERE id < 7 RETURNING id) SELECT * FROM gone;
UPDATE "Docs" SET deleted_at = now() WHERE id IN (7, 8);
SET softdelete.visibility = 'all';
SELECT id, deleted_at IS NULL AS live FROM "Docs" ORDER BY id;
DELETE FROM "Docs" WHERE id IN (2, 3, 9);
SET softdelete.visibility = deleted;
SELECT id FROM "Docs" ORDER BY id;
UPDATE "Docs" SET deleted_at = NULL WHERE id IN (1, 8);
-- nor given away as it comes back
UPDATE "Docs" SET deleted_at = NULL, tenant = 'someone' WHERE id = 2;
RESET softdelete.visibility;
\set QUIET on
SELECT key->>'id' AS id, row_data->>'title' AS title FROM softdelete.trash('"Docs"') ORDER BY 1;
-- (asked for all tables it does not evaluate policies of others)
SELECT count(*) FROM softdelete.trash() WHERE target = '"Docs"'::regclass;
-- the strict calls: as if the row did not exist
SELECT softdelete.delete('"Docs"', 3);
SELECT softdelete.delete('"Docs"', 1);
SELECT softdelete.restore('"Docs"', 1);
SELECT softdelete.restore('"Docs"', 3);
\set VERBOSITY sqlstate
SELECT softdelete.restore('"Docs"', 99);
SELECT softdelete.delete('"Docs"', 2);
SELECT softdelete.restore('"Docs"', 8);
SELECT softdelete.purge('"Docs"', 2);
\set VERBOSITY default
SELECT softdelete.restore('"Docs"', 2);
-- an upsert that meets a deleted row does not tell what is in it, the role's own
-- included.  (Which of two errors meets somebody else's depends on the release.)
DELETE FROM "Docs" WHERE id = 2;
DO $$
DECLARE
    told text;
BEGIN
    INSERT INTO "Docs" VALUES (1, 'sd_user', 'mine') ON CONFLICT (id) DO UPDATE SET title = 'mine';
EXCEPTION WHEN unique_violation OR insufficient_privilege THEN
    GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL;
    RAISE NOTICE 'refused, and told%', CASE WHEN told ~ '1|someone|doc 1' THEN ': ' || told ELSE ' nothing' END;
END $$;
INSERT INTO "Docs" VALUES (2, 'sd_user', 'mine') ON CONFLICT (id) DO UPDATE SET title = 'mine';
SELECT softdelete.restore('"Docs"', 2);
-- row_security = off asks for all rows or none
SET row_security = off;
\set VERBOSITY sqlstate
SELECT id FROM "Docs";
DELETE FROM "Docs";
SELECT softdelete.delete('"Docs"', 2);
SELECT * FROM softdelete.trash('"Docs"');
\set VERBOSITY default
RESET row_security;
-- MERGE's DELETE would be held to the policies for UPDATE
MERGE INTO "Docs" d USING (VALUES (2)) v (id) ON d.id = v.id WHEN MATCHED THEN DELETE;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM "Docs";
SET SESSION AUTHORIZATION sd_owner;
SET search_path = rls;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM "Docs";
SELECT string_agg(id::text, ' ' ORDER BY id) FROM lines;

-- undo() brings back what the caller may touch of the root table
DELETE FROM "Docs" WHERE id IN (8, 10);
SET SESSION AUTHORIZATION sd_user;
SET search_path = rls;
SELECT softdelete.undo(max(deletion_id)) FROM softdelete.trash('"Docs"');
SET SESSION AUTHORIZATION sd_owner;
SET search_path = rls;
DELETE FROM "Docs" WHERE id IN (7, 9);
SELECT max(id) AS theirs FROM softdelete.deletions WHERE target = '"Docs"'::regclass \gset
DELETE FROM plain;
SET SESSION AUTHORIZATION sd_user;
SET search_path = rls;
\set VERBOSITY sqlstate
SELECT softdelete.undo(:theirs);
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
SET search_path = rls;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM "Docs";
SELECT string_agg(id::text, ' ' ORDER BY id) FROM lines;
SELECT softdelete.undo(:theirs);

------------------------------------------------------------------------------
-- separate policies for each command: a DELETE is held to those for DELETE (and
-- SELECT, if it reads), a restore as well, an UPDATE of the mark to those for
-- UPDATE
------------------------------------------------------------------------------

DROP POLICY own ON "Docs";
CREATE POLICY see ON "Docs" FOR SELECT USING (true);
CREATE POLICY del ON "Docs" FOR DELETE USING (id IN (2, 4));
CREATE POLICY upd ON "Docs" FOR UPDATE USING (id IN (4, 6)) WITH CHECK (deleted_at IS NULL);
DELETE FROM "Docs" WHERE id IN (2, 4, 6, 8);
SET SESSION AUTHORIZATION sd_user;
SET search_path = rls;
SELECT softdelete.restore('"Docs"', 2);
SELECT softdelete.restore('"Docs"', 6);
SET softdelete.visibility = deleted;
\set QUIET off
UPDATE "Docs" SET deleted_at = NULL WHERE id IN (2, 4, 6, 8);
\set QUIET on
RESET softdelete.visibility;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM "Docs";
\set QUIET off
DELETE FROM "Docs" WHERE id IN (2, 4, 6, 10);
\set QUIET on
-- WITH CHECK says that no UPDATE may leave a mark
UPDATE "Docs" SET deleted_at = now() WHERE id = 6;
SELECT softdelete.delete('"Docs"', 6);
SELECT softdelete.delete('"Docs"', 10);
SELECT string_agg(id::text, ' ' ORDER BY id) FROM "Docs";
-- a policy that looks at the mark itself: the usual one, by which deleted rows
-- are hidden by hand, does not keep a DELETE from being one
SET SESSION AUTHORIZATION sd_owner;
SET search_path = rls;
SELECT sum(softdelete.restore('"Docs"', id)) FROM unnest('{2,4,8}'::int[]) AS id;
DROP POLICY see ON "Docs";
CREATE POLICY see ON "Docs" FOR SELECT USING (deleted_at IS NULL);
SET SESSION AUTHORIZATION sd_user;
SET search_path = rls;
DELETE FROM "Docs" WHERE id = 2 RETURNING id;
SELECT count(*) FROM softdelete.trash('"Docs"');
\set VERBOSITY sqlstate
SELECT softdelete.restore('"Docs"', 2);
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
SET search_path = rls;
SELECT softdelete.restore('"Docs"', 2);
-- RESTRICTIVE
DROP POLICY see ON "Docs";
CREATE POLICY see ON "Docs" USING (true);
CREATE POLICY not_four ON "Docs" AS RESTRICTIVE FOR DELETE USING (id <> 4);
SET SESSION AUTHORIZATION sd_user;
SET search_path = rls;
\set QUIET off
DELETE FROM "Docs" WHERE id IN (2, 4);
\set QUIET on
SET SESSION AUTHORIZATION sd_owner;
SET search_path = rls;
SELECT softdelete.restore('"Docs"', 2);

------------------------------------------------------------------------------
-- views: whose policies hold
------------------------------------------------------------------------------

DROP POLICY see ON "Docs";
DROP POLICY not_four ON "Docs";
DROP POLICY del ON "Docs";
DROP POLICY upd ON "Docs";
CREATE POLICY own ON "Docs" USING (tenant = current_user);
CREATE VIEW owners AS SELECT id, title FROM "Docs" WHERE id < 5;
CREATE VIEW invokers WITH (security_invoker) AS SELECT id, title FROM "Docs" WHERE id < 5;
GRANT SELECT, DELETE ON owners, invokers TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = rls;
\set QUIET off
DELETE FROM invokers;
DELETE FROM owners;
\set QUIET on
SELECT string_agg(id::text, ' ' ORDER BY id) FROM owners;
SET softdelete.visibility = deleted;
SELECT 'owners' AS view, string_agg(id::text, ' ' ORDER BY id) AS deleted FROM owners
 UNION ALL SELECT 'invokers', string_agg(id::text, ' ' ORDER BY id) FROM invokers;
RESET softdelete.visibility;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = rls;
SELECT sum(softdelete.undo(id)) FROM (SELECT DISTINCT deletion_id FROM softdelete.trash('"Docs"')) d (id);

------------------------------------------------------------------------------
-- children under policies, another owner's among them, forced or not
------------------------------------------------------------------------------

ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY nobody ON lines USING (false) WITH CHECK (false);
ALTER TABLE lines FORCE ROW LEVEL SECURITY;
GRANT REFERENCES ON "Docs" TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = rls;
CREATE TABLE stars (id int PRIMARY KEY, doc int REFERENCES "Docs" ON DELETE CASCADE);
CREATE TABLE stays (id int PRIMARY KEY, doc int REFERENCES "Docs");
SELECT softdelete.enable('stars', "unique" => 'keep');
SELECT softdelete.enable('stays', "unique" => 'keep');
INSERT INTO stars VALUES (2, 2), (4, 4);
INSERT INTO stays VALUES (1, 6);
ALTER TABLE stars ENABLE ROW LEVEL SECURITY;
ALTER TABLE stars FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON stars USING (false) WITH CHECK (false);
ALTER TABLE stays ENABLE ROW LEVEL SECURITY;
ALTER TABLE stays FORCE ROW LEVEL SECURITY;
CREATE POLICY nobody ON stays USING (false);
-- the deleter: not owner of lines, under policies on all of them
\set QUIET off
DELETE FROM "Docs" WHERE id = 2;
\set QUIET on
SELECT rows FROM softdelete.deletions WHERE target = '"Docs"'::regclass ORDER BY id DESC LIMIT 1;
SELECT softdelete.restore('"Docs"', 2);
-- the owner of the parent, who cannot even see stars, in the other direction
SET SESSION AUTHORIZATION sd_owner;
SET search_path = rls;
DELETE FROM "Docs" WHERE id = 4;
SELECT rows FROM softdelete.deletions WHERE target = '"Docs"'::regclass ORDER BY id DESC LIMIT 1;
SELECT softdelete.restore('"Docs"', 4);
-- a row that its policies hide still keeps its parent; the message has no key
DELETE FROM "Docs" WHERE id = 6;
SET SESSION AUTHORIZATION sd_user;
SET search_path = rls;
DELETE FROM "Docs" WHERE id = 6;
-- and a deleted parent still keeps out new children, whoever sees it
SET SESSION AUTHORIZATION sd_owner;
SET search_path = rls;
DELETE FROM "Docs" WHERE id = 3;
SET SESSION AUTHORIZATION sd_user;
SET search_path = rls;
ALTER TABLE stays NO FORCE ROW LEVEL SECURITY;
INSERT INTO stays VALUES (3, 3);
-- a child cannot be restored before its parent, and is not told about a parent
-- that it may not see
INSERT INTO stays VALUES (10, 10);
DELETE FROM stays;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = rls;
UPDATE "Docs" SET tenant = 'someone' WHERE id = 10;
DELETE FROM "Docs" WHERE id = 10;
SET SESSION AUTHORIZATION sd_user;
SET search_path = rls;
SELECT softdelete.restore('stays', 10);
SELECT string_agg(id::text, ' ' ORDER BY id) FROM stays;

------------------------------------------------------------------------------
-- FORCE: the owner of the table is held to its policies as well
------------------------------------------------------------------------------

SET SESSION AUTHORIZATION sd_owner;
SET search_path = rls;
SELECT softdelete.restore('"Docs"', id) FROM unnest('{3,10}'::int[]) AS id;
ALTER TABLE "Docs" FORCE ROW LEVEL SECURITY;
\set QUIET off
DELETE FROM "Docs";
\set QUIET on
\set VERBOSITY sqlstate
SELECT softdelete.delete('"Docs"', 2);
\set VERBOSITY default
CREATE POLICY owners ON "Docs" TO sd_owner USING (id = 8);
\set QUIET off
DELETE FROM "Docs";
\set QUIET on
SELECT key FROM softdelete.trash('"Docs"');
\set VERBOSITY sqlstate
SELECT softdelete.purge('"Docs"', 2);
\set VERBOSITY default
-- but a purge by retention is upkeep of the table, and takes what has expired;
-- only the trash goes on showing what the policies show
SET SESSION AUTHORIZATION sd_user;
DELETE FROM rls."Docs" WHERE id = 2;
SET SESSION AUTHORIZATION sd_owner;
SELECT key FROM softdelete.trash('"Docs"');
SELECT expired, purged, kept FROM softdelete.purge_expired('lines', older_than => '0');
SELECT expired, purged, kept FROM softdelete.purge_expired('"Docs"', older_than => '0');
ALTER TABLE "Docs" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE lines NO FORCE ROW LEVEL SECURITY;
SET softdelete.visibility = 'all';
SELECT string_agg(id::text, ' ' ORDER BY id) FROM "Docs";
SELECT string_agg(id::text, ' ' ORDER BY id) FROM lines;
RESET softdelete.visibility;

-- a plan is made again for another role
SET SESSION AUTHORIZATION DEFAULT;
CREATE ROLE sd_tenant;
GRANT USAGE ON SCHEMA rls TO sd_tenant;
GRANT SELECT, DELETE ON rls."Docs" TO sd_tenant;
UPDATE rls."Docs" SET tenant = 'sd_tenant' WHERE id = 5;
SET plan_cache_mode = force_generic_plan;
PREPARE del AS WITH gone AS (DELETE FROM rls."Docs" WHERE id > $1 RETURNING id) SELECT id FROM gone ORDER BY id;
SET ROLE sd_tenant;
EXECUTE del(3);
SET ROLE sd_user;
EXECUTE del(3);
SET ROLE sd_tenant;
SELECT key FROM softdelete.trash('rls."Docs"');
SELECT softdelete.restore('rls."Docs"', 5);
RESET ROLE;
DROP OWNED BY sd_tenant;
DROP ROLE sd_tenant;
