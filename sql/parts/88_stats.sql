------------------------------------------------------------------------------
-- Figures for whoever watches
------------------------------------------------------------------------------

-- Deleted rows are counted where their index is small, or where the count is to be
-- exact, and estimated from the index's statistics and the planner's otherwise.
-- The oldest and the next to expire come from that index's ends in either case.
CREATE FUNCTION table_stats(target regclass, exact boolean, OUT live bigint, OUT deleted bigint, OUT expired bigint, OUT held bigint,
	OUT oldest_deleted_at timestamptz, OUT next_expiry timestamptz, OUT deleted_bytes bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET softdelete.visibility = 'deleted' AS $$
DECLARE
	few		constant integer := 100;	-- pages
	m		record;
	bound	timestamptz;
	tree	regclass[] := softdelete.with_partitions(ARRAY[target]);
	pages	bigint;
	entries	float8;
	estimate jsonb;
	time_type text;
	bytes	bigint;
	ids		bigint[];
BEGIN
	SELECT t.*, d.deleted_predicate INTO m FROM softdelete.tables t CROSS JOIN LATERAL softdelete.describe(t.target) d
	 WHERE t.target = table_stats.target;
	SELECT sum(c.relpages), sum(greatest(c.reltuples, 0)) INTO pages, entries
	  FROM pg_index x CROSS JOIN LATERAL unnest(softdelete.with_partitions(ARRAY[x.indexrelid::regclass])) AS i
	  JOIN pg_class c ON c.oid = i AND c.relkind = 'i'
	 WHERE x.indrelid = table_stats.target AND x.indisvalid
	   AND obj_description(x.indexrelid, 'pg_class') = 'softdelete: finds deleted rows by age';
	SELECT sum(pg_relation_size(t)), sum(greatest(c.reltuples, 0))::bigint INTO bytes, live
	  FROM unnest(tree) AS t JOIN pg_class c ON c.oid = t AND c.relkind = 'r';
	bound := now() - m.retention;
	IF softdelete.is_distributed(target) THEN
		-- the shell has neither rows nor statistics
		exact := true;
		EXECUTE 'SELECT pg_catalog.citus_table_size($1)' INTO bytes USING target;
	END IF;

	ids := softdelete.held_ids();
	time_type := (SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a WHERE a.attrelid = target AND a.attname = m.time_column);
	IF exact OR coalesce(pages, 0) <= few AND bytes <= few * 1000 * 8192 THEN
		-- one statement: most of what it takes is to plan it
		EXECUTE format('SELECT count(*), count(*) FILTER (WHERE %1$I::timestamptz <= $1), count(*) FILTER (WHERE %2$I = ANY ($2)),
							   min(%1$I)::timestamptz, (min(%1$I) FILTER (WHERE %1$I > $1::%4$s))::timestamptz FROM %3$s',
					   m.time_column, m.id_column, target, time_type)
			INTO deleted, expired, held, oldest_deleted_at, next_expiry USING bound, ids;
	ELSE
		EXECUTE format('SELECT (SELECT t.%1$I::timestamptz FROM %2$s t WHERE t.%1$I IS NOT NULL ORDER BY t.%1$I LIMIT 1),
							   (SELECT t.%1$I::timestamptz FROM %2$s t WHERE t.%1$I > $1::%3$s ORDER BY t.%1$I LIMIT 1)',
					   m.time_column, target, time_type)
			INTO oldest_deleted_at, next_expiry USING bound;
		deleted := entries::bigint;
		EXECUTE format('EXPLAIN (FORMAT json) SELECT FROM %2$s WHERE %1$I::timestamptz <= %3$L', m.time_column, target, bound) INTO estimate;
		expired := least(deleted, CASE WHEN m.retention IS NULL OR oldest_deleted_at > bound THEN 0
									   ELSE (estimate->0->'Plan'->>'Plan Rows')::bigint END);
		held := 0;
		IF ids <> '{}' THEN
			EXECUTE format('SELECT count(*) FROM %s WHERE %I = ANY ($1)', target, m.id_column) INTO held USING ids;
		END IF;
	END IF;
	next_expiry := next_expiry + m.retention;
	held := held + (SELECT count(*) FROM softdelete.holds h WHERE h.target = table_stats.target AND h.key IS NOT NULL AND h.released_at IS NULL);
	IF exact THEN
		PERFORM set_config('softdelete.visibility', 'live', true);
		EXECUTE format('SELECT count(*) FROM %s', target) INTO live;
	ELSE
		live := greatest(live - deleted, 0);
	END IF;
	deleted_bytes := CASE WHEN live + deleted > 0 THEN bytes * deleted / (live + deleted) ELSE 0 END;
END $$;
COMMENT ON FUNCTION table_stats(regclass, boolean) IS 'what stats and stats_exact() say of one table (internal)';

CREATE FUNCTION held_ids() RETURNS bigint[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(array_agg(DISTINCT h.deletion_id), '{}') FROM softdelete.holds h
	 WHERE h.deletion_id IS NOT NULL AND h.released_at IS NULL
$$;
COMMENT ON FUNCTION held_ids() IS 'the deletions on hold, as far as the caller may know of them (internal)';

CREATE VIEW stats AS
	SELECT m.target, s.live, s.deleted, s.expired, s.held, s.oldest_deleted_at, s.next_expiry, s.deleted_bytes,
		   (SELECT max(j.finished_at) FROM softdelete.job_runs j WHERE j.target = m.target AND j.status = 'done') AS last_purge,
		   (SELECT j.error FROM softdelete.job_runs j WHERE j.target = m.target ORDER BY j.id DESC LIMIT 1) AS last_error
	  FROM softdelete.tables m JOIN pg_catalog.pg_class c ON c.oid = m.target
	 CROSS JOIN LATERAL softdelete.table_stats(m.target, false) s
	 WHERE pg_catalog.has_table_privilege(m.target, 'SELECT')
	   AND (NOT pg_catalog.row_security_active(m.target) OR pg_catalog.pg_has_role(c.relowner, 'USAGE'));
COMMENT ON VIEW stats IS 'for each managed table that you may SELECT from: how many rows are live, deleted, expired and on hold, estimated where a count would take long';
GRANT SELECT ON stats TO PUBLIC;

CREATE FUNCTION stats_exact(target regclass, OUT live bigint, OUT deleted bigint, OUT expired bigint, OUT held bigint,
	OUT oldest_deleted_at timestamptz, OUT next_expiry timestamptz, OUT deleted_bytes bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM softdelete.live_predicate(target);
	SELECT * INTO live, deleted, expired, held, oldest_deleted_at, next_expiry, deleted_bytes FROM softdelete.table_stats(target, true);
END $$;
COMMENT ON FUNCTION stats_exact(regclass) IS 'the same of one table, counted';
