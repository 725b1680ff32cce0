-- nothing of the engine is found by way of the search_path: operators, functions,
-- types and tables that somebody has put before the catalog's are not used, by
-- whomever the engine is called
SET SESSION AUTHORIZATION sd_user;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET SESSION AUTHORIZATION DEFAULT;
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :"db" TO sd_user;
SET SESSION AUTHORIZATION sd_user;
CREATE SCHEMA trap;
GRANT USAGE ON SCHEMA trap TO PUBLIC;

-- the operators that a condition is made of, for every type that the engine
-- compares: the first one that is used ends the test
DO $$
DECLARE
    t text;
    u text;
    op text;
BEGIN
    FOREACH t IN ARRAY '{int2,int4,int8,text,varchar,bpchar,name,oid,regclass,bool,timestamptz,timestamp,interval,tid,xid,numeric,jsonb,"\"char\"",anyenum,anyarray}'::text[] LOOP
        EXECUTE format('CREATE FUNCTION trap.compare(a %1$s, b %1$s) RETURNS bool LANGUAGE plpgsql AS %2$L', t,
                       'BEGIN RAISE EXCEPTION ''operator of trap ran as %'', current_user; END');
        FOREACH op IN ARRAY '{=,<>,<,<=,>,>=}'::text[] LOOP
            EXECUTE format('CREATE OPERATOR trap.%1$s (LEFTARG = %2$s, RIGHTARG = %2$s, PROCEDURE = trap.compare)', op, t);
        END LOOP;
    END LOOP;
    -- and exact matches for pairs of types that the catalog casts first
    FOREACH t IN ARRAY '{regclass,oid,int8,int4,int2,timestamptz,timestamp,text,name,varchar}'::text[] LOOP
        FOREACH u IN ARRAY '{regclass,oid,int8,int4,int2,timestamptz,timestamp,interval,text,name,varchar}'::text[] LOOP
            CONTINUE WHEN t = u;
            EXECUTE format('CREATE FUNCTION trap.mixed(a %s, b %s) RETURNS bool LANGUAGE plpgsql AS %L', t, u,
                           'BEGIN RAISE EXCEPTION ''operator of trap ran as %'', current_user; END');
            FOREACH op IN ARRAY '{=,<>,<=,+,-,||}'::text[] LOOP
                EXECUTE format('CREATE OPERATOR trap.%s (LEFTARG = %s, RIGHTARG = %s, PROCEDURE = trap.mixed)', op, t, u);
            END LOOP;
        END LOOP;
    END LOOP;
END $$;
-- functions by the names that it calls, with the very types
DO $$
DECLARE
    f text;
BEGIN
    FOREACH f IN ARRAY ARRAY['now()', 'txid_current()', 'count(int4)', 'count(int8)', 'sum(int8)', 'max(int8)',
        'unnest(int2[])', 'unnest(int4[])', 'unnest(int8[])', 'unnest(regclass[])', 'unnest(name[])', 'unnest(text[])',
        'format(text)', 'format(text, text)', 'format(text, name)', 'format(text, regclass)', 'format(text, regclass, name)',
        'format(text, text, text)', 'format(text, text, regclass)', 'format(text, name, regclass)',
        'quote_ident(text)', 'quote_ident(name)', 'quote_literal(text)', 'lower(text)', 'lower(name)', 'left(text, int4)',
        'concat_ws(text, text)', 'concat_ws(text, text, text)', 'jsonb_build_object(text, int4)', 'jsonb_object_agg(text, int8)',
        'to_jsonb(record)', 'ceil(numeric)', 'has_table_privilege(regclass, text)', 'has_table_privilege(oid, text)',
        'pg_has_role(oid, text)', 'obj_description(oid, name)', 'obj_description(oid, text)', 'col_description(oid, int4)',
        'col_description(regclass, int4)', 'pg_get_expr(pg_node_tree, oid)', 'pg_get_indexdef(oid)',
        'format_type(oid, int4)', 'octet_length(text)', 'array_to_string(text[], text)', 'array_remove(oid[], oid)',
        'cardinality(name[])', 'cardinality(int2[])', 'string_agg(text, text)', 'array_agg(oid)', 'array_agg(int2)',
        'regexp_replace(text, text, text)', 'current_setting(text)', 'pg_relation_size(oid)', 'pg_relation_size(regclass)',
        'pg_size_pretty(int8)', 'generate_series(int4, int4)', 'jsonb_array_elements(jsonb)', 'pg_partition_ancestors(regclass)'] LOOP
        EXECUTE format('CREATE FUNCTION trap.%s RETURNS text LANGUAGE plpgsql AS %L', f,
                       'BEGIN RAISE EXCEPTION ''function of trap ran as %'', current_user; END');
    END LOOP;
