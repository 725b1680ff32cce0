------------------------------------------------------------------------------
-- enable_schema
------------------------------------------------------------------------------

-- The next table that nothing unmanaged cascades to any more; in a cycle any, with
-- those that it needs, unless one of them is elsewhere.
CREATE FUNCTION enable_schema(schema name, retention interval DEFAULT '30 days')
	RETURNS TABLE (target regclass, outcome text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	todo	regclass[];
	next	record;
	usual	record;
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
	WHILE todo <> '{}' LOOP
		SELECT t AS tbl, children, others INTO next FROM unnest(todo) WITH ORDINALITY AS x(t, n)
		 CROSS JOIN LATERAL (
			SELECT count(*) FILTER (WHERE k.child = ANY (todo)) AS children, count(*) FILTER (WHERE k.child <> ALL (todo)) AS others
			  FROM (SELECT DISTINCT coalesce(pg_partition_root(c.conrelid), c.conrelid)::regclass AS child
					  FROM pg_constraint c
					 WHERE c.contype = 'f' AND c.confdeltype = 'c' AND softdelete.is_enforced(c)
					   AND c.confrelid = ANY ((SELECT softdelete.with_partitions(ARRAY[t]))::regclass[])) k
			 WHERE k.child <> t AND (softdelete.describe(k.child)).marker IS NULL) y
		 ORDER BY children > 0, n LIMIT 1;
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
											  "cascade" => next.children > 0 AND next.others = 0);
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
COMMENT ON FUNCTION enable_schema(name, interval) IS 'enable() for all tables of a schema, in the order of their keys; says what became of each';
