-- Tables change while they are managed: whatever ALTER, CREATE and DROP do,
-- deletes go on marking, cascading and hiding, prepared statements included, or
-- the command is refused before anything is lost.
-- (Renames of marker, table and schema with restore and purge: see enable.)
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA ddl_follow;
SET search_path = ddl_follow;
SET plan_cache_mode = force_generic_plan;

------------------------------------------------------------------------------
-- Names: of keys, columns, constraints, types, on either side of a foreign key
------------------------------------------------------------------------------
CREATE TYPE state AS ENUM ('draft', 'live', 'deleted');
CREATE TABLE parent (id int PRIMARY KEY, code text, CONSTRAINT codes UNIQUE (code));
CREATE TABLE child (id int PRIMARY KEY, up int CONSTRAINT up_key REFERENCES parent ON DELETE CASCADE, s state DEFAULT 'live');
CREATE TABLE guard (id int PRIMARY KEY, code text CONSTRAINT code_key REFERENCES parent (code));
SELECT softdelete.enable('child', 's'), softdelete.enable('parent'), softdelete.enable('guard');
INSERT INTO parent SELECT n, 'c' || n FROM generate_series(1, 20) n;
INSERT INTO child SELECT n, n FROM generate_series(1, 20) n;
INSERT INTO guard VALUES (20, 'c20');
-- (a view keeps its own names)
CREATE VIEW parents AS SELECT id FROM parent;
PREPARE del(int) AS DELETE FROM parents WHERE id = $1;
PREPARE ids AS SELECT (SELECT count(*) FROM parent) AS parents, (SELECT count(*) FROM child) AS children;
EXECUTE del(1);
EXECUTE del(20);
ALTER TABLE child RENAME up TO "Parent Id";
ALTER TABLE child RENAME CONSTRAINT up_key TO "Parent's Key";
EXECUTE del(2);
ALTER TABLE parent RENAME id TO "No";
EXECUTE del(3);
ALTER TABLE parent RENAME CONSTRAINT codes TO "Codes";
ALTER TABLE guard RENAME code TO "Code ""of"" Parent";
ALTER TABLE guard RENAME CONSTRAINT code_key TO "Guard's Key";
EXECUTE del(20);
INSERT INTO guard VALUES (1, 'c1');
ALTER TABLE child RENAME s TO "State";
ALTER TYPE state RENAME TO "Child's State";
ALTER TYPE "Child's State" ADD VALUE 'odd' BEFORE 'deleted';
EXECUTE del(4);
ALTER TABLE child RENAME former_s TO former;
ALTER TABLE child RENAME deleted_at TO "At";
EXECUTE del(5);
EXECUTE ids;
SELECT marker, live_predicate, time_column, id_column, former_column FROM softdelete.tables WHERE target = 'child'::regclass;
SELECT softdelete.undo(d.id) FROM softdelete.deletions d WHERE d.target = 'parent'::regclass ORDER BY d.id;
EXECUTE ids;
SELECT "State", count(*), count("At"), count(deletion_id), count(former) FROM child GROUP BY 1;

------------------------------------------------------------------------------
-- Types of columns: keys may change, the mark may not while it is one
------------------------------------------------------------------------------
DROP VIEW parents;
DEALLOCATE del;
PREPARE del(int) AS DELETE FROM parent WHERE "No" = $1;
EXECUTE del(6);
ALTER TABLE parent ALTER "No" TYPE bigint;
ALTER TABLE child ALTER "Parent Id" TYPE bigint, ALTER id TYPE bigint;
EXECUTE del(7);
ALTER TABLE guard ALTER "Code ""of"" Parent" TYPE varchar(30);
EXECUTE del(20);
ALTER TABLE parent ALTER code TYPE varchar(20) COLLATE "C";
EXECUTE del(20);
EXECUTE ids;
SELECT softdelete.restore('parent', 6), softdelete.restore('parent', 7);
\set VERBOSITY sqlstate
ALTER TABLE parent ALTER deleted_at TYPE timestamp;
ALTER TABLE parent ALTER deletion_id TYPE int;
ALTER TABLE child ALTER "State" TYPE text;
DROP TYPE "Child's State";
\set VERBOSITY default

