-- A row that others refer to is locked as it is marked, so that no child can come
-- meanwhile: by the UPDATE itself, which takes the mark for a part of the key.  Where a
-- function of the user's runs between, which may change the table's privileges and the
-- like, it is locked before.  Either way the statement goes through, and says what was
-- deleted.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA "Row Lock";
SET search_path = "Row Lock";

-- whoever hears of a change of the table forgets what is known of its columns
CREATE FUNCTION meddle(name text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('GRANT SELECT ON "Row Lock".%I TO sd_user', name);
	EXECUTE format('REVOKE SELECT ON "Row Lock".%I FROM sd_user', name);
	RETURN true;
END $$;
CREATE FUNCTION meddle_unsaid() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN "Row Lock".meddle('by_generated'); END $$;
CREATE DOMAIN meddled AS timestamptz CHECK (meddle('by_domain'));

CREATE TABLE plain (id int PRIMARY KEY, price int CHECK (price > 0));
CREATE TABLE by_check (id int PRIMARY KEY, price int CHECK (meddle('by_check')));
CREATE TABLE by_generated (id int PRIMARY KEY, price int, deleted_at timestamptz,
	gone boolean GENERATED ALWAYS AS (deleted_at IS NOT NULL AND meddle_unsaid()) STORED);
CREATE TABLE by_domain (id int PRIMARY KEY, price int, deleted_at meddled);
CREATE TABLE by_trigger (id int PRIMARY KEY, price int);
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM "Row Lock".meddle('by_trigger'); RETURN old; END $$;
CREATE TRIGGER meddle BEFORE DELETE ON by_trigger FOR EACH ROW EXECUTE FUNCTION meddle();
CREATE TABLE by_policy (id int PRIMARY KEY, price int);
CREATE POLICY p ON by_policy USING (meddle('by_policy'));

CREATE VIEW names AS SELECT unnest(ARRAY['plain', 'by_check', 'by_generated', 'by_domain', 'by_trigger', 'by_policy']) AS name;
SELECT format('INSERT INTO %I (id, price) SELECT n, n FROM generate_series(1, 300) n', name),
	format('CREATE TABLE %I (id int PRIMARY KEY, up int REFERENCES %I ON DELETE CASCADE)', name || '_child', name),
	format('INSERT INTO %I SELECT n, n FROM generate_series(1, 300) n', name || '_child'),
	format('SELECT softdelete.enable(%L, "cascade" => true)', quote_ident(name))
FROM names \gexec
ALTER TABLE by_policy ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- many rows, one row, none
SELECT format('WITH d AS (DELETE FROM %I WHERE id > 100 RETURNING id) SELECT %L AS name, count(*) FROM d', name, name) FROM names \gexec
SELECT format('DELETE FROM %I WHERE id = 100', name) FROM names \gexec
SELECT format('DELETE FROM %I WHERE id = 100', name) FROM names \gexec
SELECT format('SELECT %L AS name, count(*) FROM %I', name || '_child', name || '_child') FROM names \gexec

-- a row that the transaction has locked before, and one that a savepoint has
BEGIN;
SELECT FROM plain WHERE id = 1 FOR KEY SHARE;
SAVEPOINT s;
SELECT FROM plain WHERE id = 2 FOR KEY SHARE;
SELECT FROM plain WHERE id = 3 FOR UPDATE;
RELEASE s;
DELETE FROM plain WHERE id <= 3;
COMMIT;
SELECT rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
