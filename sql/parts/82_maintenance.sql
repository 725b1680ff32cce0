------------------------------------------------------------------------------
-- Maintenance
------------------------------------------------------------------------------

-- Written by src/purge/job.c only.
CREATE TABLE job_log (
	id			bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	job			text NOT NULL,
	target		regclass,
	started_at	timestamptz NOT NULL DEFAULT clock_timestamp(),
	finished_at	timestamptz,
	status		text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'failed', 'stopped')),
	expired		bigint NOT NULL DEFAULT 0,
	purged		bigint NOT NULL DEFAULT 0,
	kept		bigint NOT NULL DEFAULT 0,
	batches		bigint NOT NULL DEFAULT 0,
	error		text,
	run_by		name NOT NULL,
	kept_why	jsonb
);
COMMENT ON TABLE job_log IS 'one row for each job of run_maintenance()';
COMMENT ON SEQUENCE job_log_id_seq IS 'ids of jobs';
REVOKE ALL ON job_log FROM PUBLIC;

CREATE VIEW job_runs WITH (security_barrier) AS
	SELECT j.id, j.job, j.target, j.started_at, j.finished_at, j.status, j.expired, j.purged, j.kept,
		   j.batches, j.error, j.run_by, j.kept_why
	  FROM softdelete.job_log j
	 WHERE j.run_by = current_user
		OR pg_has_role((SELECT relowner FROM pg_class WHERE oid = j.target), 'USAGE')
		OR pg_has_role((SELECT relowner FROM pg_class WHERE oid = 'softdelete.job_log'::regclass), 'USAGE');
COMMENT ON VIEW job_runs IS 'what run_maintenance() did and does: your own runs, and those on tables that you own';
GRANT SELECT ON job_runs TO PUBLIC;

CREATE FUNCTION purge_plan(asked regclass, older_than interval)
	RETURNS TABLE (targets regclass[], retentions interval[])
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
	WITH p AS MATERIALIZED (
		SELECT m.target, m.retention FROM softdelete.may_purge(asked, older_than) m
		 WHERE m.retention IS NOT NULL AND softdelete.may_have_expired(m.target, m.retention)
	)
	SELECT array_agg(p.target ORDER BY p.target), array_agg(p.retention ORDER BY p.target)
	  FROM softdelete.purge_order(ARRAY(SELECT p.target FROM p ORDER BY p.target::text)) WITH ORDINALITY AS o(together, n)
	  JOIN p ON p.target = ANY (o.together)
	 GROUP BY o.n ORDER BY o.n
$$;
COMMENT ON FUNCTION purge_plan(regclass, interval) IS 'the tables that have rows to purge, in order, those of a cycle together (internal)';

-- a view, so that everybody may know it
CREATE VIEW log_keeping AS
	SELECT CASE WHEN count(*) = 0 THEN interval '1 year' ELSE min(r.retention) END AS retention
	  FROM softdelete.retention r WHERE r.target = 'softdelete.deletion_log'::regclass;
COMMENT ON VIEW log_keeping IS 'how long the log is kept (internal; use log_retention())';
GRANT SELECT ON log_keeping TO PUBLIC;

CREATE FUNCTION log_retention() RETURNS interval
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT k.retention FROM softdelete.log_keeping k
$$;
COMMENT ON FUNCTION log_retention() IS 'how long the log keeps deletions of which nothing is left, and finished jobs; NULL: for ever';

CREATE FUNCTION set_log_retention(retention interval) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF retention IS NOT NULL THEN
		PERFORM softdelete.check_retention(retention);
	END IF;
	INSERT INTO softdelete.retention VALUES ('softdelete.deletion_log', set_log_retention.retention)
		ON CONFLICT (target) DO UPDATE SET retention = excluded.retention;
END $$;
COMMENT ON FUNCTION set_log_retention(interval) IS 'keep deletions of which nothing is left so long in the log; NULL keeps them for ever';
REVOKE ALL ON FUNCTION set_log_retention(interval) FROM PUBLIC;

CREATE FUNCTION clean_log(batch_size integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	bound	timestamptz := now() - softdelete.log_retention();
	gone	bigint[];
BEGIN
	IF bound IS NULL THEN
		RETURN 0;
	END IF;
	DELETE FROM softdelete.job_log WHERE finished_at < bound;
	DELETE FROM softdelete.event_log WHERE last_id IS NOT NULL AND at < bound;
	-- nothing is left where all was restored or purged, or the tables themselves are gone
	gone := ARRAY(SELECT l.id FROM softdelete.deletion_log l
				   WHERE greatest(l.deleted_at, l.restored_at, l.purged_at) < bound AND l.held_at IS NULL
					 AND (l.restored + l.purged >= (SELECT sum(n) FROM unnest(l.marked) AS n)
						  OR NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = ANY (l.tables)))
				   ORDER BY l.id LIMIT batch_size);
	DELETE FROM softdelete.event_log WHERE deletion_id = ANY (gone) AND last_id IS NULL;
	DELETE FROM softdelete.deletion_log WHERE id = ANY (gone);
	RETURN cardinality(gone);
END $$;
COMMENT ON FUNCTION clean_log(integer) IS 'take old deletions of which nothing is left out of the log (internal; run_maintenance() does it)';
REVOKE ALL ON FUNCTION clean_log(integer) FROM PUBLIC;

CREATE PROCEDURE run_maintenance(target regclass DEFAULT NULL, batch_size integer DEFAULT 10000, pause interval DEFAULT '0',
	time_budget interval DEFAULT NULL, dry_run boolean DEFAULT false, older_than interval DEFAULT NULL)
	AS 'MODULE_PATHNAME', 'softdelete_run_maintenance' LANGUAGE C;
COMMENT ON PROCEDURE run_maintenance(regclass, integer, interval, interval, boolean, interval) IS 'policies, then what has expired, a transaction a batch';
