-- whatever is passed to the functions: an error with a SQLSTATE that says what
-- is wrong, the same for everybody, and never an internal one
SET SESSION AUTHORIZATION DEFAULT;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE FOREIGN DATA WRAPPER bad_input;
CREATE SERVER bad_input FOREIGN DATA WRAPPER bad_input;
GRANT USAGE ON FOREIGN SERVER bad_input TO sd_owner;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA bad_input;
GRANT USAGE ON SCHEMA bad_input TO sd_user;
SET search_path = bad_input;

-- what a call comes to, undone
CREATE FUNCTION outcome(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT softdelete.' || call;
    RAISE EXCEPTION 'undo' USING ERRCODE = 'SDUND';
EXCEPTION
    WHEN SQLSTATE 'SDUND' THEN RETURN 'ok';
    WHEN OTHERS THEN RETURN CASE WHEN SQLSTATE LIKE 'XX%' THEN SQLSTATE || ' ' || SQLERRM ELSE SQLSTATE END;
END $$;

CREATE TABLE managed (id int PRIMARY KEY, x text);
CREATE TABLE plain (id int PRIMARY KEY, x text);
CREATE TABLE keyless (x text);
CREATE VIEW view AS SELECT * FROM managed;
CREATE MATERIALIZED VIEW matview AS SELECT * FROM managed;
CREATE SEQUENCE sequence;
CREATE INDEX index ON plain (x);
CREATE TYPE composite AS (id int, x text);
CREATE FOREIGN TABLE "foreign" (id int) SERVER bad_input;
CREATE TABLE parted (id int PRIMARY KEY, x text) PARTITION BY RANGE (id);
CREATE TABLE leaf PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE managed_parted (id int PRIMARY KEY, x text) PARTITION BY RANGE (id);
CREATE TABLE managed_leaf PARTITION OF managed_parted FOR VALUES FROM (0) TO (10);
CREATE TABLE inherited (id int PRIMARY KEY, x text);
CREATE TABLE heir () INHERITS (inherited);
CREATE TEMP TABLE temp (id int PRIMARY KEY, x text);
CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY, x text);
SELECT softdelete.enable('managed');
SELECT softdelete.enable('managed_parted');
SELECT softdelete.enable('keyless');
SELECT format('%s::regclass', reltoastrelid) AS toast FROM pg_class WHERE oid = 'managed'::regclass \gset
CREATE TABLE dropped (id int);
SELECT format('%s::regclass', 'dropped'::regclass::oid) AS dropped \gset
DROP TABLE dropped;

-- every kind of relation, by the functions that take one
CREATE TABLE relations (n int GENERATED ALWAYS AS IDENTITY, what text, value text);
INSERT INTO relations (what, value) SELECT w, quote_literal('bad_input.' || quote_ident(w)) || '::regclass' FROM unnest('{managed,plain,keyless,view,matview,
    sequence,index,composite,foreign,parted,leaf,managed_parted,managed_leaf,inherited,heir,unlogged}'::text[]) WITH ORDINALITY AS u(w, o) ORDER BY o;
