------------------------------------------------------------------------------
-- enable_schema
------------------------------------------------------------------------------

-- The next table that nothing unmanaged cascades to any more; in a cycle any, with
-- those that it needs, unless one of them is elsewhere.
CREATE FUNCTION enable_schema(schema name, retention interval DEFAULT '30 days', live_indexes boolean DEFAULT false)
	RETURNS TABLE (target regclass, outcome text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	todo		regclass[];
	parents		regclass[];
	children	regclass[];
	next		record;
	usual		record;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = schema) THEN
		RAISE EXCEPTION 'schema "%" does not exist', schema USING ERRCODE = 'invalid_schema_name';
	END IF;
	PERFORM softdelete.check_retention(retention);
	todo := ARRAY(SELECT c.oid::regclass FROM pg_class c
				   WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = schema)
					 AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
					 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
				   ORDER BY c.relname);
	-- who cascades to whom
	SELECT array_agg(e.parent), array_agg(e.child) INTO parents, children
	  FROM (SELECT DISTINCT coalesce(pg_partition_root(c.confrelid), c.confrelid)::regclass AS parent,
				   coalesce(pg_partition_root(c.conrelid), c.conrelid)::regclass AS child
			  FROM pg_constraint c
			 WHERE c.contype = 'f' AND c.confdeltype = 'c' AND softdelete.is_enforced(c)) e
	 WHERE e.parent = ANY (todo) AND e.child <> e.parent;
	WHILE todo <> '{}' LOOP
		SELECT x.t AS tbl, count(*) FILTER (WHERE k.child = ANY (todo)) AS children, count(*) FILTER (WHERE k.child <> ALL (todo)) AS others
		  INTO next
		  FROM unnest(todo) WITH ORDINALITY AS x(t, n)
		  LEFT JOIN (SELECT u.parent, u.child FROM unnest(parents, children) AS u(parent, child)
					  WHERE (softdelete.describe(u.child)).marker IS NULL) k ON k.parent = x.t
		 GROUP BY x.t, x.n
		 ORDER BY count(*) FILTER (WHERE k.child = ANY (todo)) > 0, x.n LIMIT 1;
		todo := array_remove(todo, next.tbl);
		target := next.tbl;
		IF (softdelete.describe(target)).marker IS NOT NULL THEN
			outcome := format('managed already, by "%s"', (softdelete.describe(target)).marker);
		ELSE
			BEGIN
				PERFORM softdelete.check_table(target);
				usual := softdelete.usual_marker(target, NULL);
				IF usual.marker IS NULL THEN
					outcome := format('not managed: it could be marked by %s; %s',
									  (SELECT string_agg(format('"%s"', c), ' or ' ORDER BY n) FROM unnest(usual.candidates) WITH ORDINALITY AS x(c, n)),
									  softdelete.enable_call(target, NULL));
				ELSE
					PERFORM softdelete.enable(target, usual.marker, retention => enable_schema.retention,
											  "cascade" => next.children > 0 AND next.others = 0,
											  live_indexes => enable_schema.live_indexes);
					outcome := format('managed, by "%s"', usual.marker)
						|| CASE WHEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = target AND i.indisprimary) THEN ''
								ELSE '; no primary key: delete(), restore() and the like by key do not work' END;
				END IF;
			EXCEPTION WHEN query_canceled OR assert_failure OR lock_not_available THEN
				RAISE;
			WHEN others THEN
				outcome := 'not managed: ' || SQLERRM;
			END;
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION enable_schema(name, interval, boolean) IS 'enable() for all tables of a schema, in the order of their keys; says what became of each';