END $$;
-- types and relations by the names of the catalog's and of the engine's own
CREATE DOMAIN trap.text AS pg_catalog.int4;
CREATE DOMAIN trap.name AS pg_catalog.int4;
CREATE DOMAIN trap.regclass AS pg_catalog.int4;
CREATE DOMAIN trap.oid AS pg_catalog.text;
CREATE DOMAIN trap.int8 AS pg_catalog.text;
CREATE DOMAIN trap.int4 AS pg_catalog.point;
CREATE DOMAIN trap.bool AS pg_catalog.int4;
CREATE TYPE trap.timestamptz AS (a pg_catalog.int4);
CREATE TYPE trap.timestamp AS (a pg_catalog.int4);
CREATE TYPE trap."interval" AS ENUM ('a');
CREATE TYPE trap.jsonb AS ENUM ('a');
CREATE TYPE trap.status AS ENUM ('nothing', 'of', 'that', 'kind');
CREATE TABLE trap.pg_class (oid pg_catalog.int4);
CREATE TABLE trap.pg_attribute (attrelid pg_catalog.int4);
CREATE TABLE trap.pg_constraint (conrelid pg_catalog.int4);
CREATE TABLE trap.pg_index (indrelid pg_catalog.int4);
CREATE TABLE trap.pg_trigger (tgrelid pg_catalog.int4);
CREATE TABLE trap.deletion_log (id pg_catalog.int4);
CREATE TABLE trap.retention (target pg_catalog.int4);
CREATE VIEW trap.tables AS SELECT 1 AS target;
CREATE TABLE trap.parent (id pg_catalog.int4);
CREATE TABLE trap.child (id pg_catalog.int4);
GRANT ALL ON ALL TABLES IN SCHEMA trap TO PUBLIC;
-- it does catch whoever looks there
SET search_path = trap, pg_catalog;
SELECT 1 = 1;
SELECT now();
SELECT 'x'::text;
RESET search_path;

