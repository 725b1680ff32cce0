-- A restore is shown as the UPDATE that it is: nobody who reads an error, a log or
-- an audit of it is to think that rows are being deleted.
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA "restore USING shown";
SET search_path = "restore USING shown";
CREATE TABLE "a WHERE b" (id int PRIMARY KEY, is_active boolean NOT NULL DEFAULT true);
CREATE TABLE "say ""child""" (id int PRIMARY KEY, parent int REFERENCES "a WHERE b" ON DELETE CASCADE, status text);
SELECT softdelete.enable('"say ""child"""', marker => 'status', deleted_value => 'gone', triggers => 'update');
SELECT softdelete.enable('"a WHERE b"', marker => 'is_active', triggers => 'update');
INSERT INTO "a WHERE b" VALUES (1), (2);
INSERT INTO "say ""child""" VALUES (1, 1, 'new'), (2, 1, 'old'), (3, 2, 'old');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
DELETE FROM "a WHERE b";
SELECT max(id) AS id FROM softdelete.deletions \gset
\set SHOW_CONTEXT always
CREATE TRIGGER refuse BEFORE UPDATE ON "a WHERE b" FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT softdelete.undo(:id);
DROP TRIGGER refuse ON "a WHERE b";
CREATE TRIGGER refuse BEFORE UPDATE ON "say ""child""" FOR EACH ROW EXECUTE FUNCTION refuse();
-- a cascade of several keys
SELECT softdelete.undo(:id);
-- ... and of one; the id within the text is another in each run
CREATE FUNCTION context_of(command text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	context	text;
BEGIN
	EXECUTE command;
EXCEPTION WHEN raise_exception THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
	RETURN QUERY SELECT regexp_replace(l, '''\d+''', '''n''') FROM regexp_split_to_table(context, '\n') l;
END $$;
SELECT context_of($$ SELECT softdelete.restore('"a WHERE b"', 2) $$);
DROP TRIGGER refuse ON "say ""child""";
SELECT softdelete.restore('"a WHERE b"', 2);
SELECT softdelete.undo(:id);
-- a delete is one
CREATE TRIGGER refuse BEFORE UPDATE ON "say ""child""" FOR EACH ROW EXECUTE FUNCTION refuse();
SELECT softdelete.delete('"a WHERE b"', 2);
