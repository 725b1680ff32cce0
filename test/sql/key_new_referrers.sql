-- A row that takes the key of a deleted one may come after the rows that refer to
-- it: in one statement, or in one transaction where the key is deferred.  Every
-- statement does what it does on a native twin.
SET ROLE sd_owner;
SET client_min_messages = warning;
CREATE SCHEMA "new Native";
CREATE SCHEMA "new Managed";
CREATE FUNCTION "new Native".build(schema text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL search_path = %I', schema);
	CREATE TABLE "Tree" (id int PRIMARY KEY, up int REFERENCES "Tree");
	CREATE TABLE branch (id int PRIMARY KEY, up int REFERENCES branch ON DELETE CASCADE);
	CREATE TABLE p (id int PRIMARY KEY);
	CREATE TABLE managed (id int PRIMARY KEY, p int REFERENCES p DEFERRABLE INITIALLY DEFERRED);
	CREATE TABLE unmanaged (id int PRIMARY KEY, p int REFERENCES p DEFERRABLE INITIALLY DEFERRED);
END $$;
SELECT "new Native".build('new Native'), "new Native".build('new Managed');
SELECT softdelete.enable('"new Managed"."Tree"'), softdelete.enable('"new Managed".branch'),
	softdelete.enable('"new Managed".p'), softdelete.enable('"new Managed".managed');

-- what a block of statements comes to: its error, or the rows that are there then
CREATE FUNCTION "new Native".try(schema text, block text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	outcome text;
BEGIN
	EXECUTE format('SET LOCAL search_path = %I', schema);
	BEGIN
		EXECUTE block;
		SET CONSTRAINTS ALL IMMEDIATE;
		outcome := 'done';
	EXCEPTION WHEN OTHERS THEN
		outcome := SQLSTATE;
	END;
	SET CONSTRAINTS ALL DEFERRED;
	EXECUTE format($q$SELECT concat_ws(' ', $1, (SELECT string_agg(concat_ws('<', id, up), ',' ORDER BY id) FROM "Tree"),
		(SELECT string_agg(concat_ws('<', id, up), ',' ORDER BY id) FROM branch), 'p', (SELECT string_agg(id::text, ',' ORDER BY id) FROM p),
		(SELECT string_agg(concat_ws('<', id, p), ',' ORDER BY id) FROM managed), (SELECT string_agg(concat_ws('<', id, p), ',' ORDER BY id) FROM unmanaged))$q$)
	INTO outcome USING outcome;
	RETURN outcome;
END $$;
SELECT n, "new Native".try('new Native', block) AS native, "new Native".try('new Managed', block) AS managed
INTO TEMP outcomes FROM (VALUES
	(1, 'INSERT INTO "Tree" VALUES (1, NULL); DELETE FROM "Tree"'),
	(2, 'INSERT INTO "Tree" VALUES (1, 1)'),
	(3, 'DELETE FROM "Tree"; INSERT INTO "Tree" VALUES (5, 1), (1, NULL)'),
	(4, 'DELETE FROM "Tree"; INSERT INTO "Tree" VALUES (6, 5), (5, 1)'),
	(5, 'DELETE FROM "Tree"; INSERT INTO "Tree" VALUES (7, 1)'),
	(6, 'INSERT INTO branch VALUES (1, NULL); DELETE FROM branch; INSERT INTO branch VALUES (2, 1), (1, 2)'),
	(7, 'INSERT INTO p VALUES (1); DELETE FROM p'),
	(8, 'INSERT INTO managed VALUES (1, 1); INSERT INTO unmanaged VALUES (1, 1)'),
	(9, 'INSERT INTO managed VALUES (1, 1); INSERT INTO unmanaged VALUES (1, 1); INSERT INTO p VALUES (1)'),
	(10, 'DELETE FROM p'),
	(11, 'DELETE FROM managed; DELETE FROM unmanaged; DELETE FROM p; INSERT INTO unmanaged VALUES (2, 1); INSERT INTO p VALUES (2)'),
	(12, 'DELETE FROM unmanaged; DELETE FROM p')) AS b(n, block) ORDER BY n;
SELECT n, native, managed FROM outcomes ORDER BY n;
SELECT count(*) AS differ FROM outcomes WHERE native IS DISTINCT FROM managed;

-- Rows that were deleted with the row, or keep a link to it, are not the new row's:
-- its key stays taken.
SET search_path = "new Managed";
CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE);
CREATE TABLE linked (id int PRIMARY KEY, p int REFERENCES p ON DELETE SET NULL);
SELECT softdelete.enable('child'), softdelete.enable('linked');
INSERT INTO p VALUES (10), (11), (12);
INSERT INTO child VALUES (1, 10);
INSERT INTO linked VALUES (1, 11);
DELETE FROM p WHERE id >= 10;
\set VERBOSITY sqlstate
INSERT INTO p VALUES (10);
INSERT INTO p VALUES (11);
\set VERBOSITY default
INSERT INTO p VALUES (12);
SELECT id FROM p WHERE id >= 10;
SELECT softdelete.restore('p', 10), softdelete.restore('p', 11);
SELECT * FROM child;

RESET ROLE;
DROP SCHEMA "new Native", "new Managed" CASCADE;
