-- hard_deletes: every table that is not managed, told apart from those that
-- frameworks keep, and every other way in which rows can still be erased.
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA hard_deletes;
SET search_path = hard_deletes;
\set SHOW_CONTEXT never
CREATE TABLE "Posts" (id int PRIMARY KEY);
CREATE TABLE accounts (id int PRIMARY KEY);
CREATE TABLE sites (id int PRIMARY KEY, account int REFERENCES accounts ON DELETE CASCADE);
CREATE TABLE visits (id int PRIMARY KEY, account int REFERENCES accounts ON DELETE CASCADE, post int REFERENCES "Posts" ON DELETE SET NULL);
CREATE TABLE queue (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE queue_1 PARTITION OF queue DEFAULT;
CREATE TABLE schema_migrations (version text PRIMARY KEY);
CREATE TABLE django_migrations (id int PRIMARY KEY);
SELECT softdelete.enable('"Posts"'), softdelete.enable('sites');
-- functions by their text: what they delete from a managed table can be restored
CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM hard_deletes.queue WHERE id < 10; -- DELETE FROM accounts
	DELETE FROM "Posts" WHERE id < 10;
	/* DELETE FROM accounts */
	delete from only
		visits;
END $$;
CREATE FUNCTION empty() RETURNS void LANGUAGE sql AS 'TRUNCATE hard_deletes.queue; TRUNCATE TABLE hard_deletes.nowhere';
CREATE FUNCTION standard(n int) RETURNS void BEGIN ATOMIC DELETE FROM hard_deletes.visits WHERE id = n; END;
CREATE FUNCTION harmless() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'undelete from here'; END $$;
CREATE FUNCTION on_visit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM hard_deletes.accounts WHERE id = NEW.account; RETURN NULL; END $$;
CREATE TRIGGER "Visit" AFTER INSERT ON visits FOR EACH ROW EXECUTE FUNCTION on_visit();
CREATE VIEW seen AS SELECT * FROM visits;
CREATE RULE forget AS ON DELETE TO seen DO INSTEAD DELETE FROM visits WHERE id = old.id;
CREATE RULE remember AS ON INSERT TO seen DO INSTEAD INSERT INTO visits VALUES (new.id);
SELECT target, managed, path, object, problem FROM softdelete.hard_deletes
 WHERE target::text ~ '^("Posts"|accounts|sites|visits|queue|schema_mig|django_mig)' OR object ~ '^hard_deletes\.|^empty'
 ORDER BY path, object, target::text;

-- policies that erase
SELECT softdelete.add_policy('old visits', 'visits', condition => 'id < 0', action => 'erase'), softdelete.add_policy('old sites', 'sites', condition => 'id < 0');
SELECT target, managed, object, problem FROM softdelete.hard_deletes WHERE path = 'policy' AND target IN ('visits'::regclass, 'sites');
SELECT softdelete.drop_policy('old visits'), softdelete.drop_policy('old sites');
-- a trigger that was disabled
ALTER TABLE sites DISABLE TRIGGER "~softdelete_guard";
SELECT target, managed, path, object FROM softdelete.hard_deletes WHERE path = 'disabled trigger';
ALTER TABLE sites ENABLE TRIGGER "~softdelete_guard";

-- who may say that a DELETE is meant, and for whom it is said already
RESET SESSION AUTHORIZATION;
GRANT SET ON PARAMETER softdelete.hard_delete TO sd_user;
ALTER ROLE sd_user SET softdelete.hard_delete = on;
SET SESSION AUTHORIZATION sd_user;
SELECT target, managed, path, object, problem FROM softdelete.hard_deletes WHERE path IN ('privilege', 'setting') AND object ~ 'sd_user';
RESET SESSION AUTHORIZATION;
ALTER ROLE sd_user RESET softdelete.hard_delete;
REVOKE SET ON PARAMETER softdelete.hard_delete FROM sd_user;
SELECT count(*) FROM softdelete.hard_deletes WHERE path IN ('privilege', 'setting') AND object ~ 'sd_user';
