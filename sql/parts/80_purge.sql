------------------------------------------------------------------------------
-- Purge
------------------------------------------------------------------------------

CREATE FUNCTION purge_tables(asked regclass, batch_size integer, dry_run boolean, older_than interval)
	RETURNS TABLE (target regclass, expired bigint, purged bigint, kept bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	todo		 oid[];
	together	 oid[];
	key_parents	 oid[];
	key_children oid[];
	key_keeps	 boolean[];
	results		 jsonb := '[]';
BEGIN
	IF batch_size IS NULL OR batch_size < 1 OR batch_size > 1000000 THEN
		RAISE EXCEPTION 'batch size must be between 1 and 1000000' USING ERRCODE = 'invalid_parameter_value';
	ELSIF older_than IS NOT NULL THEN
		PERFORM softdelete.check_retention(older_than);
	END IF;
	-- else every row would fail by itself and count as kept
	IF current_setting('transaction_read_only')::boolean THEN
		RAISE EXCEPTION 'cannot execute softdelete.purge_expired() in a read-only transaction'
			USING ERRCODE = 'read_only_sql_transaction';
	END IF;
	IF asked IS NOT NULL THEN
		PERFORM softdelete.live_predicate(asked);
		todo := ARRAY[asked::oid];
	ELSE
		-- all that the caller may purge and that is not kept for ever
		todo := (SELECT coalesce(array_agg(m.target::oid ORDER BY m.target::text), '{}')
				   FROM softdelete.tables m JOIN pg_class c ON c.oid = m.target
				  WHERE m.retention IS NOT NULL
					AND (pg_has_role(c.relowner, 'USAGE') OR current_setting('softdelete.hard_delete')::boolean));
	END IF;

	-- which of them refers to which; a partition's own foreign key is its table's
	SELECT array_agg(k.parent), array_agg(k.child), array_agg(k.keeps)
	  INTO key_parents, key_children, key_keeps
	  FROM (SELECT CASE WHEN p.relispartition THEN pg_partition_root(p.oid)::oid ELSE p.oid END AS parent,
				   CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid ELSE c.oid END AS child,
				   bool_or(f.confdeltype IN ('a', 'r', 'c')) AS keeps
			  FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid JOIN pg_class c ON c.oid = f.conrelid
			 WHERE f.contype = 'f' AND f.conparentid = 0
			 GROUP BY 1, 2) k
	 WHERE k.parent <> k.child AND k.parent = ANY (todo) AND k.child = ANY (todo);

	BEGIN
		WHILE todo <> '{}' LOOP
			-- children first: a table that is not referred to by others of the rest
			SELECT ARRAY[t] INTO together FROM unnest(todo) WITH ORDINALITY AS u(t, n)
			 WHERE NOT EXISTS (SELECT FROM unnest(key_parents, key_children) AS k(parent, child)
								WHERE k.parent = t AND k.child = ANY (todo))
			 ORDER BY n LIMIT 1;
			-- or only by those of a cycle; one owner's cycle goes together
			IF NOT FOUND THEN
				WITH RECURSIVE ref(parent, child, keeps) AS (
					SELECT k.parent, k.child, k.keeps FROM unnest(key_parents, key_children, key_keeps) AS k(parent, child, keeps)
					 WHERE k.parent = ANY (todo) AND k.child = ANY (todo)
				), reach(parent, child) AS (
					SELECT parent, child FROM ref WHERE keeps
					 UNION
					SELECT h.parent, r.child FROM reach h JOIN ref r ON r.parent = h.child WHERE r.keeps
				), cycle(t, n, members) AS (
					SELECT t, n, ARRAY(SELECT h.child FROM reach h JOIN reach b ON b.parent = h.child AND b.child = t
										WHERE h.parent = t AND h.child <> t ORDER BY 1)
					  FROM unnest(todo) WITH ORDINALITY AS u(t, n)
				)
				SELECT CASE WHEN (SELECT count(DISTINCT relowner) = 1 FROM pg_class WHERE oid = ANY (t || members))
							THEN t || members ELSE ARRAY[t] END INTO together FROM cycle
				 WHERE NOT EXISTS (SELECT FROM reach h WHERE h.parent = t AND h.child <> t AND h.child <> ALL (members))
				 ORDER BY EXISTS (SELECT FROM ref r WHERE r.parent = t), n LIMIT 1;
			END IF;
			todo := ARRAY(SELECT t FROM unnest(todo) WITH ORDINALITY AS u(t, n) WHERE t <> ALL (together) ORDER BY n);
			-- one table that cannot be purged must not keep the others from it
			BEGIN
				IF cardinality(together) = 1 THEN
					results := results || coalesce((SELECT jsonb_agg(jsonb_build_array(m.target::oid, coalesce(p.expired, 0), coalesce(p.purged, 0), coalesce(p.kept, 0)))
						FROM softdelete.tables m
						CROSS JOIN LATERAL softdelete.purge_table(m.target, coalesce(older_than, m.retention), batch_size) p
					   WHERE m.target = together[1]), '[]');
				ELSE
					results := results || coalesce((SELECT jsonb_agg(jsonb_build_array(p.target::oid, p.expired, p.purged, p.kept)
															ORDER BY p.target::text)
						FROM (SELECT array_agg(m.target ORDER BY m.target), array_agg(coalesce(older_than, m.retention) ORDER BY m.target)
								FROM softdelete.tables m WHERE m.target = ANY (together)) c(targets, retentions)
						CROSS JOIN LATERAL softdelete.purge_cycle(c.targets, c.retentions, batch_size) p), '[]');
				END IF;
			EXCEPTION WHEN others OR assert_failure THEN
				IF asked IS NOT NULL OR SQLSTATE = '25006'
					OR SQLSTATE LIKE '40%' AND current_setting('transaction_isolation') <> 'read committed' THEN
					RAISE;
				END IF;
				RAISE WARNING '%', format(CASE cardinality(together) WHEN 1 THEN 'table "%s" was not purged: %s'
					ELSE 'tables "%s" were not purged: %s' END,
					(SELECT string_agg(t::regclass::text, '", "' ORDER BY t::regclass::text) FROM unnest(together) t), SQLERRM)
					USING ERRCODE = SQLSTATE;
			END;
		END LOOP;
		IF dry_run THEN
			-- exact by construction: it was done, and is undone
			RAISE EXCEPTION 'dry run' USING ERRCODE = 'SDDRY';
		END IF;
	EXCEPTION WHEN SQLSTATE 'SDDRY' THEN
		NULL;
	END;
	RETURN QUERY SELECT (r->>0)::oid::regclass, (r->>1)::bigint, (r->>2)::bigint, (r->>3)::bigint
				   FROM jsonb_array_elements(results) WITH ORDINALITY AS u(r, n) ORDER BY n;
END $$;
COMMENT ON FUNCTION purge_tables(regclass, integer, boolean, interval) IS 'purge_expired() under names that plpgsql can tell apart (internal)';

CREATE FUNCTION purge_expired(target regclass DEFAULT NULL, batch_size integer DEFAULT 10000,
	dry_run boolean DEFAULT false, older_than interval DEFAULT NULL)
	RETURNS TABLE (target regclass, expired bigint, purged bigint, kept bigint)
LANGUAGE sql VOLATILE AS 'SELECT * FROM softdelete.purge_tables($1, $2, $3, $4)';
COMMENT ON FUNCTION purge_expired(regclass, integer, boolean, interval) IS 'erase for good the rows whose retention is over';