------------------------------------------------------------------------------
-- Columns that come and go; those that the mark needs cannot
------------------------------------------------------------------------------
EXECUTE del(8);
ALTER TABLE parent DROP COLUMN code CASCADE;
ALTER TABLE parent ADD COLUMN note text DEFAULT 'none', ADD COLUMN twice bigint GENERATED ALWAYS AS ("No" * 2) STORED;
ALTER TABLE child ADD COLUMN stamp int GENERATED ALWAYS AS IDENTITY, DROP COLUMN id;
EXECUTE del(9);
ALTER TABLE parent DROP COLUMN deletion_id;
ALTER TABLE child DROP COLUMN IF EXISTS former CASCADE;
\set VERBOSITY sqlstate
ALTER TABLE parent DROP COLUMN deleted_at CASCADE;
ALTER TABLE parent DROP COLUMN note, DROP COLUMN deleted_at;
ALTER TABLE child DROP COLUMN "State" CASCADE;
ALTER TABLE child DROP COLUMN "At" CASCADE;
\set VERBOSITY default
SELECT softdelete.undo(max(d.id)) FROM softdelete.deletions d WHERE d.target = 'parent'::regclass;
SELECT * FROM parent WHERE "No" IN (8, 9);
SELECT softdelete.restore('parent', 8);
EXECUTE ids;

------------------------------------------------------------------------------
-- Foreign keys that are added, dropped, put off
------------------------------------------------------------------------------
CREATE TABLE late (id int PRIMARY KEY, up bigint);
INSERT INTO late VALUES (1, 10), (2, 11);
EXECUTE del(10);
\set VERBOSITY sqlstate
ALTER TABLE late ADD CONSTRAINT "Late" FOREIGN KEY (up) REFERENCES parent;
ALTER TABLE late ADD COLUMN other bigint DEFAULT 10 REFERENCES parent;
\set VERBOSITY default
DELETE FROM late WHERE id = 1;
ALTER TABLE late ADD CONSTRAINT "Late" FOREIGN KEY (up) REFERENCES parent;
EXECUTE del(11);
ALTER TABLE late ALTER CONSTRAINT "Late" DEFERRABLE INITIALLY DEFERRED;
BEGIN;
EXECUTE del(11);
DELETE FROM late;
COMMIT;
ALTER TABLE child DROP CONSTRAINT "Parent's Key";
EXECUTE del(12);
SELECT "Parent Id" FROM child WHERE "Parent Id" IN (11, 12);
\set VERBOSITY sqlstate
ALTER TABLE child ADD CONSTRAINT "Parent's Key" FOREIGN KEY ("Parent Id") REFERENCES parent ON DELETE RESTRICT;
\set VERBOSITY default
DELETE FROM child WHERE "Parent Id" = 12;
ALTER TABLE child ADD CONSTRAINT "Parent's Key" FOREIGN KEY ("Parent Id") REFERENCES parent ON DELETE SET NULL;
EXECUTE del(13);
SELECT "Parent Id" FROM child WHERE "Parent Id" IN (12, 13);