INSERT INTO relations (what, value) VALUES ('temp', '''pg_temp.temp''::regclass'), ('toast', :'toast'), ('dropped', :'dropped'), ('0', '0::regclass'),
    ('4294967295', '4294967295::regclass'), ('null', 'NULL::regclass'), ('catalog', '''pg_catalog.pg_class''::regclass'),
    ('log', '''softdelete.deletion_log''::regclass'), ('a view of ours', '''softdelete.tables''::regclass');
GRANT ALL ON relations TO sd_user;
CREATE VIEW first AS SELECT what, outcome(format('enable(%s)', value)) AS enable, outcome(format('disable(%s)', value)) AS disable,
    outcome(format('set_retention(%s, ''1 day'')', value)) AS retention, outcome(format('create_live_index(%s, ''x'')', value)) AS index,
    outcome(format('create_live_unique(%s, ''x'')', value)) AS "unique", outcome(format('live_predicate(%s)', value)) AS predicate,
    outcome(format('describe(%s)', value)) AS describe FROM relations ORDER BY n;
CREATE VIEW second AS SELECT what, outcome(format('delete(%s, 1)', value)) AS delete,
    outcome(format('restore(%s, 1)', value)) AS restore, outcome(format('purge(%s, 1)', value)) AS purge,
    outcome(format('trash(%s)', value)) AS trash, outcome(format('purge_expired(%s)', value)) AS purge_expired,
    outcome(format('advice(%s)', value)) AS advice FROM relations ORDER BY n;
SELECT * FROM first;
SELECT * FROM second;
-- for a role without any rights, a relation that cannot be managed is that, and
-- for the rest it is the owner's
SET SESSION AUTHORIZATION sd_user;
SET search_path = bad_input;
SELECT what, outcome(format('enable(%s)', value)) AS enable, outcome(format('disable(%s)', value)) AS disable,
    outcome(format('set_retention(%s, ''1 day'')', value)) AS retention, outcome(format('delete(%s, 1)', value)) AS delete,
    outcome(format('purge(%s, 1)', value)) AS purge, outcome(format('trash(%s)', value)) AS trash
  FROM relations WHERE what IN ('managed', 'plain', 'view', 'leaf', 'dropped', 'null', 'catalog', 'log') ORDER BY n;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = bad_input;

------------------------------------------------------------------------------
-- keys
------------------------------------------------------------------------------

CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN positive_too AS positive;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE "Keys" (c pair, a int[], d positive_too, e mood, r int4range, PRIMARY KEY (c, a, d, e, r));
SELECT softdelete.enable('"Keys"');
INSERT INTO "Keys" VALUES ((1, 'x'), '{1,2}', 5, 'sad', '[1,3)');
SELECT call, outcome(call) FROM unnest(ARRAY[
    $q$delete('bad_input."Keys"', (1, 'x')::bad_input.pair, ARRAY[1,2], 5, 'sad'::bad_input.mood, int4range(1,3))$q$,
    $q$delete('bad_input."Keys"', '(1,x)', '{1,2}', '5', 'sad', '[1,2]')$q$,
    $q$delete('bad_input."Keys"', VARIADIC ARRAY['(1,x)', '{1,2}', '5', 'sad', '[1,3)'])$q$,
    $q$delete('bad_input."Keys"', '(1,x)'::text, '{1,2}'::varchar, 5::bigint, 'sad'::text, '[1,3)'::text)$q$,
    $q$delete('bad_input."Keys"', '(1,y)', '{1,2}', 5, 'sad', '[1,3)')$q$,
    $q$delete('bad_input."Keys"', '(1,x)', '{1,2}', 5, 'sad')$q$,
    $q$delete('bad_input."Keys"', '(1,x)', '{1,2}', 5, 'sad', '[1,3)', 7)$q$,
    $q$delete('bad_input."Keys"', '(1,x)', '{1,2}', -5, 'sad', '[1,3)')$q$,
    $q$delete('bad_input."Keys"', '(1,x)', '{1,2}', 5, 'glad', '[1,3)')$q$,
    $q$delete('bad_input."Keys"', '(1,x', '{1,2}', 5, 'sad', '[1,3)')$q$,
    $q$delete('bad_input."Keys"', (1, 'x'), '{1,2}', 5, 'sad', '[1,3)')$q$,
    $q$delete('bad_input."Keys"', 1, 2, 3, 4, 5)$q$,
    $q$delete('bad_input."Keys"', NULL, NULL, NULL, NULL, NULL)$q$,
    $q$delete('bad_input."Keys"', VARIADIC NULL::text[])$q$,
    $q$delete('bad_input."Keys"', VARIADIC '{}'::text[])$q$,
    $q$delete('bad_input."Keys"', VARIADIC '{{a,b},{c,d}}'::text[])$q$,
    $q$delete('bad_input."Keys"', VARIADIC 'x')$q$,
    $q$delete('bad_input."Keys"')$q$,
    $q$delete(NULL, 1)$q$,
    $q$delete('bad_input.managed', 'x')$q$,
    $q$delete('bad_input.managed', '')$q$,
    $q$delete('bad_input.managed', 99999999999999999999)$q$,
    $q$delete('bad_input.managed', 'NaN'::float8)$q$,
    $q$delete('bad_input.managed', 1.4)$q$,
    $q$delete('bad_input.managed', true)$q$,
    $q$delete('bad_input.managed', now())$q$,
    $q$delete('bad_input.managed', '1'::cstring)$q$,
    $q$delete('bad_input.managed', ARRAY[1])$q$,
    $q$delete('bad_input.managed', repeat('9', 1000000))$q$,
    $q$delete('bad_input.managed', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34)$q$,
    $q$delete('bad_input.keyless', 1)$q$,
    $q$restore('bad_input."Keys"', '(1,x)', '{1,2}', 5, 'sad', '[1,3)')$q$,
    $q$restore('bad_input."Keys"', '(1,x)', '{1,2}', -5, 'sad', '[1,3)')$q$,
    $q$purge('bad_input."Keys"', '(1,x)', '{1,2}', 5, 'sad', '[1,3)')$q$,
    $q$restore('bad_input.managed', NULL)$q$,
    $q$purge('bad_input.managed', NULL)$q$]) AS call;
-- the longest of keys: 32 columns, and values that are stored out of line
DO $$ BEGIN
    EXECUTE (SELECT format('CREATE TABLE wide (%s, PRIMARY KEY (%s))', string_agg(format('c%s int', g), ', ' ORDER BY g),
                           string_agg(format('c%s', g), ', ' ORDER BY g)) FROM generate_series(1, 32) g);
    EXECUTE (SELECT format('CREATE TABLE full_up (%s)', string_agg(format('c%s int', g), ', ')) FROM generate_series(1, 1599) g);
END $$;
SELECT softdelete.enable('wide');
DO 'BEGIN EXECUTE (SELECT format(''INSERT INTO wide VALUES (%s)'', string_agg(g::text, '', '' ORDER BY g)) FROM generate_series(1, 32) g); END';
SELECT softdelete.delete('wide', VARIADIC array_agg(g ORDER BY g)) > 0 AS deleted FROM generate_series(1, 32) g;
SELECT softdelete.restore('wide', VARIADIC array_agg(g ORDER BY g)) FROM generate_series(1, 32) g;
CREATE TABLE long (id text PRIMARY KEY, body text);
ALTER TABLE long ALTER id SET STORAGE EXTERNAL;
SELECT softdelete.enable('long');
INSERT INTO long VALUES (repeat('x', 2500), repeat('y', 100000));
SELECT softdelete.delete('long', id) > 0 AS deleted FROM long;
SELECT softdelete.delete('long', repeat('x', 2499));
SELECT softdelete.restore('long', repeat('x', 2500));
-- as many columns as a table can have: no room for those of the extension
SELECT softdelete.enable('full_up');
SELECT count(*) FROM pg_attribute WHERE attrelid = 'full_up'::regclass AND attnum > 0;

------------------------------------------------------------------------------
-- everything else: NULL, bounds, nonsense
------------------------------------------------------------------------------

SELECT call, outcome(call) FROM unnest(ARRAY[
    $q$enable('bad_input.plain', NULL)$q$,
    $q$enable('bad_input.plain', 'nothing')$q$,
    $q$enable('bad_input.plain', '')$q$,
    $q$enable('bad_input.plain', 'ctid')$q$,
    $q$enable('bad_input.plain', 'tableoid')$q$,
    $q$enable('bad_input.plain', 'id')$q$,
    $q$enable('bad_input.plain', 'x', NULL)$q$,
    $q$enable('bad_input.plain', 'x', '')$q$,
    $q$enable('bad_input.plain', 'x', repeat('x', 100000))$q$,
    $q$enable('bad_input.plain', 'deleted_at', 'x')$q$,
    $q$enable('bad_input.plain', retention => NULL)$q$,
    $q$enable('bad_input.plain', retention => '0')$q$,
    $q$enable('bad_input.plain', retention => '-1 second')$q$,
    $q$enable('bad_input.plain', retention => '1 month -31 days')$q$,
    $q$enable('bad_input.plain', retention => '1000 years')$q$,
    $q$enable('bad_input.plain', retention => '1000 years 1 second')$q$,
    $q$enable('bad_input.plain', retention => '178000000 years')$q$,
    $q$enable('bad_input.plain', retention => '-178000000 years')$q$,
    $q$enable('bad_input.plain', retention => 'never')$q$,
    $q$enable('bad_input.plain', "cascade" => NULL, build_index => NULL)$q$,
    $q$enable(NULL)$q$,
    $q$disable('bad_input.managed', NULL)$q$,
    $q$disable(NULL)$q$,
    $q$set_retention('bad_input.managed', NULL)$q$,
    $q$set_retention('bad_input.managed', '-1 day')$q$,
    $q$set_retention(NULL, NULL)$q$,
    $q$undo(NULL::bigint)$q$,
    $q$undo(0)$q$,
    $q$undo(-1)$q$,
    $q$undo(9223372036854775807)$q$,
    $q$undo(9223372036854775808)$q$,
    $q$hold(NULL, 'x')$q$,
    $q$hold(NULL, NULL)$q$,
    $q$hold(-1, 'x')$q$,
    $q$hold(9223372036854775807)$q$,
    $q$release(NULL)$q$,
    $q$release(-1)$q$,
    $q$purge_expired('bad_input.managed', NULL)$q$,
    $q$purge_expired('bad_input.managed', 0)$q$,
    $q$purge_expired('bad_input.managed', -1)$q$,
    $q$purge_expired('bad_input.managed', 1)$q$,
    $q$purge_expired('bad_input.managed', 1000000)$q$,
    $q$purge_expired('bad_input.managed', 1000001)$q$,
    $q$purge_expired('bad_input.managed', 2147483647)$q$,
    $q$purge_expired('bad_input.managed', 2147483648)$q$,
    $q$purge_expired('bad_input.managed', dry_run => NULL)$q$,
    $q$purge_expired('bad_input.managed', older_than => '-1 day')$q$,
    $q$purge_expired('bad_input.managed', older_than => '178000000 years')$q$,
    $q$purge_expired('bad_input.managed', older_than => '-178000000 years')$q$,
    $q$create_live_index('bad_input.managed')$q$,
    $q$create_live_index('bad_input.managed', NULL)$q$,
    $q$create_live_index('bad_input.managed', '')$q$,
    $q$create_live_index('bad_input.managed', 'x', NULL)$q$,
    $q$create_live_index('bad_input.managed', VARIADIC NULL)$q$,
    $q$create_live_index('bad_input.managed', VARIADIC '{}')$q$,
    $q$create_live_index('bad_input.managed', VARIADIC '{{x},{x}}')$q$,
    $q$create_live_index('bad_input.managed', 'x', 'x')$q$,
    $q$create_live_index('bad_input.managed', 'ctid')$q$,
    $q$create_live_index('bad_input.managed', 'x DESC')$q$,
    $q$create_live_unique('bad_input.managed', 'x); DROP TABLE managed; --')$q$,
    $q$create_live_unique('bad_input.managed', 'id')$q$,
    $q$create_live_unique('bad_input.managed', NULL)$q$,
    $q$live_predicate(NULL)$q$,
    $q$describe(NULL)$q$]) AS call;

-- settings
\set VERBOSITY sqlstate
SET softdelete.visibility = everything;
SET softdelete.visibility = '';
SET softdelete.visibility = NULL;
SET softdelete.nothing = 1;
\set VERBOSITY default
SET softdelete.visibility = 'DELETED';
SHOW softdelete.visibility;
RESET softdelete.visibility;
SELECT set_config('softdelete.actor', repeat('a', 100000), false) IS NOT NULL AS set;
INSERT INTO managed VALUES (1);
SELECT softdelete.delete('managed', 1) > 0 AS deleted;
SELECT length(actor), reason FROM softdelete.deletions WHERE target = 'managed'::regclass ORDER BY id DESC LIMIT 1;
RESET softdelete.actor;

SET SESSION AUTHORIZATION DEFAULT;
DROP SCHEMA bad_input CASCADE;
DROP FOREIGN DATA WRAPPER bad_input CASCADE;
