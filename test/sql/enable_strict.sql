-- enable() looks at the whole closure, and at every argument
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA enable_strict;
SET search_path = enable_strict;

-- below a child that is managed already there may be one that is not
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent ON DELETE CASCADE);
SELECT softdelete.enable('child');
CREATE TABLE grandchild (id int PRIMARY KEY, c int REFERENCES child ON DELETE CASCADE);
\set VERBOSITY sqlstate
SELECT softdelete.enable('parent');
\set VERBOSITY default
SELECT softdelete.enable('parent', cascade => true);
SELECT target FROM softdelete.tables WHERE target IN ('parent'::regclass, 'child'::regclass, 'grandchild'::regclass) ORDER BY target::text;
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1, 1);
INSERT INTO grandchild VALUES (1, 1);
DELETE FROM parent;
SELECT count(*) FROM grandchild;

-- NULL is no consent
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
\set VERBOSITY sqlstate
SELECT softdelete.enable('a', cascade => NULL);
-- nor a name of a column
SELECT softdelete.enable('b', NULL);
\set VERBOSITY default
SELECT count(*) FROM softdelete.tables WHERE target IN ('a'::regclass, 'b'::regclass);

-- the retention is the whole table's, not a partition's
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10);
SELECT softdelete.enable('parted');
\set VERBOSITY sqlstate
SELECT softdelete.set_retention('part', '1 day');
\set VERBOSITY default

-- a table without a primary key has no key to show
CREATE TABLE no_key (note text);
SELECT softdelete.enable('no_key');
INSERT INTO no_key VALUES ('a');
DELETE FROM no_key;
SELECT key IS NULL AS no_key, row_data->>'note' AS note FROM softdelete.trash('no_key');