------------------------------------------------------------------------------
-- Where a table lives, and whose it is
------------------------------------------------------------------------------
CREATE TABLE thing (id int PRIMARY KEY, name text);
CREATE TABLE part (id int PRIMARY KEY, thing int REFERENCES thing ON DELETE CASCADE);
SELECT softdelete.enable('thing', cascade => true);
INSERT INTO thing SELECT n, 'n' || n FROM generate_series(1, 9) n;
INSERT INTO part SELECT n, n FROM generate_series(1, 9) n;
PREPARE del_thing(int) AS DELETE FROM thing WHERE id = $1;
EXECUTE del_thing(1);
CREATE SCHEMA "ddl_follow Two";
ALTER TABLE part SET SCHEMA "ddl_follow Two";
EXECUTE del_thing(2);
ALTER SCHEMA "ddl_follow Two" RENAME TO "ddl_follow ""2""";
ALTER TABLE "ddl_follow ""2""".part RENAME TO "Part";
EXECUTE del_thing(3);
ALTER TABLE thing SET UNLOGGED;
\set VERBOSITY sqlstate
ALTER TABLE "ddl_follow ""2""".part SET UNLOGGED;
\set VERBOSITY default
ALTER TABLE "ddl_follow ""2"""."Part" SET UNLOGGED;
ALTER TABLE thing SET UNLOGGED;
EXECUTE del_thing(4);
ALTER TABLE thing SET LOGGED;
ALTER TABLE "ddl_follow ""2"""."Part" SET LOGGED;
ALTER TABLE thing SET (fillfactor = 70), REPLICA IDENTITY FULL, ALTER name SET STATISTICS 10, ALTER name SET STORAGE EXTERNAL, CLUSTER ON thing_pkey;
CLUSTER thing;
VACUUM (FULL, ANALYZE) thing;
REINDEX TABLE thing;
REINDEX TABLE CONCURRENTLY thing;
EXECUTE del_thing(5);
SELECT (SELECT count(*) FROM thing) AS things, (SELECT count(*) FROM "ddl_follow ""2"""."Part") AS parts, (SELECT count(*) FROM softdelete.trash('thing')) AS trash;
SELECT softdelete.undo(d.id) FROM softdelete.deletions d WHERE d.target = 'thing'::regclass ORDER BY d.id;
-- a new owner, who cascades to what others own, as ever
RESET SESSION AUTHORIZATION;
GRANT ALL ON SCHEMA ddl_follow TO sd_user;
ALTER TABLE ddl_follow.thing OWNER TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = ddl_follow;
DELETE FROM thing WHERE id = 1;
SELECT softdelete.restore('thing', 1);
DELETE FROM thing WHERE id = 2;
SELECT target, expired, purged, kept FROM softdelete.purge_expired('thing', older_than => '0');
SELECT softdelete.set_retention('thing', '1 year');
\set VERBOSITY sqlstate
SELECT softdelete.set_retention('"ddl_follow ""2"""."Part"', '1 year');
SET SESSION AUTHORIZATION sd_owner;
SET search_path = ddl_follow;
SELECT softdelete.set_retention('thing', '1 day');
SELECT softdelete.disable('thing');
\set VERBOSITY default
SELECT target, expired, purged, kept FROM softdelete.purge_expired('"ddl_follow ""2"""."Part"', older_than => '0');
SELECT count(*) FROM "ddl_follow ""2"""."Part";

------------------------------------------------------------------------------
-- Copies: tables like it, of its rows, views, materialized views, rules
------------------------------------------------------------------------------
CREATE TABLE note (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, title text, public boolean DEFAULT true);
SELECT softdelete.enable('note');
INSERT INTO note (title) SELECT 'n' || n FROM generate_series(1, 8) n;
DELETE FROM note WHERE id <= 2;
CREATE TABLE like_note (LIKE note INCLUDING ALL);
CREATE TABLE as_note AS SELECT * FROM note;
SELECT * INTO into_note FROM note WHERE public;
SELECT (SELECT count(*) FROM as_note) AS "as", (SELECT count(*) FROM into_note) AS "into",
	   (SELECT count(*) FROM softdelete.tables WHERE target IN ('like_note'::regclass, 'as_note', 'into_note')) AS managed;
INSERT INTO like_note (title) VALUES ('a'), ('b');
DELETE FROM like_note WHERE title = 'a';
SELECT softdelete.enable('like_note'), softdelete.enable('as_note');
DELETE FROM like_note;
DELETE FROM as_note WHERE id = 3;
SELECT (SELECT count(*) FROM like_note) AS "like", (SELECT count(*) FROM as_note) AS "as", (SELECT count(*) FROM note) AS note;
SELECT count(softdelete.undo(deletion_id)) FROM (SELECT DISTINCT deletion_id FROM softdelete.trash('like_note')) t;
SELECT title FROM like_note;

