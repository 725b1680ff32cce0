-- Level by level, as the cascade goes, but only reading: which rows a delete of
-- this one would take, which keep their links, and which stand in its way.  Rows
-- are known by partition and ctid.  Read as the caller, who is told so of tables
-- that he may not SELECT from.
CREATE FUNCTION preview_row(asked regclass, part oid, "row" tid)
	RETURNS TABLE (target regclass, rows bigint, on_delete text, outcome text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET softdelete.visibility = 'all' AS $$
#variable_conflict use_column
DECLARE
	tables	regclass[] := ARRAY[asked];		-- of all rows so far
	parts	oid[] := ARRAY[part];
	tids	tid[] := ARRAY["row"];
	done	integer := 0;					-- rows whose children were looked for
	level	integer;
	k		record;
	found	record;
	results	jsonb := '[]';
	waiting	jsonb := '[]';					-- rows that refuse, unless they go themselves
BEGIN
	WHILE done < cardinality(tids) LOOP
		level := cardinality(tids);
		FOR k IN
			SELECT DISTINCT ON (f.child, f.name, f.oid) f.* FROM unnest(tables[done + 1:level]) AS t(t) CROSS JOIN LATERAL softdelete.referring_keys(t.t) f
			 ORDER BY f.child, f.name, f.oid
		LOOP
			IF NOT has_table_privilege(k.child, 'SELECT') THEN
				results := results || jsonb_build_array(jsonb_build_array(k.child::oid, NULL, k.on_delete, 'unknown: no right to SELECT from it'));
				CONTINUE;
			END IF;
			EXECUTE format('SELECT array_agg(c.tableoid) AS parts, array_agg(c.ctid) AS tids FROM (SELECT DISTINCT c.tableoid, c.ctid'
						   ' FROM unnest($1, $2) AS u(part, tid) JOIN %s p ON p.tableoid = u.part AND p.ctid = u.tid JOIN %s c ON %s WHERE %s) c',
						   k.parent, k.child, k.joined, k.live)
			   INTO found USING parts[done + 1:level], tids[done + 1:level];
			-- each row once
			IF k.on_delete = 'CASCADE' AND k.managed THEN
				SELECT array_agg(n.part) AS parts, array_agg(n.tid) AS tids INTO found
				  FROM unnest(found.parts, found.tids) AS n(part, tid)
				 WHERE NOT EXISTS (SELECT FROM unnest(parts, tids) AS o(part, tid) WHERE o.part = n.part AND o.tid = n.tid);
				tables := tables || array_fill(k.child_root, ARRAY[coalesce(cardinality(found.tids), 0)]);
				parts := parts || found.parts;
				tids := tids || found.tids;
			ELSIF k.on_delete IN ('RESTRICT', 'NO ACTION', 'CASCADE') THEN
				waiting := waiting || (SELECT coalesce(jsonb_agg(jsonb_build_array(k.child_root::oid, k.on_delete, k.managed, n.part, n.tid)), '[]')
										 FROM unnest(found.parts, found.tids) AS n(part, tid));
			ELSIF found.tids IS NOT NULL THEN
				results := results || jsonb_build_array(jsonb_build_array(k.child_root::oid, cardinality(found.tids), k.on_delete, 'stays, with its link until the purge'));
			END IF;
		END LOOP;
		done := level;
	END LOOP;
	RETURN QUERY
		SELECT t.t, count(*), CASE WHEN t.n > 1 THEN 'CASCADE' END, 'deleted'
		  FROM unnest(tables) WITH ORDINALITY AS t(t, n) GROUP BY t.t, t.n > 1 ORDER BY min(t.n);
	RETURN QUERY
		SELECT w.child, count(DISTINCT (w.part, w.tid)), w.on_delete, CASE WHEN w.managed THEN 'refuses: live rows refer to it' ELSE 'refuses: rows refer to it and the table is not managed' END
		  FROM (SELECT (r->>0)::oid::regclass AS child, r->>1 AS on_delete, (r->>2)::boolean AS managed, (r->>3)::oid AS part, (r->>4)::tid AS tid
				  FROM jsonb_array_elements(waiting) r) w
		 WHERE NOT EXISTS (SELECT FROM unnest(parts, tids) AS o(part, tid) WHERE o.part = w.part AND o.tid = w.tid)
		 GROUP BY w.child, w.on_delete, w.managed ORDER BY w.child::text, w.on_delete;
	RETURN QUERY
		SELECT (r->>0)::oid::regclass, sum((r->>1)::bigint)::bigint, r->>2, r->>3
		  FROM jsonb_array_elements(results) r GROUP BY r->>0, r->>2, r->>3 ORDER BY 1, 3;
END $$;
COMMENT ON FUNCTION preview_row(regclass, oid, tid) IS 'preview() of a row that was found (internal)';

CREATE FUNCTION referring_keys(target regclass)
	RETURNS TABLE (oid oid, name name, child regclass, child_root regclass, parent regclass, on_delete text, managed boolean, live text, joined text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
		SELECT f.oid, f.conname, f.conrelid::regclass, coalesce(pg_partition_root(f.conrelid), f.conrelid)::regclass, f.confrelid::regclass,
			   CASE f.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END,
			   d.marker IS NOT NULL,
			   coalesce(softdelete.predicate(f.conrelid, d.marker, d.kind, d.deleted_value, true, 'c'), 'true'),
			   (SELECT string_agg(format('p.%I OPERATOR(%I.%s) c.%I', pa.attname, s.nspname, o.oprname, ca.attname), ' AND ' ORDER BY u.i)
				  FROM unnest(f.conkey, f.confkey, f.conpfeqop) WITH ORDINALITY AS u(child, parent, op, i)
				  JOIN pg_attribute ca ON ca.attrelid = f.conrelid AND ca.attnum = u.child
				  JOIN pg_attribute pa ON pa.attrelid = f.confrelid AND pa.attnum = u.parent
				  JOIN pg_operator o ON o.oid = u.op JOIN pg_namespace s ON s.oid = o.oprnamespace)
		  FROM pg_constraint f CROSS JOIN LATERAL softdelete.describe(f.conrelid) d
		 WHERE f.contype = 'f' AND f.conparentid = 0 AND f.confrelid = ANY (softdelete.with_partitions(ARRAY[$1]));
END $$;
COMMENT ON FUNCTION referring_keys(regclass) IS 'the foreign keys that refer to a table or a partition of it, and how to join along them (internal)';

CREATE FUNCTION preview(target regclass, VARIADIC key "any")
	RETURNS TABLE (target regclass, rows bigint, on_delete text, outcome text)
	AS 'MODULE_PATHNAME', 'softdelete_preview' LANGUAGE C STABLE;
COMMENT ON FUNCTION preview(regclass, "any") IS 'what a delete of the row with this primary key would take, by table, and what would refuse it; nothing is changed';
