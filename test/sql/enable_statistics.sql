-- A table that was enabled just now is planned for the rows that it has
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA enable_statistics;
SET search_path = enable_statistics;
CREATE FUNCTION estimate(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	plan	json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::bigint;
END $$;

-- enable() leaves statistics on the marker
CREATE TABLE big (id int PRIMARY KEY, is_active boolean);
INSERT INTO big SELECT n, n % 10 <> 0 FROM generate_series(1, 10000) n;
ANALYZE big;
SELECT softdelete.enable('big');
SELECT null_frac FROM pg_stats WHERE schemaname = 'enable_statistics' AND tablename = 'big' AND attname = 'deleted_at';
SELECT estimate('SELECT FROM big');
SELECT softdelete.disable('big');
SELECT softdelete.enable('big', 'is_active');
SELECT estimate('SELECT FROM big') BETWEEN 8800 AND 9200 AS about_9000;

-- without any, nearly all rows count as live: an empty table that is filled, a new partition, a dump
CREATE TABLE empty (id int PRIMARY KEY);
CREATE TABLE flagged (id int PRIMARY KEY, is_deleted boolean);
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
SELECT softdelete.enable('empty');
SELECT softdelete.enable('flagged', 'is_deleted');
SELECT softdelete.enable('parted');
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (20000);
INSERT INTO empty SELECT generate_series(1, 10000);
INSERT INTO flagged SELECT generate_series(1, 10000), false;
INSERT INTO parted SELECT generate_series(1, 10000);
CREATE TABLE estimates AS SELECT q, estimate(q) AS live FROM unnest(ARRAY['SELECT FROM empty', 'SELECT FROM flagged', 'SELECT FROM parted',
	'SELECT FROM empty UNION ALL SELECT FROM flagged', 'SELECT FROM empty JOIN parted USING (id)']) AS q;
SET softdelete.visibility = 'all';
SELECT q, live BETWEEN 0.89 * estimate(q) AND estimate(q) AS nearly_all FROM estimates;
SELECT estimate('SELECT FROM empty WHERE deleted_at IS NOT NULL') < 0.1 * estimate('SELECT FROM empty') AS few;
RESET softdelete.visibility;
-- what is known goes first
DELETE FROM empty WHERE id <= 5000;
ANALYZE empty;
SELECT estimate('SELECT FROM empty') BETWEEN 4800 AND 5200 AS half;

-- the LIMIT in a sub-select is one for all, not one for each row of the other side
CREATE TABLE queue (id int PRIMARY KEY);
SELECT softdelete.enable('queue');
INSERT INTO queue SELECT generate_series(1, 20);
DELETE FROM queue WHERE id IN (SELECT id FROM queue ORDER BY id LIMIT 3 FOR UPDATE SKIP LOCKED);
SELECT count(*) FROM queue;
