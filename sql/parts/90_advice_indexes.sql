------------------------------------------------------------------------------
-- Advice about indexes.  Each function says what one kind of fault there is in
-- one managed table of the caller's; advice() puts them together.
------------------------------------------------------------------------------

CREATE TYPE advice_row AS (kind text, problem text, ddl text, severity text);
COMMENT ON TYPE advice_row IS 'one piece of advice: what is wrong, the command that mends it, how much it matters';

-- an index of a partitioned table cannot be built concurrently
CREATE FUNCTION concurrently(target regclass) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT CASE c.relkind WHEN 'p' THEN '' ELSE 'CONCURRENTLY ' END FROM pg_class c WHERE c.oid = target);
END $$;
COMMENT ON FUNCTION concurrently(regclass) IS 'the word for CREATE INDEX on a table (internal)';

CREATE FUNCTION cleanup_index(target regclass) RETURNS regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT x.indexrelid::regclass FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
		 WHERE x.indrelid = target AND x.indpred IS NOT NULL AND x.indisvalid
		   AND a.attname = (softdelete.describe(target)).time_column
		   AND obj_description(x.indexrelid, 'pg_class') = 'softdelete: finds deleted rows by age'
		 LIMIT 1);
END $$;
COMMENT ON FUNCTION cleanup_index(regclass) IS 'the index over deleted rows that purges use, if there is one (internal)';

CREATE FUNCTION deleted_share(target regclass) RETURNS float8
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT least(i.reltuples / nullif(t.reltuples, 0), 1) FROM pg_class t, pg_class i
		 WHERE t.oid = target AND i.oid = softdelete.cleanup_index(target));
END $$;
COMMENT ON FUNCTION deleted_share(regclass) IS 'what share of the rows is deleted, by statistics; NULL: not known (internal)';

-- By its keys, or the condition, but not by a column that it merely INCLUDEs.  A
-- generated column that is made of the marker counts as the marker
CREATE FUNCTION heeds_marker(index regclass) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		WITH marker AS (
			SELECT x.indrelid, a.attnum FROM pg_index x
			  JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attname = (softdelete.describe(x.indrelid)).marker
			 WHERE x.indexrelid = index
		), marks AS (
			SELECT m.attnum FROM marker m
			 UNION
			SELECT g.adnum FROM marker m JOIN pg_attrdef g ON g.adrelid = m.indrelid
			  JOIN pg_attribute a ON a.attrelid = g.adrelid AND a.attnum = g.adnum AND a.attgenerated <> ''
			  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = m.indrelid AND d.refobjsubid = m.attnum
							  AND (d.classid = 'pg_attrdef'::regclass AND d.objid = g.oid
								   OR d.classid = 'pg_class'::regclass AND d.objid = m.indrelid AND d.objsubid = g.adnum)
		)
		SELECT EXISTS (SELECT FROM pg_index x CROSS JOIN LATERAL unnest(x.indkey::smallint[]) WITH ORDINALITY AS u(k, n)
						WHERE x.indexrelid = index AND u.n <= x.indnkeyatts AND u.k IN (SELECT attnum FROM marks))
			OR EXISTS (SELECT FROM pg_index x JOIN pg_depend d ON d.refobjid = x.indrelid
						WHERE x.indexrelid = index AND d.classid = 'pg_class'::regclass AND d.objid = index
						  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid IN (SELECT attnum FROM marks)
						  AND (x.indpred IS NOT NULL OR d.refobjsubid::smallint <> ALL (x.indkey::smallint[]))));
END $$;
COMMENT ON FUNCTION heeds_marker(regclass) IS 'do the keys or the condition of an index speak of the marker? (internal)';

