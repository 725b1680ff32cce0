-- Rows that are marked before the table is managed: how many, and which of them the next purge would erase
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA enable_adopt;
SET search_path = enable_adopt;

CREATE TABLE old (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz);
INSERT INTO old SELECT n, n % 2 = 0, CASE WHEN n % 4 = 0 THEN now() - interval '1 year' END FROM generate_series(1, 8) n;
SELECT softdelete.enable('old', 'is_deleted');
-- without a time they begin now
SET softdelete.visibility = deleted;
SELECT id, deleted_at < now() - interval '30 days' AS expired FROM old ORDER BY id;
RESET softdelete.visibility;
SELECT count(*) FROM softdelete.purge_expired('old', dry_run => true) WHERE expired = 2;
-- what the HINT says
SET softdelete.visibility = deleted;
UPDATE old SET deleted_at = now() WHERE deleted_at < now() - interval '30 days';
RESET softdelete.visibility;
SELECT count(*) FROM softdelete.purge_expired('old', dry_run => true) WHERE expired = 0;
-- with a retention that long nothing has expired, and a second call says nothing
CREATE TABLE kept (id int PRIMARY KEY, deleted_at timestamptz);
INSERT INTO kept VALUES (1, now() - interval '10 years'), (2, NULL);
SELECT softdelete.enable('kept', retention => '20 years');
SELECT softdelete.enable('kept');
SELECT * FROM kept;
-- partitions, too
CREATE TABLE parted (id int, is_active boolean, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
INSERT INTO parted VALUES (1, true), (2, false), (3, NULL);
SELECT softdelete.enable('parted', 'is_active');
SELECT id FROM parted ORDER BY id;
SELECT rows, reason FROM softdelete.deletions WHERE target IN ('old'::regclass, 'kept'::regclass, 'parted'::regclass) ORDER BY id;
