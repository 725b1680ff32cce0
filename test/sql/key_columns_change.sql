-- A deleted row that made room for a new one follows its table's columns, as the
-- rows in the table do: those that are renamed, dropped, added, of another type.
SET ROLE sd_owner;
SET client_min_messages = warning;
CREATE SCHEMA "columns Change";
SET search_path = "columns Change";
CREATE TABLE "Row" (id int, "Part" int, a text, b int, gone text, PRIMARY KEY (id, "Part")) PARTITION BY LIST ("Part");
CREATE TABLE row_1 PARTITION OF "Row" FOR VALUES IN (1);
-- the same, deleted and never replaced
CREATE TABLE kept (id int, "Part" int, a text, b int, gone text, PRIMARY KEY (id, "Part"));
SELECT softdelete.enable('"Row"'), softdelete.enable('kept');
INSERT INTO "Row" VALUES (1, 1, 'x', 7, 'old');
INSERT INTO kept VALUES (1, 1, 'x', 7, 'old');
DELETE FROM "Row";
DELETE FROM kept;
INSERT INTO "Row" VALUES (1, 1, 'new', 0, 'new');

CREATE FUNCTION change(t text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER TABLE %I RENAME COLUMN a TO "A b"', t);
	EXECUTE format('ALTER TABLE %I RENAME id TO number', t);
	EXECUTE format('ALTER TABLE %I DROP COLUMN gone, ALTER b TYPE text, ADD added int DEFAULT 5', t);
	-- a name that another column had
	EXECUTE format('ALTER TABLE %I ADD gone text', t);
	EXECUTE format('ALTER TABLE %I ADD a text DEFAULT ''none''', t);
	-- and two that change places
	EXECUTE format('ALTER TABLE %I RENAME b TO tmp', t);
	EXECUTE format('ALTER TABLE %I RENAME "A b" TO b', t);
	EXECUTE format('ALTER TABLE %I RENAME tmp TO "A b"', t);
END $$;
SELECT change('Row'), change('kept');
SELECT key FROM softdelete.replaced WHERE target = '"Row"'::regclass;
SELECT key FROM softdelete.trash('"Row"');
DELETE FROM "Row";
SELECT softdelete.undo(min(deletion_id)) FROM softdelete.replaced WHERE target = '"Row"'::regclass;
SELECT softdelete.restore('kept', 1, 1);
SELECT to_jsonb(r) AS replaced FROM "Row" r \gset
SELECT to_jsonb(k) AS kept FROM kept k \gset
SELECT :'replaced'::jsonb AS brought_back, :'replaced'::jsonb = :'kept'::jsonb AS same;

-- what is rolled back was not done
DELETE FROM "Row";
INSERT INTO "Row" (number, "Part", "A b") VALUES (1, 1, 'newer');
BEGIN;
ALTER TABLE "Row" RENAME added TO other;
ROLLBACK;
SELECT DISTINCT row_data ? 'added' AS as_it_was FROM softdelete.replaced WHERE target = '"Row"'::regclass;

RESET ROLE;
DROP SCHEMA "columns Change" CASCADE;
