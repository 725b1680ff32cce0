-- Where most of a table has expired, run_maintenance() goes through it range by
-- range; where an index finds the few that have, by a list.  Either way each
-- expired row is met once, what has to stay is kept and counted, and live rows
-- stay.
\set VERBOSITY terse
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA purge_ranges;
SET search_path = purge_ranges;
CREATE TABLE "Notes" (id int PRIMARY KEY, "Author" int, filler text DEFAULT repeat('x', 200));
SELECT softdelete.enable('"Notes"');
INSERT INTO "Notes" SELECT n, n % 100 FROM generate_series(1, 20000) n;
-- ten deletions; author 99's notes stay
DO $$ BEGIN
	FOR i IN 0 .. 9 LOOP
		DELETE FROM "Notes" WHERE "Author" % 10 = i AND "Author" < 99;
		COMMIT;
	END LOOP;
END $$;
VACUUM ANALYZE "Notes";

-- one deletion is on hold
SELECT count(softdelete.hold(id, 'court')) FROM (SELECT min(id) AS id FROM softdelete.deletions WHERE target = '"Notes"'::regclass) d;

-- a look at how: in the order of its places
SET softdelete.visibility = deleted;
EXPLAIN (COSTS off) SELECT ctid FROM "Notes" WHERE ctid > '(0,0)';
RESET softdelete.visibility;

\set VERBOSITY default
CALL softdelete.run_maintenance('"Notes"', batch_size => 3000, older_than => '0');
\set VERBOSITY terse
SELECT status, expired, purged, kept, batches, kept_why FROM softdelete.job_runs
 WHERE target = '"Notes"'::regclass AND job = 'purge' ORDER BY id DESC LIMIT 1;
SELECT count(*) AS live FROM "Notes";
SET softdelete.visibility = deleted;
SELECT count(*) AS deleted, count(*) FILTER (WHERE "Author" % 10 = 0) AS on_hold FROM "Notes";
RESET softdelete.visibility;

-- few are left: their list comes from the index
ANALYZE "Notes";
SELECT softdelete.release(min(id)) FROM softdelete.deletions WHERE target = '"Notes"'::regclass;
CALL softdelete.run_maintenance('"Notes"', batch_size => 1500, older_than => '0');
SELECT expired, purged, kept, batches, kept_why FROM softdelete.job_runs
 WHERE target = '"Notes"'::regclass AND job = 'purge' ORDER BY id DESC LIMIT 1;

-- the log has counted them all
SELECT count(*) AS deletions, sum(total) AS marked, sum(purged) AS purged
  FROM softdelete.deletions WHERE target = '"Notes"'::regclass;
SELECT count(*) AS live FROM "Notes";
DROP SCHEMA purge_ranges CASCADE;
