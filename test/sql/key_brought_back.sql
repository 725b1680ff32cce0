-- Deleted rows that made room for new ones with their keys come back, expire and
-- are held like any.
\set VERBOSITY terse
SET ROLE sd_owner;
SET client_min_messages = notice;
CREATE SCHEMA "key back";
SET search_path = "key back";
CREATE DOMAIN "Score" AS numeric(6,3) CHECK (VALUE < 1000);
CREATE TYPE mood AS ENUM ('fine', 'bad');
CREATE TYPE pair AS (a int, b text);
CREATE TABLE "Things" (
	"Id" int PRIMARY KEY, t text, c char(5), v varchar(9), n numeric, s "Score", i2 smallint, i8 bigint, f4 real, f8 double precision,
	b boolean, by bytea, d date, ts timestamp, tz timestamptz, iv interval, tm time, a int[], ta text[], j json, jb jsonb,
	u uuid, r int4range, m mood, p pair, pa pair[], net inet, bits bit(4), reg regclass, ls tsvector,
	g int GENERATED ALWAYS AS ("Id" * 2) STORED, dropped int, ident int GENERATED ALWAYS AS IDENTITY);
ALTER TABLE "Things" DROP COLUMN dropped;
SELECT softdelete.enable('"Things"');
INSERT INTO "Things" ("Id", t, c, v, n, s, i2, i8, f4, f8, b, by, d, ts, tz, iv, tm, a, ta, j, jb, u, r, m, p, pa, net, bits, reg, ls) VALUES
	(1, E'tab\t"q" \\ é', 'ab', 'v''', 1.500, 12.3, -3, 9223372036854775807, 0.1, 1e-300, true, '\x00ff', '4713-01-01 BC', 'infinity', '2020-01-01 00:00:00.000001+05:30',
	 '-1 year -2 days +03:04:05.6', '24:00', '[2:3]={1,NULL}', '{"a b",NULL,"NULL","\"q\""}', '{ "b" : 1,"b":2 }', '{"b": [1, null]}',
	 '00000000-0000-0000-0000-000000000001', '[1,5)', 'bad', '(1,"x,y")', '{"(1,)","(,\"\")"}', '10.0.0.1/8', '0101', 'pg_class', 'a:1 b'),
	(2, '', '', NULL, 'NaN', NULL, NULL, NULL, 'NaN', '-Infinity', false, '', '-infinity', NULL, '-infinity', '0', NULL, '{}', '{}', 'null', 'null', NULL, 'empty', 'fine', '(,)', '{}', '::1', NULL, NULL, '');
CREATE TABLE before AS SELECT "Things"::text AS line FROM "Things";
DELETE FROM "Things";
SELECT max(id) AS first FROM softdelete.deletions \gset
INSERT INTO "Things" ("Id", t) VALUES (1, 'new'), (2, 'new');
SELECT "Id", t FROM "Things" ORDER BY 1;
SELECT count(*) FROM softdelete.replaced WHERE target = '"Things"'::regclass AND deletion_id = :first;

-- a key that a live row has: nothing comes back
SELECT softdelete.undo(:first);
SELECT softdelete.restore('"Things"', 1);
SELECT count(*) FROM softdelete.replaced WHERE target = '"Things"'::regclass;
-- settings that change how values look change nothing
SET datestyle = 'German'; SET intervalstyle = 'sql_standard'; SET extra_float_digits = -5; SET bytea_output = 'escape';
DELETE FROM "Things";
SELECT softdelete.undo(:first);
RESET datestyle; RESET intervalstyle; RESET extra_float_digits; RESET bytea_output;
SELECT line FROM before EXCEPT ALL SELECT "Things"::text FROM "Things";
-- the rows that stood there, deleted, have made room in turn
SELECT key, row_data ->> 't' AS t FROM softdelete.replaced WHERE target = '"Things"'::regclass ORDER BY 1;
-- row_data is for jsonb_populate_record(), too
SELECT (jsonb_populate_record(NULL::"Things", row_data)).t FROM softdelete.replaced WHERE target = '"Things"'::regclass ORDER BY key;
SELECT restored, purged FROM softdelete.deletions WHERE id = :first;

-- restore() finds what was deleted last
CREATE TABLE w (word text PRIMARY KEY, v int);
SELECT softdelete.enable('w');
INSERT INTO w VALUES ('x', 1); DELETE FROM w;
INSERT INTO w VALUES ('x', 2); DELETE FROM w;
INSERT INTO w VALUES ('x', 3);
SELECT key, row_data ->> 'v' AS v FROM softdelete.replaced WHERE target = 'w'::regclass ORDER BY replaced_at, v;
SELECT softdelete.restore('w', 'x');
UPDATE w SET word = 'y';
SELECT softdelete.restore('w', 'x');
SELECT * FROM w ORDER BY word;
SELECT softdelete.restore('w', 'nosuch');

