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
-- whatever order its steps have: marked rows few or many, index or not; one index then, all
-- rows with the id of one deletion, and that in the log
CREATE FUNCTION outcome(target regclass) RETURNS TABLE (marked bigint, ids bigint, logged jsonb, indexes bigint)
LANGUAGE plpgsql SET softdelete.visibility = 'all' AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT count(*), count(DISTINCT deletion_id),
		(SELECT jsonb_agg(d.rows) FROM softdelete.deletions d WHERE d.target = %1$L::regclass),
		(SELECT count(*) FROM pg_index i WHERE i.indrelid = %1$L::regclass AND i.indpred IS NOT NULL)
		FROM %1$s WHERE is_deleted AND deletion_id IS NOT NULL', target);
END $$;
CREATE TABLE many (id int PRIMARY KEY, is_deleted boolean, filler char(1000) DEFAULT 'x');
ALTER TABLE many ALTER filler SET STORAGE PLAIN;
INSERT INTO many SELECT n, n % 10 = 0 FROM generate_series(1, 20000) n;
CREATE TABLE few (LIKE many INCLUDING ALL);
INSERT INTO few SELECT n, n = 77 FROM generate_series(1, 1000) n;
CREATE TABLE none (LIKE many INCLUDING ALL);
INSERT INTO none SELECT n, false FROM generate_series(1, 1000) n;
CREATE TABLE bare (LIKE many INCLUDING ALL);
INSERT INTO bare SELECT n, n % 10 = 0 FROM generate_series(1, 1000) n;
SELECT softdelete.enable('many', 'is_deleted');
SELECT softdelete.enable('few', 'is_deleted');
SELECT softdelete.enable('none', 'is_deleted');
SELECT softdelete.enable('bare', 'is_deleted', build_index => false);
SELECT t, o.* FROM unnest('{many,few,none,bare}'::regclass[]) t, outcome(t) o;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions WHERE target = 'many'::regclass;
SELECT count(*) FROM many;
-- a trigger of the application's that lets no UPDATE pass: what it keeps is not said to be taken over
CREATE TABLE stubborn (id int PRIMARY KEY, is_deleted boolean);
INSERT INTO stubborn VALUES (1, true), (2, true), (3, false);
CREATE FUNCTION stubborn() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN CASE WHEN old.id <> 2 THEN new END; END$$;
CREATE TRIGGER stubborn BEFORE UPDATE ON stubborn FOR EACH ROW EXECUTE FUNCTION stubborn();
SELECT softdelete.enable('stubborn', 'is_deleted');
SELECT * FROM outcome('stubborn');
