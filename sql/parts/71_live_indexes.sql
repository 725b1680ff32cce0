------------------------------------------------------------------------------
-- Indexes over live rows only
------------------------------------------------------------------------------

-- Full indexes that nobody needs deleted rows in: those that a foreign key leads by
-- serve cascades, restores and the check of a purge, unique ones are keys (67_keys.sql),
-- and CLUSTER wants them all.  ddl: the same over live rows, under that name.
CREATE FUNCTION indexes_to_narrow(target regclass, online boolean) RETURNS TABLE (index regclass, schema name, name name, ddl text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT x.indexrelid::regclass, n.nspname, c.relname, w.index_ddl
	  FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
	 CROSS JOIN LATERAL softdelete.live_twin(x.indexrelid, CASE WHEN online THEN softdelete.index_name(target, 'live_idx', VARIADIC ARRAY[c.relname])
																ELSE c.relname END, online) w
	 WHERE x.indrelid = target AND NOT c.relispartition AND x.indisvalid AND x.indpred IS NULL
	   AND NOT x.indisunique AND NOT x.indisexclusion AND NOT x.indisclustered
	   AND w.index_ddl IS NOT NULL AND NOT softdelete.heeds_marker(x.indexrelid)
	   AND NOT EXISTS (SELECT FROM softdelete.describe(target) d JOIN pg_attribute a ON a.attname IN (d.marker, d.time_column, d.id_column)
						WHERE a.attrelid = target AND a.attnum = ANY (x.indkey::smallint[]))
	   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = ANY (softdelete.with_partitions(ARRAY[target]))
						AND k.contype = 'f' AND softdelete.leads_with(x.indexrelid, k.conkey))
	 ORDER BY c.relname
$$;
COMMENT ON FUNCTION indexes_to_narrow(regclass, boolean) IS 'full indexes in which no foreign key needs deleted rows (internal)';

-- It says what to put back, and keeps the old one.
CREATE FUNCTION live_index_comment(index regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('COMMENT ON INDEX %I.%I IS %L', n.nspname, c.relname,
				  'softdelete: over live rows, was over all' || coalesce('; ' || obj_description(index, 'pg_class'), ''))
	  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = index
$$;
COMMENT ON FUNCTION live_index_comment(regclass) IS 'the command that says of an index what it was (internal)';

CREATE FUNCTION make_indexes_live(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	x		record;
	comment	text;
BEGIN
	FOR x IN SELECT * FROM softdelete.indexes_to_narrow(target, false) LOOP
		comment := softdelete.live_index_comment(x.index);
		PERFORM softdelete.run_ddl(format('DROP INDEX %I.%I', x.schema, x.name));
		PERFORM softdelete.run_ddl(x.ddl);
		PERFORM softdelete.run_ddl(comment);
		RAISE NOTICE 'index "%" of table "%" is from now on over live rows only', x.name, target;
	END LOOP;
END $$;
COMMENT ON FUNCTION make_indexes_live(regclass) IS 'make full indexes that no foreign key needs partial (internal; enable calls it)';

CREATE FUNCTION make_indexes_full(target regclass) RETURNS boolean
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	x		record;
	begins	text := 'softdelete: over live rows, was over all';
	found	boolean := false;
BEGIN
	FOR x IN SELECT p.indexrelid::regclass AS index, i.relname, n.nspname AS schema,
					nullif(substr(obj_description(p.indexrelid, 'pg_class'), length(begins) + 3), '') AS said
			   FROM pg_index p JOIN pg_class i ON i.oid = p.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
			  WHERE p.indrelid = target AND NOT i.relispartition
				AND starts_with(obj_description(p.indexrelid, 'pg_class'), begins)
			  ORDER BY i.relname LOOP
		PERFORM softdelete.make_key_full(x.index, 'INDEX');
		PERFORM softdelete.run_ddl(format('COMMENT ON INDEX %I.%I IS %L', x.schema, x.relname, x.said));
		RAISE NOTICE 'index "%" of table "%" is over all rows again', x.relname, target;
		found := true;
	END LOOP;
	RETURN found;
END $$;
COMMENT ON FUNCTION make_indexes_full(regclass) IS 'undo what make_indexes_live did; true: there was something (internal; disable calls it)';
