-- enable_schema(): all tables of a schema, children first, and what became of each
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA "Enable Schema";
CREATE SCHEMA enable_schema_2;
SET search_path = "Enable Schema";
CREATE TABLE a_parent (id int PRIMARY KEY, is_deleted boolean DEFAULT false);
CREATE TABLE "Child" (id int PRIMARY KEY, p int REFERENCES a_parent ON DELETE CASCADE, is_active boolean);
CREATE TABLE a_grandchild (id int PRIMARY KEY, c int REFERENCES "Child" ON DELETE CASCADE);
CREATE TABLE cycle_1 (id int PRIMARY KEY, o int);
CREATE TABLE cycle_2 (id int PRIMARY KEY, o int REFERENCES cycle_1 ON DELETE CASCADE);
ALTER TABLE cycle_1 ADD FOREIGN KEY (o) REFERENCES cycle_2 ON DELETE CASCADE;
CREATE TABLE keyless (x int);
CREATE TABLE two (id int PRIMARY KEY, is_deleted boolean, is_active boolean);
CREATE TABLE base (id int PRIMARY KEY);
CREATE TABLE derived () INHERITS (base);
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE needs_elsewhere (id int PRIMARY KEY);
CREATE TABLE enable_schema_2.elsewhere (id int PRIMARY KEY, n int REFERENCES needs_elsewhere ON DELETE CASCADE);
CREATE TABLE before (id int PRIMARY KEY);
CREATE VIEW a_view AS SELECT 1;
SELECT softdelete.enable('before', retention => '1 year');
SET client_min_messages = warning;
SELECT * FROM softdelete.enable_schema('Enable Schema', '10 days');
RESET client_min_messages;
SELECT target, marker, retention FROM softdelete.tables
 WHERE target IN (SELECT oid FROM pg_class WHERE relnamespace IN ('"Enable Schema"'::regnamespace, 'enable_schema_2'::regnamespace)) ORDER BY target::text;
-- a second call
SELECT outcome, count(*) FROM softdelete.enable_schema('Enable Schema') GROUP BY 1 ORDER BY 1;
-- not the owner's table
\set VERBOSITY sqlstate
SELECT softdelete.enable_schema('nowhere');
SELECT softdelete.enable_schema('Enable Schema', '-1 day');
SET SESSION AUTHORIZATION sd_user;
SELECT count(*) FROM softdelete.enable_schema('Enable Schema') WHERE outcome LIKE 'not managed: must be owner%';