CREATE FUNCTION full_keys(target regclass)
	RETURNS TABLE (index regclass, name name, "constraint" name, "primary" boolean, is_unique boolean, in_place boolean,
				   columns text, index_ddl text, clause text, obstacle text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT x.indexrelid::regclass, i.relname, c.conname, x.indisprimary, x.indisunique, p.in_place,
			   (SELECT string_agg(pg_get_indexdef(x.indexrelid, k, true), ', ' ORDER BY k) FROM generate_series(1, x.indnkeyatts) k),
			   w.index_ddl, w.clause, coalesce(r.obstacle, w.obstacle)
		  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
		  LEFT JOIN pg_constraint c ON c.conrelid = x.indrelid AND c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x')
		 CROSS JOIN LATERAL (SELECT x.indisexclusion OR coalesce(c.condeferrable, false)) AS p(in_place)
		 CROSS JOIN LATERAL (SELECT CASE WHEN softdelete.is_key_referred(x.indexrelid)
								THEN 'foreign keys refer to it, so it has to stay' END) AS r(obstacle)
		 CROSS JOIN LATERAL softdelete.live_twin(x.indexrelid, CASE
				WHEN x.indisprimary THEN softdelete.index_name($1, 'live_key')
				WHEN p.in_place THEN c.conname
				ELSE softdelete.index_name($1, 'live_key', VARIADIC ARRAY[i.relname]) END, softdelete.concurrently($1) <> '') w
		 WHERE x.indrelid = $1 AND (x.indisunique OR x.indisexclusion) AND NOT softdelete.heeds_marker(x.indexrelid)
		 ORDER BY i.relname;
END $$;
COMMENT ON FUNCTION full_keys(regclass) IS 'unique keys and exclusion constraints that deleted rows go on holding, and what could take their place (internal)';

-- the table's foreign keys, and those of its partitions by themselves
CREATE FUNCTION keys_without_index(tables regclass[]) RETURNS TABLE (child regclass, name name, columns text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT c.conrelid::regclass, c.conname,
			   (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.n) FROM unnest(c.conkey) WITH ORDINALITY AS u(k, n)
				  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = u.k)
		  FROM pg_constraint c
		 WHERE c.conrelid = ANY (tables) AND c.contype = 'f' AND c.conparentid = 0
		   AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.conrelid AND x.indpred IS NULL AND x.indisvalid
							 AND softdelete.leads_with(x.indexrelid, c.conkey)
							 -- not one that other advice, or enable(), makes partial
							 AND (x.indisprimary OR NOT x.indisunique AND NOT x.indisexclusion OR EXISTS (
									SELECT FROM softdelete.full_keys(c.conrelid) f WHERE f.index = x.indexrelid AND f.obstacle IS NOT NULL)))
		 ORDER BY c.conname, c.conrelid::regclass::text;
END $$;
COMMENT ON FUNCTION keys_without_index(regclass[]) IS 'foreign keys of these tables that no full index leads with (internal)';

