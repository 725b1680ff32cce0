-- What enable() finds out about a table at a glance is what the catalogs say, whatever is odd about the table
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA enable_glance;
SET search_path = enable_glance;

CREATE TABLE plain (id int PRIMARY KEY, v int CHECK (v > 0), w int);
CREATE INDEX ON plain (v);
CREATE TABLE no_key (v int);
CREATE TABLE two_keys (id int PRIMARY KEY, v int UNIQUE);
CREATE TABLE unique_index (id int PRIMARY KEY, v int);
CREATE UNIQUE INDEX ON unique_index (v) WHERE v > 0;
CREATE TABLE unique_only (v int UNIQUE);
CREATE TABLE excluded (id int PRIMARY KEY, v int, EXCLUDE (v WITH =));
CREATE TABLE generated_key (v int, id int GENERATED ALWAYS AS (v + 1) STORED PRIMARY KEY);
CREATE TABLE key_of_the_mark (id int, deletion_id bigint NULL, UNIQUE (id, deletion_id));
CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent ON DELETE CASCADE);
CREATE TABLE itself (id int PRIMARY KEY, p int REFERENCES itself);
CREATE TABLE was_child (id int PRIMARY KEY, p int REFERENCES parent);
ALTER TABLE was_child DROP CONSTRAINT was_child_p_fkey;
CREATE TABLE above (id int PRIMARY KEY);
CREATE TABLE below () INHERITS (above);
CREATE TABLE was_above (id int PRIMARY KEY);
CREATE TABLE was_below () INHERITS (was_above);
DROP TABLE was_below;
CREATE TYPE row_type AS (id int, deletion_id bigint, deleted_at timestamptz);
CREATE TABLE typed OF row_type (PRIMARY KEY (id));
CREATE TABLE partitioned (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF partitioned FOR VALUES FROM (0) TO (10);
CREATE VIEW looks AS SELECT * FROM plain;
SET SESSION AUTHORIZATION sd_user;
CREATE TEMP TABLE foreigners (id int PRIMARY KEY);
SET SESSION AUTHORIZATION sd_owner;

-- plain tables, and those that look closer has to be taken at: nothing else passes
SELECT c.relname, softdelete.is_plain_table(c.oid) AS plain, softdelete.has_foreign_keys(c.oid) AS keys,
       EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND c.oid IN (f.conrelid, f.confrelid)) AS really
  FROM pg_class c
 WHERE c.relkind IN ('r', 'p', 'v') AND (c.relnamespace = 'enable_glance'::regnamespace OR c.relname IN ('foreigners', 'deletion_log', 'pg_class'))
 ORDER BY 1;
SELECT softdelete.is_plain_table(0), softdelete.has_foreign_keys(0), softdelete.column_type(0, 'x'), softdelete.marking_note(0);

-- a primary key alone, or more to be seen to; the keys that are in the way of a new row
SELECT softdelete.enable(c.oid::regclass) FROM pg_class c
 WHERE c.relnamespace = 'enable_glance'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND c.relname NOT IN ('above', 'below', 'was_above', 'parent', 'child') ORDER BY c.relname;
SELECT softdelete.enable('parent', cascade => true);
SELECT t.target, softdelete.only_primary_key(t.target) AS only_primary,
       (SELECT string_agg(h.name, ', ' ORDER BY h.name) FROM softdelete.held_keys(t.target) h) AS held,
       EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = t.target AND g.tgname = '~softdelete_key') AS makes_room
  FROM softdelete.tables t WHERE t.target IN (SELECT oid FROM pg_class WHERE relnamespace = 'enable_glance'::regnamespace)
 ORDER BY t.target::text;
SELECT softdelete.only_primary_key('looks');
SELECT softdelete.only_primary_key(0);

-- what disable() left is read, and then gone
SELECT softdelete.disable('plain');
SELECT left(softdelete.marking_note('plain'), 60) AS note, (softdelete.former_marking('plain')).marker;
SELECT softdelete.enable('plain');
SELECT softdelete.marking_note('plain');

-- a name for an index: whole characters, a number where it is taken
CREATE TABLE "ä23456789012345678901234567890123456789012345678901234567890é" (id int PRIMARY KEY);
SELECT softdelete.index_name('plain', 'v_idx'), softdelete.index_name('plain', 'idx', 'v', 'w'),
       octet_length(softdelete.index_name('"ä23456789012345678901234567890123456789012345678901234567890é"', 'idx')) AS octets,
       octet_length(softdelete.index_name('plain', repeat('é', 40))) AS of_suffix;
SELECT softdelete.index_name(0, 'x');

SET client_min_messages = error;
DROP SCHEMA enable_glance CASCADE;