-- columns that came, went and changed in between
DELETE FROM w WHERE word = 'x';
INSERT INTO w VALUES ('x', 4);
ALTER TABLE w ADD COLUMN since int NOT NULL DEFAULT 7, ALTER COLUMN v TYPE text;
DELETE FROM w WHERE word = 'x';
INSERT INTO w VALUES ('x', '5');
ALTER TABLE w DROP COLUMN v;
UPDATE w SET word = 'z' WHERE word = 'x';
SELECT softdelete.restore('w', 'x');
SELECT * FROM w ORDER BY word;

-- no trigger of a user has a say in how it was; foreign keys have
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (code text PRIMARY KEY, parent int REFERENCES parent, v int);
SELECT softdelete.enable('parent'), softdelete.enable('child');
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.v := 0; RETURN new; END';
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES ('a', 1, 5);
CREATE TRIGGER change BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION change();
DELETE FROM child;
SELECT max(id) AS d FROM softdelete.deletions \gset
INSERT INTO child VALUES ('a', 2, 6);
DELETE FROM parent WHERE id = 1;
UPDATE child SET code = 'b';
SELECT softdelete.undo(:d);
SELECT softdelete.restore('parent', 1);
SELECT softdelete.undo(:d);
SELECT code, parent, v FROM child ORDER BY code;
DELETE FROM child WHERE code = 'a';
INSERT INTO child VALUES ('a', 2, 7);
DELETE FROM parent WHERE id = 1;
SELECT softdelete.purge('parent', 1);
DELETE FROM child WHERE code = 'a';
INSERT INTO child VALUES ('a', 2, 8);
UPDATE child SET code = 'c' WHERE code = 'a';
-- the latest of the two first
SELECT softdelete.restore('child', 'a');
UPDATE child SET code = 'd' WHERE code = 'a';
SELECT softdelete.restore('child', 'a');

-- several rows of one deletion, one of them replaced: restore() of another says so
INSERT INTO w VALUES ('p'), ('q');
DELETE FROM w WHERE word IN ('p', 'q');
SELECT max(id) AS d FROM softdelete.deletions \gset
INSERT INTO w VALUES ('p');
\set VERBOSITY sqlstate
SELECT softdelete.restore('w', 'q');
\set VERBOSITY terse

-- others see of the replaced rows what they see of the table
GRANT USAGE ON SCHEMA "key back" TO sd_user;
SET ROLE sd_user;
SELECT count(*) FROM softdelete.replaced WHERE target = '"key back".w'::regclass;
SELECT * FROM softdelete.replaced_rows;
SET ROLE sd_owner;
GRANT SELECT ON w TO sd_user;
SET ROLE sd_user;
SELECT count(*) > 0 AS seen FROM softdelete.replaced WHERE target = '"key back".w'::regclass;
SET ROLE sd_owner;
ALTER TABLE w ENABLE ROW LEVEL SECURITY;
SET ROLE sd_user;
SELECT count(*) FROM softdelete.replaced WHERE target = '"key back".w'::regclass;
SET ROLE sd_owner;

-- purge: by retention, but not what is on hold; by key at once
CREATE TABLE e (id int PRIMARY KEY, v int);
SELECT softdelete.enable('e', retention => '1 day');
INSERT INTO e VALUES (1, 1); DELETE FROM e;
SELECT max(id) AS held FROM softdelete.deletions \gset
INSERT INTO e VALUES (1, 2); DELETE FROM e;
INSERT INTO e VALUES (1, 3);
SELECT softdelete.hold(:held, 'a reason');
SELECT expired, purged, kept FROM softdelete.purge_expired('e');
SELECT expired, purged, kept FROM softdelete.purge_expired('e', dry_run => true, older_than => '0');
SELECT expired, purged, kept FROM softdelete.purge_expired('e', older_than => '0');
SELECT row_data ->> 'v' AS v FROM softdelete.replaced WHERE target = 'e'::regclass;
SELECT softdelete.release(:held);
SELECT softdelete.purge('e', 1);
SELECT count(*) FROM softdelete.replaced WHERE target = 'e'::regclass;
SELECT purged FROM softdelete.deletions WHERE id = :held;
SELECT softdelete.purge('e', 1);
SELECT * FROM e;

-- what goes with its table
DELETE FROM e; INSERT INTO e VALUES (1, 4);
SELECT 'e'::regclass::oid AS e \gset
DROP TABLE e;
RESET ROLE;
SELECT count(*) FROM softdelete.replaced_rows WHERE target = :e;

SET client_min_messages = warning;
DROP SCHEMA "key back" CASCADE;