CREATE FUNCTION leads_with(index regclass, columns smallint[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT (SELECT array_agg(u.k ORDER BY u.k) FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS u(k, n) WHERE u.n <= cardinality(columns))
			 = (SELECT array_agg(k ORDER BY k) FROM unnest(columns) AS k)
		  FROM pg_index x WHERE x.indexrelid = index);
END $$;
COMMENT ON FUNCTION leads_with(regclass, smallint[]) IS 'are these the first columns of the index, in any order? (internal)';

CREATE FUNCTION advice_cleanup_index(target regclass) RETURNS SETOF advice_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT 'cleanup_index', 'no index over deleted rows: every purge reads the whole table',
			   format('SELECT softdelete.create_cleanup_index(%L)', target), 'should'
		 WHERE softdelete.cleanup_index(target) IS NULL;
END $$;
COMMENT ON FUNCTION advice_cleanup_index(regclass) IS 'the index that purges need (internal; use advice)';

-- A replacement takes the old name in the end: upserts, migrations and monitoring
-- know indexes by name.
CREATE FUNCTION advice_unique(target regclass) RETURNS SETOF advice_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT CASE WHEN f.is_unique THEN 'blocking_unique' ELSE 'blocking_exclusion' END,
			   format('"%s" keeps (%s) of deleted rows taken', f.name, f.columns)
				|| coalesce('; ' || f.obstacle, CASE WHEN f.in_place THEN '; the command locks the table until it is done' ELSE '' END),
			   s.ddl, CASE WHEN f.obstacle IS NULL THEN 'must' ELSE 'maybe' END
		  FROM softdelete.full_keys(target) WITH ORDINALITY AS f(index, name, "constraint", "primary", is_unique, in_place, columns, index_ddl, clause, obstacle, n)
		 CROSS JOIN LATERAL softdelete.replacing(f.index, f."constraint", f.index_ddl, f.clause, f.obstacle) WITH ORDINALITY AS s(ddl, n)
		 WHERE NOT f."primary" AND (f.obstacle IS NULL OR NOT softdelete.frees_key(target, f.index))
		 ORDER BY f.n, s.n;
END $$;
COMMENT ON FUNCTION advice_unique(regclass) IS 'keys that deleted rows go on holding (internal; use advice)';

CREATE FUNCTION replacing(index regclass, "constraint" name, index_ddl text, clause text, obstacle text) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	x		record;
	made	name;
BEGIN
	SELECT i.indrelid::regclass AS target, c.relname,
		   CASE n.oid WHEN pg_my_temp_schema() THEN 'pg_temp' ELSE n.nspname END AS nspname, softdelete.concurrently(i.indrelid) AS online INTO x
	  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
	 WHERE i.indexrelid = index;
	IF obstacle IS NOT NULL THEN
		RETURN NEXT NULL;
	ELSIF clause IS NOT NULL THEN
		RETURN NEXT format('ALTER TABLE %s DROP CONSTRAINT %I, %s', x.target, "constraint", clause);
	ELSE
		made := softdelete.index_name(x.target, CASE WHEN index_ddl LIKE 'CREATE UNIQUE%' THEN 'live_key' ELSE 'live_idx' END, VARIADIC ARRAY[x.relname]);
		RETURN NEXT index_ddl;
		RETURN NEXT CASE WHEN "constraint" IS NOT NULL THEN format('ALTER TABLE %s DROP CONSTRAINT %I', x.target, "constraint")
						 ELSE format('DROP INDEX %s%I.%I', x.online, x.nspname, x.relname) END;
		RETURN NEXT format('ALTER INDEX %I.%I RENAME TO %I', x.nspname, made, x.relname);
	END IF;
END $$;
COMMENT ON FUNCTION replacing(regclass, name, text, text, text) IS 'the commands that put a live twin in the place of an index (internal)';

-- A change of the primary key changes what identifies a row, so it is never among
-- the commands that are there to be run.
CREATE FUNCTION advice_natural_key(target regclass) RETURNS SETOF advice_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT 'natural_key', format('primary key (%s) is entered, not generated: a key that was deleted cannot be inserted again', f.columns)
				|| coalesce('; ' || f.obstacle, ''), NULL::text, 'maybe'
		  FROM softdelete.full_keys(target) f JOIN pg_index x ON x.indexrelid = f.index
		 WHERE f."primary" AND NOT softdelete.frees_key(target, f.index) AND NOT EXISTS (SELECT FROM pg_attribute a
				WHERE a.attrelid = target AND a.attnum = ANY (x.indkey::smallint[]) AND (a.attidentity <> '' OR a.atthasdef));
END $$;
COMMENT ON FUNCTION advice_natural_key(regclass) IS 'primary keys that deleted rows go on holding (internal; use advice)';

CREATE FUNCTION advice_key_index(target regclass) RETURNS SETOF advice_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT 'key_index',
			   format('no full index leads with (%s)%s: deletes and purges of the referred-to table scan this one', k.columns,
					  CASE WHEN k.child = target THEN '' ELSE format(' of %s "%s"', CASE WHEN c.relispartition THEN 'partition' ELSE 'table' END, k.child) END),
			   format('CREATE INDEX %s%I ON %s (%s)', softdelete.concurrently(k.child),
					  softdelete.index_name(k.child, 'idx', VARIADIC ARRAY[k.name]), k.child, k.columns), 'should'
		  FROM softdelete.keys_without_index(softdelete.with_partitions(ARRAY[target]
					|| ARRAY(SELECT u.child FROM softdelete.unmanaged_children(target) u))) WITH ORDINALITY AS k(child, name, columns, n)
		  JOIN pg_class c ON c.oid = k.child
		 ORDER BY k.n;
END $$;
COMMENT ON FUNCTION advice_key_index(regclass) IS 'foreign keys by which cascades and checks scan the table (internal; use advice)';

CREATE FUNCTION advice_partial_index(target regclass) RETURNS SETOF advice_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT 'partial_index',
			   format('"%s" indexes deleted rows, too: a partial one would save about %s of %s', f.name,
					  pg_size_pretty((pg_relation_size(f.index) * d.share)::bigint), pg_size_pretty(pg_relation_size(f.index))),
			   s.ddl, CASE WHEN d.share > 0.3 THEN 'should' ELSE 'maybe' END
		  FROM softdelete.deleted_share(target) AS d(share)
		 CROSS JOIN LATERAL softdelete.indexes_to_narrow(target, true) f
		 -- and what disable() puts it back by
		 CROSS JOIN LATERAL (SELECT r.ddl, r.n FROM softdelete.replacing(f.index, NULL, f.ddl, NULL, NULL) WITH ORDINALITY AS r(ddl, n)
							 UNION ALL SELECT softdelete.live_index_comment(f.index), 9) AS s(ddl, n)
		 WHERE d.share > 0.1 AND (SELECT c.relkind FROM pg_class c WHERE c.oid = f.index) = 'i'
		 ORDER BY f.name, s.n;
END $$;
COMMENT ON FUNCTION advice_partial_index(regclass) IS 'full indexes that carry many deleted rows (internal; use advice)';

-- ORDER BY id LIMIT 1 of a queue: what was done first is deleted first, and the
-- primary key's index, which has to stay, is read past all of it each time.
CREATE FUNCTION advice_queue_index(target regclass) RETURNS SETOF advice_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET softdelete.visibility = 'all' AS $$
DECLARE
	d		record := softdelete.describe(target);
	x		record;
	n		bigint;
BEGIN
	SELECT i.indexrelid, i.indkey[0] AS first,
		   (SELECT string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' ORDER BY k) FROM generate_series(1, i.indnkeyatts) k) AS columns
	  INTO x FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
	 WHERE i.indrelid = target AND i.indisprimary AND c.relkind = 'r'
	   AND softdelete.deleted_share(target) * c.reltuples >= 1000
	   AND NOT EXISTS (SELECT FROM pg_index p WHERE p.indrelid = target AND p.indpred IS NOT NULL AND p.indisvalid
						AND p.indkey[0] = i.indkey[0] AND softdelete.heeds_marker(p.indexrelid));
	IF NOT FOUND THEN
		RETURN;
	END IF;
	n := softdelete.as_owner(target, format('SELECT count(*) FILTER (WHERE %s) FROM (SELECT * FROM ONLY %s ORDER BY %s LIMIT 100) AS t',
											d.deleted_predicate, target, x.columns));
	IF n >= 90 THEN
		RETURN QUERY SELECT 'queue_index', format('of the first 100 rows by (%s) %s are deleted: ORDER BY %s LIMIT 1 reads past all of them', x.columns, n, x.columns),
			format('CREATE INDEX CONCURRENTLY %I ON %s (%s) WHERE %s', softdelete.index_name(target, 'live_idx', VARIADIC
				(SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = x.indexrelid)), target, x.columns, d.live_predicate), 'maybe';
	END IF;
END $$;
COMMENT ON FUNCTION advice_queue_index(regclass) IS 'queues whose head is deleted (internal; use advice)';