-- the tour; every command is named in full, so that only the engine's own may
-- stumble.  Once as an ordinary owner, once as a superuser.
SELECT pg_catalog.set_config('search_path.tour', $tour$
CREATE SCHEMA tour;
CREATE TYPE tour.status AS ENUM ('open', 'deleted');
CREATE TABLE tour.parent (id pg_catalog.int4 PRIMARY KEY, name pg_catalog.varchar(20) UNIQUE, v pg_catalog.text);
CREATE TABLE tour.child (id pg_catalog.int8 PRIMARY KEY, parent pg_catalog.int2 REFERENCES tour.parent ON DELETE CASCADE,
    friend pg_catalog.int4 REFERENCES tour.parent ON DELETE SET NULL);
CREATE TABLE tour.strict (id pg_catalog.text PRIMARY KEY, parent pg_catalog.int4 REFERENCES tour.parent);
CREATE TABLE tour.flag (a pg_catalog.name, b pg_catalog.date, is_active pg_catalog.bool NOT NULL, PRIMARY KEY (a, b));
CREATE TABLE tour.word (id pg_catalog.int4 PRIMARY KEY, state pg_catalog.text);
CREATE TABLE tour.label (id pg_catalog.int4 PRIMARY KEY, state tour.status NOT NULL);
CREATE TABLE tour.part (id pg_catalog.int4 PRIMARY KEY, gone_at pg_catalog.timestamp) PARTITION BY RANGE (id);
CREATE TABLE tour.part_1 PARTITION OF tour.part FOR VALUES FROM (0) TO (100);
INSERT INTO tour.word VALUES (9, 'deleted');
SELECT softdelete.enable('tour.parent', cascade => true);
SELECT softdelete.enable('tour.strict');
SELECT softdelete.enable('tour.flag', 'is_active');
SELECT softdelete.enable('tour.word', 'state');
SELECT softdelete.enable('tour.label', 'state');
SELECT softdelete.enable('tour.part', 'gone_at');
INSERT INTO tour.parent VALUES (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'z'), (4, 'd', 'z');
INSERT INTO tour.child VALUES (1, 1, 2), (2, 2, NULL), (3, 2, NULL);
INSERT INTO tour.strict VALUES ('s', 3);
INSERT INTO tour.flag VALUES ('n', '2020-02-02', true);
INSERT INTO tour.word VALUES (1, 'open'), (2, NULL);
INSERT INTO tour.label VALUES (1, 'open');
INSERT INTO tour.part VALUES (1), (2);
DELETE FROM tour.parent WHERE id OPERATOR(pg_catalog.=) 1;
DELETE FROM tour.parent WHERE id OPERATOR(pg_catalog.=) 2;
SELECT softdelete.delete('tour.parent', 4);
SELECT softdelete.restore('tour.parent', 2);
UPDATE tour.parent SET deleted_at = pg_catalog.now() WHERE id OPERATOR(pg_catalog.=) 2;
SELECT softdelete.undo((SELECT pg_catalog.max(id) FROM softdelete.deletions));
SELECT softdelete.delete('tour.flag', 'n', '2020-02-02');
SELECT softdelete.restore('tour.flag', 'n', '2020-02-02'::pg_catalog.date);
DELETE FROM tour.flag;
DELETE FROM tour.word;
SELECT softdelete.restore('tour.word', 1), softdelete.restore('tour.word', 2);
DELETE FROM tour.label;
SELECT softdelete.restore('tour.label', 1);
DELETE FROM tour.part WHERE id OPERATOR(pg_catalog.=) 1;
SELECT softdelete.create_live_unique('tour.parent', 'name');
SELECT softdelete.create_live_index('tour.label', 'state');
INSERT INTO tour.parent VALUES (5, 'a') ON CONFLICT (name) DO UPDATE SET v = 'again';
INSERT INTO tour.parent VALUES (6, 'a') ON CONFLICT (name) DO UPDATE SET v = 'again';
MERGE INTO tour.parent p USING (VALUES (5)) v (id) ON p.id OPERATOR(pg_catalog.=) v.id WHEN MATCHED THEN DELETE;
SELECT * FROM softdelete.trash('tour.parent');
SELECT * FROM softdelete.trash('tour.flag');
SELECT * FROM softdelete.advice('tour.parent');
SELECT * FROM softdelete.tables;
SELECT * FROM softdelete.deletions;
SELECT * FROM softdelete.foreign_keys;
SELECT softdelete.live_predicate('tour.word'), softdelete.live_predicate('tour.label');
SELECT softdelete.hold((SELECT pg_catalog.max(id) FROM softdelete.deletions), 'x');
SELECT softdelete.release((SELECT pg_catalog.max(id) FROM softdelete.deletions));
SELECT softdelete.set_retention('tour.parent', '1 day');
SELECT softdelete.purge('tour.parent', 1);
SELECT * FROM softdelete.purge_expired('tour.parent', older_than => '0', dry_run => true);
SELECT * FROM softdelete.purge_expired('tour.flag', older_than => '0');
SELECT * FROM softdelete.purge_expired('tour.parent', older_than => '0');
SELECT * FROM softdelete.purge_expired('tour.part', older_than => '0');
ALTER TABLE tour.strict ADD COLUMN other pg_catalog.int4 REFERENCES tour.parent;
ALTER TYPE tour.status RENAME VALUE 'open' TO 'shut';
SELECT softdelete.disable('tour.flag', true);
$tour$, false) IS NULL AS told;
CREATE FUNCTION trap.take_tour() RETURNS SETOF pg_catalog.text LANGUAGE plpgsql SET softdelete.deletion_scope = statement AS $$
DECLARE
    command pg_catalog.text;