CREATE VIEW public_note WITH (security_barrier) AS SELECT id, title FROM note WHERE public WITH CHECK OPTION;
CREATE VIEW titles AS SELECT title, count(*) OVER () AS of FROM public_note;
CREATE MATERIALIZED VIEW material AS SELECT id, title FROM note;
CREATE UNIQUE INDEX ON material (id);
DELETE FROM public_note WHERE id = 3 RETURNING id, title;
SELECT * FROM titles ORDER BY title;
SELECT count(*) FROM material;
REFRESH MATERIALIZED VIEW CONCURRENTLY material;
SELECT count(*) FROM material;
SELECT softdelete.restore('note', 3);
REFRESH MATERIALIZED VIEW material;
SELECT count(*) FROM material;
CREATE OR REPLACE VIEW public_note AS SELECT id, title, deleted_at IS NULL AS live FROM note WHERE public;
DELETE FROM public_note WHERE title = 'n4';
SELECT id, live FROM public_note ORDER BY id;

CREATE TABLE heard (what text);
CREATE RULE hear AS ON DELETE TO note DO ALSO INSERT INTO heard VALUES ('deleted ' || old.id);
CREATE RULE keep AS ON DELETE TO note WHERE old.id = 6 DO INSTEAD NOTHING;
CREATE RULE hear_update AS ON UPDATE TO note DO ALSO INSERT INTO heard VALUES ('updated ' || old.id);
DELETE FROM note WHERE id IN (5, 6);
SELECT softdelete.restore('note', 5);
SELECT what FROM heard ORDER BY what;
SELECT id FROM note ORDER BY id;
DROP RULE keep ON note;
DROP RULE hear ON note;
DELETE FROM note WHERE id = 6;
SELECT id FROM note ORDER BY id;

------------------------------------------------------------------------------
-- Partitions that come and go under a prepared statement; tables that inherit
------------------------------------------------------------------------------
CREATE TABLE event (id int PRIMARY KEY, name text) PARTITION BY RANGE (id);
CREATE TABLE event_0 PARTITION OF event FOR VALUES FROM (0) TO (10);
SELECT softdelete.enable('event');
PREPARE del_event(int) AS DELETE FROM event WHERE id BETWEEN $1 AND $1 + 1 RETURNING tableoid::regclass, id;
PREPARE events AS SELECT id FROM event ORDER BY id;
INSERT INTO event SELECT generate_series(1, 5);
EXECUTE del_event(1);
CREATE TABLE "Event 1" (junk int, name text, id int NOT NULL, deletion_id bigint, deleted_at timestamptz);
ALTER TABLE "Event 1" DROP COLUMN junk;
INSERT INTO "Event 1" (id, deleted_at) VALUES (10, NULL), (11, NULL), (12, now()), (13, NULL);
ALTER TABLE event ATTACH PARTITION "Event 1" FOR VALUES FROM (10) TO (20);
EXECUTE events;
EXECUTE del_event(10);
EXECUTE events;
ALTER TABLE event DETACH PARTITION event_0 CONCURRENTLY;
EXECUTE events;
EXECUTE del_event(13);
EXECUTE events;
-- as a table of its own it is an ordinary one, marks and all
SELECT id, deleted_at IS NULL AS live FROM event_0 ORDER BY id;
DELETE FROM event_0 WHERE id = 3;
ALTER TABLE event ATTACH PARTITION event_0 FOR VALUES FROM (0) TO (10);
EXECUTE events;
EXECUTE del_event(4);
SELECT softdelete.restore('event', 1), softdelete.restore('event', 13);
EXECUTE events;
-- what is no part of the mark's table cannot be below it
CREATE TABLE strange (id int NOT NULL, name text);
\set VERBOSITY sqlstate
ALTER TABLE event ATTACH PARTITION strange FOR VALUES FROM (20) TO (30);
\set VERBOSITY default
CREATE TABLE inherited () INHERITS (note);
INSERT INTO inherited (id, title) VALUES (100, 'heir');
DELETE FROM note WHERE id >= 7;
SELECT tableoid::regclass, id FROM note WHERE id >= 7 ORDER BY id;
DELETE FROM ONLY note WHERE id >= 7;
SELECT tableoid::regclass, id FROM note WHERE id >= 7 ORDER BY id;
ALTER TABLE inherited NO INHERIT note;
DELETE FROM note WHERE id = 3;
SELECT count(*) FROM inherited;
SELECT count(*) FROM note WHERE id = 3;

