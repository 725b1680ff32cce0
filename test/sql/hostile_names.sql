-- names that have to be quoted, and values that look like SQL, wherever the
-- extension takes or makes one
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA "Hostile %s ""q"" \ $1 'x'";
SET search_path = "Hostile %s ""q"" \ $1 'x'";

-- the same life for each: a table, its key, its child and the foreign key have
-- the name; it is also the value of the key.  Tells the step that went wrong.
CREATE FUNCTION lead_life(nm text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    child text := '~' || left(nm, 14);
    column_name text := left(nm, 14) || '~';
    t text := quote_ident(nm);
    step text;
    found text;
    n bigint;
    line record;
BEGIN
    step := 'enable';
    EXECUTE format('CREATE TABLE %I (%I text PRIMARY KEY, %I text, u text UNIQUE)', nm, nm, column_name);
    EXECUTE format('CREATE TABLE %I (%I text PRIMARY KEY, %I text, CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %I ON DELETE CASCADE)',
                   child, column_name, nm, nm, nm, nm);
    EXECUTE format('SELECT softdelete.enable(%L, cascade => true)', t);
    EXECUTE format('INSERT INTO %I VALUES (%L, ''a'', ''b''), (''2'', ''a'', ''c'')', nm, nm);
    EXECUTE format('INSERT INTO %I VALUES (%L, %L)', child, nm, nm);

    step := 'delete';
    EXECUTE format('SELECT softdelete.delete(%L, %L)', t, nm) INTO n;
    SELECT string_agg(k, ' ' ORDER BY k) INTO found FROM softdelete.deletions, jsonb_object_keys(rows) k WHERE id = n;
    IF found <> concat_ws(' ', least(t COLLATE "C", quote_ident(child)), greatest(t COLLATE "C", quote_ident(child))) THEN
        RETURN 'log: ' || found;
    END IF;
    step := 'trash';
    EXECUTE format('SELECT key->>%L FROM softdelete.trash(%L)', nm, t) INTO found;
    IF found IS DISTINCT FROM nm THEN RETURN 'key: ' || found; END IF;
    EXECUTE format('SELECT row_data->>%L FROM softdelete.trash(%L)', nm, t) INTO found;
    IF found IS DISTINCT FROM nm THEN RETURN 'row_data: ' || found; END IF;
    step := 'upsert';
    BEGIN
        EXECUTE format('INSERT INTO %I VALUES (%L, ''a'', ''z'') ON CONFLICT (%I) DO UPDATE SET %I = ''x''', nm, nm, nm, column_name);
        RETURN 'upsert passed';
    EXCEPTION WHEN unique_violation THEN
        -- the hint is a command that works
        GET STACKED DIAGNOSTICS found = PG_EXCEPTION_HINT;
        EXECUTE substring(found FROM '^(SELECT softdelete.restore\(.*\)) brings it back, ') INTO n;
        IF n <> 2 THEN RETURN 'restored ' || n; END IF;
    END;
    step := 'undo';
    EXECUTE format('DELETE FROM %I', nm);
    EXECUTE format('SELECT softdelete.undo(max(deletion_id)) FROM softdelete.trash(%L)', t) INTO n;
    IF n <> 3 THEN RETURN 'undone ' || n; END IF;

    step := 'indexes';
    EXECUTE format('SELECT softdelete.create_live_index(%L, %L)', t, column_name) INTO found;
    EXECUTE format('SELECT softdelete.create_live_index(%L, %L, %L)', t, column_name, nm) INTO found;
    EXECUTE format('SELECT softdelete.create_live_index(%L, %L)', t, column_name) INTO found;
    EXECUTE format('SELECT softdelete.create_live_unique(%L, ''u'')', t) INTO found;
    EXECUTE format('CREATE UNIQUE INDEX ON %I (%I, u)', nm, nm);
    step := 'advice';
    FOR line IN EXECUTE format('SELECT ddl FROM softdelete.advice(%L) WHERE ddl IS NOT NULL
            UNION ALL SELECT ddl FROM softdelete.advice(%L) WHERE ddl IS NOT NULL', t, quote_ident(child)) LOOP
        EXECUTE replace(line.ddl, 'CONCURRENTLY ', '');
    END LOOP;
    EXECUTE format('SELECT count(*) FROM softdelete.advice(%L) WHERE ddl LIKE ''CREATE UNIQUE%%''', quote_ident(child)) INTO n;
    IF n <> 0 THEN RETURN 'advice goes on'; END IF;

    step := 'renames';
    EXECUTE format('ALTER TABLE %I RENAME TO "was %%s"', nm);
    EXECUTE format('DELETE FROM "was %%s" WHERE %I = %L', nm, nm);
    EXECUTE format('ALTER TABLE "was %%s" RENAME TO %I', nm);
    EXECUTE format('ALTER TABLE %I RENAME deleted_at TO %I', nm, '-' || left(nm, 14));
    EXECUTE format('ALTER TABLE %I RENAME deletion_id TO %I', nm, '+' || left(nm, 14));
    EXECUTE format('SELECT softdelete.restore(%L, %L)', t, nm) INTO n;
    IF n <> 2 THEN RETURN 'restored after renames ' || n; END IF;

    step := 'purge';
    EXECUTE format('SELECT softdelete.delete(%L, %L)', t, nm);
    EXECUTE format('SELECT softdelete.purge(%L, %L)', t, nm) INTO n;
    IF n <> 2 THEN RETURN 'purged ' || n; END IF;
    EXECUTE format('DELETE FROM %I', nm);
    EXECUTE format('SELECT purged FROM softdelete.purge_expired(%L, older_than => ''0'')', t) INTO n;
    IF n <> 1 THEN RETURN 'expired ' || n; END IF;
    EXECUTE format('SELECT softdelete.set_retention(%L, ''1 day'')', t);
    step := 'disable';
    EXECUTE format('SELECT softdelete.disable(%L)', quote_ident(child));
    EXECUTE format('SELECT softdelete.disable(%L, true)', t);
    EXECUTE format('DROP TABLE %I, %I', child, nm);
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN RETURN step || ': ' || SQLSTATE || ' ' || SQLERRM;
END $$;

-- the same for a marker: its column's name, and the value that says "deleted"
-- of a text and of an enum, whose type has the name as well
CREATE FUNCTION lead_marked_life(nm text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    column_name text := 's' || left(nm, 14);
    found text;
    n bigint;
    step text;
    line record;
BEGIN
    step := 'text';
    EXECUTE format('CREATE TABLE a (id int PRIMARY KEY, %I text DEFAULT %L)', nm, 'was ' || nm);
    EXECUTE format('SELECT softdelete.enable(''a'', %L, %L)', nm, nm);
    INSERT INTO a VALUES (1), (2);
    DELETE FROM a WHERE id = 1;
    EXECUTE format('SELECT row_data->>%L FROM softdelete.trash(''a'')', nm) INTO found;
    IF found <> nm THEN RETURN 'status ' || found; END IF;
    PERFORM softdelete.restore('a', 1);
    EXECUTE format('SELECT %I FROM a WHERE id = 1', nm) INTO found;
    IF found <> 'was ' || nm THEN RETURN 'former status ' || found; END IF;
    EXECUTE format('CREATE INDEX ON a (id) WHERE %s', softdelete.live_predicate('a'));
    PERFORM softdelete.create_live_index('a', nm::name);
    EXECUTE format('UPDATE a SET %I = %L WHERE id = 2', nm, nm);
    SELECT string_agg(id::text, ' ') INTO found FROM a;
    IF found <> '1' THEN RETURN 'live: ' || found; END IF;
    EXECUTE 'SELECT softdelete.disable(''a'')';
    DROP TABLE a;

    step := 'enum';
    EXECUTE format('CREATE TYPE %I AS ENUM (''open~'', %L)', nm, nm);
    EXECUTE format('CREATE TABLE a (id int PRIMARY KEY, %I %I NOT NULL DEFAULT ''open~'')', column_name, nm);
    EXECUTE format('SELECT softdelete.enable(''a'', %L, %L)', column_name, nm);
    INSERT INTO a VALUES (1), (2), (3);
    DELETE FROM a WHERE id < 3;
    BEGIN
        EXECUTE format('ALTER TYPE %I RENAME VALUE %L TO ''y''', nm, nm);
        RETURN 'renamed';
    EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
    END;
    EXECUTE format('ALTER TYPE %I RENAME TO "new %%s"', nm);
    EXECUTE format('ALTER TABLE a RENAME %I TO "%%s"', column_name);
    IF (SELECT count(*) FROM a) <> 1 OR softdelete.restore('a', 1) <> 1 THEN RETURN 'restored'; END IF;
    SELECT sum(purged) INTO n FROM softdelete.purge_expired('a', older_than => '0');
    IF n <> 1 THEN RETURN 'purged ' || n; END IF;
    DROP TABLE a;
    DROP TYPE "new %s";
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN RETURN step || ': ' || SQLSTATE || ' ' || SQLERRM;
END $$;

CREATE TABLE names (n int GENERATED ALWAYS AS IDENTITY, name text);
INSERT INTO names (name) VALUES
    ('plain'), ('MixedCase'), ('with space'),
    -- quotes, and what ends or begins a string, a comment or a statement
    ('dou"ble'), ('"'), ('"; DROP TABLE names; --'), ('sin''gle'), (''''),
    ('back\slash'), ('\'), ('\\'), ('\'''), ('E''\'''), ('$1'), ('$$'), ('--'), ('/*'), (';'),
    -- what a format string, a pattern or a replacement gives a meaning to
    ('%'), ('%s %d %n'), ('%I %L %1$s'), ('100%%'), ('\1 \&'), ('[x]'), ('(a)'),
    -- what a list, an array, a row or a qualified name is made of
    ('a,b'), ('{a,b}'), ('a.b'), ('::text'), ('NULL'),
    -- control characters
    (E'new\nline'), (E'tab\tulator'), (E'carriage\rreturn'),
    -- keywords, and words of the extension's own
    ('select'), ('user'), ('old'), ('new'), ('excluded'), ('tableoid1'), ('softdelete'), ('live'),
    ('deleted'), ('pg_catalog'), ('t'), ('x'), ('key'), ('marker'), ('target1'), ('~softdelete_mark'), ('id1'),
    -- beyond ASCII: composed and decomposed, invisible, from right to left
    ('é'), (U&'e\0301'), ('ß'), (U&'\200b'), (U&'\202eabc'), ('日本語'), ('😀'),
    -- 63 bytes, of one, two, three and four each, and what generated names make of them
    (repeat('a', 63)), (repeat('é', 31) || 'a'), (repeat('日', 21)), (repeat('😀', 15) || 'abc'),
    (repeat('"', 63)), (repeat('''', 63)), (repeat('\', 63));
SELECT count(*) AS names, max(octet_length(name)) AS bytes FROM names;
SET client_min_messages = warning;
-- each in a transaction of its own; what went wrong, if anything
CREATE TABLE failures (name text, what text);
CREATE PROCEDURE lead_lives(every int) LANGUAGE plpgsql AS $$
DECLARE
    nm text;
BEGIN
    FOR nm IN SELECT name FROM names WHERE n % every = 0 ORDER BY n LOOP
        INSERT INTO failures VALUES (nm, nullif(lead_life(nm), 'ok')), (nm, nullif(lead_marked_life(nm), 'ok'));
        COMMIT;
    END LOOP;
END $$;
CALL lead_lives(1);
SELECT count(*) AS led, count(what) AS failed FROM failures;
SELECT * FROM failures WHERE what IS NOT NULL ORDER BY name, what;
-- settings that change what the same text means
SET quote_all_identifiers = on;
SET transform_null_equals = on;
SET IntervalStyle = sql_standard;
SET DateStyle = 'SQL, DMY';
CALL lead_lives(9);
SELECT count(*) AS led, count(what) AS failed FROM failures;
RESET ALL;
SET search_path = "Hostile %s ""q"" \ $1 'x'";

-- a backslash in a string that is not escaped for the old meaning of strings
CREATE TABLE "back\slash" ("i\d" text PRIMARY KEY, "st\at" text, note text);
SELECT softdelete.enable('"back\slash"', 'st\at', 'gone\''', "unique" => 'keep');
INSERT INTO "back\slash" VALUES ('a\b', 'x\'), ('c', 'y');
SET escape_string_warning = off;
SET standard_conforming_strings = off;
SELECT softdelete.delete('"back\\slash"', 'a\\b') > 0 AS deleted;
SELECT * FROM "back\slash" ORDER BY 1;
SELECT key, row_data->>'st\\at' AS mark FROM softdelete.trash('"back\\slash"');
INSERT INTO "back\slash" VALUES ('a\\b', 'x') ON CONFLICT ("i\d") DO UPDATE SET note = 'z';
SELECT softdelete.restore('"back\\slash"', 'a\\b');
SELECT "i\d", "st\at", note FROM "back\slash" ORDER BY 1;
DELETE FROM "back\slash" WHERE "i\d" = 'c';
SELECT expired, purged FROM softdelete.purge_expired('"back\\slash"', older_than => '0');
SELECT softdelete.create_live_index('"back\\slash"', 'st\\at');
CREATE TABLE later (id int PRIMARY KEY, "st\at" text DEFAULT 'l\\');
SELECT softdelete.enable('later', 'st\\at', 'g\'\\');
INSERT INTO later VALUES (1), (2);
DELETE FROM later WHERE id = 1;
SELECT softdelete.disable('later');
SELECT * FROM later WHERE "st\at" <> 'g\'\\';
RESET standard_conforming_strings;
RESET escape_string_warning;

-- two names alike in their first 63 bytes less the suffix: generated names differ
CREATE TABLE one (id int PRIMARY KEY);
SELECT repeat('é', 29) AS stem \gset
SELECT format('ALTER TABLE one ADD %I int, ADD %I int', :'stem' || 'aaaa', :'stem' || 'aaab') \gexec
SELECT softdelete.enable('one');
SELECT format('SELECT softdelete.create_live_index(%L, %L, %L)', 'one', :'stem' || 'aaaa', :'stem' || 'aaab') FROM generate_series(1, 3) \gexec
SELECT relname, octet_length(relname) AS bytes FROM pg_class WHERE oid IN
    (SELECT indexrelid FROM pg_index WHERE indrelid = 'one'::regclass) ORDER BY 1;

-- messages carry names as they are
CREATE TABLE "%s ""x""" ("%d" int PRIMARY KEY);
SELECT softdelete.enable('"%s ""x"""', 'no %s "y"');
SELECT softdelete.disable('"%s ""x"""');
SELECT softdelete.set_retention('"%s ""x"""', '1 day');
SELECT softdelete.enable('"%s ""x"""');
SELECT softdelete.delete('"%s ""x"""', 1);
SELECT softdelete.delete('"%s ""x"""', 1, 2);
SELECT softdelete.create_live_index('"%s ""x"""', '%n');
SELECT softdelete.create_live_unique('"%s ""x"""', '%d');
INSERT INTO "%s ""x""" VALUES (1);
SELECT softdelete.purge('"%s ""x"""', 1);
SELECT softdelete.restore('"%s ""x"""', 1);
ALTER TABLE "%s ""x""" DROP COLUMN deletion_id;
TRUNCATE "%s ""x""";
CREATE TABLE "child %s" (id int PRIMARY KEY, p int, CONSTRAINT "fk %s" FOREIGN KEY (p) REFERENCES "%s ""x""");
INSERT INTO "child %s" VALUES (1, 1);
DELETE FROM "%s ""x""";
ALTER TABLE "child %s" DROP CONSTRAINT "fk %s", ADD CONSTRAINT "fk %s" FOREIGN KEY (p) REFERENCES "%s ""x""" ON DELETE CASCADE;
DELETE FROM "%s ""x""";
SELECT softdelete.enable('"child %s"');

-- a role by such a name is recorded by it
SET SESSION AUTHORIZATION DEFAULT;
SET client_min_messages = warning;
CREATE ROLE "sd r""o'l\e %s $$" IN ROLE sd_owner;
SET SESSION AUTHORIZATION "sd r""o'l\e %s $$";
SET search_path = "Hostile %s ""q"" \ $1 'x'";
SET softdelete.actor = E'%s "a" \\ ''b'' \n$1';
DELETE FROM "child %s";
SELECT deleted_by, session_role, actor, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT softdelete.hold(max(deletion_id), '%s '' " \') FROM softdelete.trash('"child %s"');
SELECT softdelete.restore('"child %s"', 1);
SELECT restored_by, held_by, held_why FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SET SESSION AUTHORIZATION DEFAULT;
DROP SCHEMA "Hostile %s ""q"" \ $1 'x'" CASCADE;
DROP ROLE "sd r""o'l\e %s $$";