BEGIN
    FOR command IN SELECT c FROM pg_catalog.regexp_split_to_table(
            pg_catalog.current_setting('search_path.tour'), ';\s*\n', '') AS c
        WHERE c OPERATOR(pg_catalog.~) '\S' LOOP
        BEGIN
            EXECUTE command;
        EXCEPTION WHEN OTHERS THEN
            RETURN NEXT pg_catalog.concat(command, ' -> ', SQLERRM);
        END;
    END LOOP;
    -- what is expected to fail does so by its own error
    BEGIN
        DELETE FROM tour.parent WHERE id OPERATOR(pg_catalog.=) 3;
    EXCEPTION WHEN foreign_key_violation THEN RETURN NEXT SQLERRM;
    END;
    BEGIN
        ALTER TYPE tour.status RENAME VALUE 'deleted' TO 'gone';
        RETURN NEXT 'renamed';
    EXCEPTION WHEN dependent_objects_still_exist THEN RETURN NEXT SQLERRM;
    END;
    BEGIN
        PERFORM softdelete.delete('tour.word', 77);
    EXCEPTION WHEN no_data_found THEN RETURN NEXT SQLERRM;
    END;
    RETURN NEXT (SELECT pg_catalog.string_agg(pg_catalog.concat(id, ' ', name, ' ', v), ', ' ORDER BY id USING OPERATOR(pg_catalog.<)) FROM tour.parent);
    RETURN NEXT (SELECT pg_catalog.string_agg(pg_catalog.concat(id, ' ', parent, ' ', friend), ', ' ORDER BY id USING OPERATOR(pg_catalog.<)) FROM tour.child);
    RETURN NEXT (SELECT pg_catalog.string_agg(pg_catalog.concat(id, ' ', state), ', ' ORDER BY id USING OPERATOR(pg_catalog.<)) FROM tour.word);
    RETURN NEXT (SELECT pg_catalog.string_agg(pg_catalog.concat(id, ' ', state), ', ' ORDER BY id USING OPERATOR(pg_catalog.<)) FROM tour.label);
END $$;
GRANT EXECUTE ON FUNCTION trap.take_tour() TO PUBLIC;

SET SESSION AUTHORIZATION sd_owner;
SET search_path = trap, pg_catalog;
SELECT trap.take_tour();
RESET search_path;
DROP SCHEMA tour CASCADE;
-- the catalog's own objects are there all the same where the path names nothing
SET search_path = '';
SELECT trap.take_tour();
RESET search_path;
DROP SCHEMA tour CASCADE;
SET SESSION AUTHORIZATION DEFAULT;
SET search_path = trap, pg_catalog;
SELECT trap.take_tour();
RESET search_path;
DROP SCHEMA tour CASCADE;

-- temporary objects stand before all others unless the path says otherwise
SET SESSION AUTHORIZATION sd_owner;
CREATE TEMP TABLE deletion_log (id int);
CREATE TEMP TABLE retention (target int);
CREATE TEMP TABLE pg_class (oid int);
CREATE TEMP TABLE pg_trigger (tgrelid int);
CREATE TEMP TABLE pg_constraint (conrelid int);
CREATE TEMP TABLE parent (id int);
CREATE DOMAIN pg_temp.text AS int;
CREATE DOMAIN pg_temp.regclass AS int;
CREATE DOMAIN pg_temp.timestamptz AS int;
SELECT trap.take_tour();
DROP SCHEMA tour CASCADE;

SET SESSION AUTHORIZATION DEFAULT;
DROP SCHEMA trap CASCADE;
REVOKE CREATE ON DATABASE :"db" FROM sd_user;