------------------------------------------------------------------------------
-- Tables of every kind
------------------------------------------------------------------------------
CREATE TYPE shape AS (id int, name text, deleted_at timestamptz, deletion_id bigint);
CREATE TABLE typed OF shape (PRIMARY KEY (id));
CREATE TEMP TABLE temporary (id int PRIMARY KEY) ON COMMIT DELETE ROWS;
CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
CREATE TABLE keyless (id int);
CREATE DOMAIN moment AS timestamptz;
CREATE TABLE with_domain (id int PRIMARY KEY, "Gone" moment);
CREATE TABLE computed (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text DEFAULT 'x', twice int GENERATED ALWAYS AS (length(name) * 2) STORED,
	deleted_at timestamptz, is_live boolean GENERATED ALWAYS AS (deleted_at IS NULL) STORED);
SELECT softdelete.enable(t) FROM unnest('{typed,unlogged,keyless,computed}'::regclass[]) t;
SELECT softdelete.enable('temporary'), softdelete.enable('with_domain', 'Gone');
CREATE FUNCTION two_of_three(target text) RETURNS text
LANGUAGE plpgsql SET softdelete.deletion_scope = statement AS $$
DECLARE
	live	text;
	brought	bigint;
BEGIN
	EXECUTE format('INSERT INTO %s (id) %s VALUES (1), (2), (3)', target, CASE target WHEN 'computed' THEN 'OVERRIDING SYSTEM VALUE' ELSE '' END);
	EXECUTE format('DELETE FROM %s WHERE id < 3', target);
	EXECUTE format('SELECT string_agg(id::text, '' '') FROM %s', target) INTO live;
	brought := softdelete.undo(max(d.id)) FROM softdelete.deletions d WHERE d.target = two_of_three.target::regclass;
	RETURN format('%s: %s, and %s more', target, live, brought);
END $$;
SELECT two_of_three(t) FROM unnest('{typed,temporary,unlogged,keyless,with_domain,computed}'::text[]) t;
SELECT count(*) FROM temporary;
DELETE FROM computed WHERE id = 1;
SELECT id, is_live FROM computed ORDER BY id;
SET softdelete.visibility = deleted;
SELECT id, is_live, twice FROM computed ORDER BY id;
RESET softdelete.visibility;
ALTER TYPE shape RENAME ATTRIBUTE deletion_id TO did CASCADE;
ALTER TYPE shape ADD ATTRIBUTE extra int CASCADE;
DELETE FROM typed WHERE id = 1;
SELECT softdelete.restore('typed', 1);
SELECT id_column FROM softdelete.tables WHERE target = 'typed'::regclass;

------------------------------------------------------------------------------
-- DROP TABLE: the log remains, the table's entry does not
------------------------------------------------------------------------------
DROP TABLE typed, unlogged, keyless;
DROP TABLE event;
SELECT count(*) FROM softdelete.tables WHERE target NOT IN (SELECT oid FROM pg_class);
-- the same name again is another table
CREATE TABLE keyless (id int);
INSERT INTO keyless VALUES (1);
DELETE FROM keyless;
SELECT count(*) FROM softdelete.tables WHERE target = 'keyless'::regclass;
SET softdelete.visibility = 'all';
SELECT count(*) FROM keyless;
