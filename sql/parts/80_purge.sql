------------------------------------------------------------------------------
-- Purge
------------------------------------------------------------------------------

CREATE FUNCTION purge_table(target regclass, retention interval, batch_size integer,
	OUT expired bigint, OUT purged bigint, OUT kept bigint, OUT kept_why jsonb)
	AS 'MODULE_PATHNAME', 'softdelete_purge_table' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION purge_table(regclass, interval, integer) IS 'erase the expired rows of one table (internal; use purge_expired)';

CREATE FUNCTION purge_cycle(targets regclass[], retentions interval[], batch_size integer)
	RETURNS TABLE (target regclass, expired bigint, purged bigint, kept bigint, kept_why jsonb)
	AS 'MODULE_PATHNAME', 'softdelete_purge_cycle' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION purge_cycle(regclass[], interval[], integer) IS 'erase the expired rows of tables that refer to one another (internal; use purge_expired)';

CREATE FUNCTION may_have_expired(target regclass, retention interval) RETURNS boolean
	AS 'MODULE_PATHNAME', 'softdelete_may_have_expired' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION may_have_expired(regclass, interval) IS 'false where one look at an index tells that no row of the table has expired (internal)';

CREATE FUNCTION purge_order(tables regclass[]) RETURNS SETOF regclass[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	todo		 oid[] := tables::oid[];
	together	 oid[];
	key_parents	 oid[];
	key_children oid[];
	key_keeps	 boolean[];
BEGIN
	-- which of them refers to which; a partition's own foreign key is its table's
	SELECT array_agg(k.parent), array_agg(k.child), array_agg(k.keeps)
	  INTO key_parents, key_children, key_keeps
	  FROM (SELECT CASE WHEN p.relispartition THEN pg_partition_root(p.oid)::oid ELSE p.oid END AS parent,
				   CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid ELSE c.oid END AS child,
				   bool_or(f.confdeltype IN ('a', 'r', 'c')) AS keeps
			  FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid JOIN pg_class c ON c.oid = f.conrelid
			 WHERE f.contype = 'f' AND f.conparentid = 0 AND cardinality(todo) > 1
			 GROUP BY 1, 2) k
	 WHERE k.parent <> k.child AND k.parent = ANY (todo) AND k.child = ANY (todo);

	WHILE todo <> '{}' LOOP
		-- a table that is not referred to by others of the rest
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
		RETURN NEXT together::regclass[];
	END LOOP;
END $$;
COMMENT ON FUNCTION purge_order(regclass[]) IS 'the tables in the order in which to purge them, children first; those of a cycle together (internal)';

CREATE FUNCTION may_purge(asked regclass, older_than interval, OUT target regclass, OUT retention interval) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	others	text;
BEGIN
	IF asked IS NOT NULL THEN
		PERFORM softdelete.live_predicate(asked);
		RETURN QUERY SELECT m.target, coalesce(older_than, m.retention) FROM softdelete.tables m WHERE m.target = asked;
		RETURN;
	END IF;
	-- all that the caller may purge and that is not kept for ever
	RETURN QUERY SELECT m.target, coalesce(older_than, m.retention)
				   FROM softdelete.tables m JOIN pg_class c ON c.oid = m.target
				  WHERE m.retention IS NOT NULL
					AND (pg_has_role(c.relowner, 'USAGE') OR current_setting('softdelete.hard_delete')::boolean)
				  ORDER BY m.target::text;
	IF NOT FOUND THEN
		SELECT string_agg(m.target::text, ', ' ORDER BY m.n) FILTER (WHERE m.n <= 10)
			   || CASE WHEN max(m.n) > 10 THEN format(' and %s more', max(m.n) - 10) ELSE '' END INTO others
		  FROM (SELECT target, row_number() OVER (ORDER BY target::text) FROM softdelete.tables WHERE retention IS NOT NULL) m(target, n);
		IF others IS NOT NULL THEN
			RAISE WARNING 'role "%" may purge none of the managed tables', current_user
				USING ERRCODE = 'insufficient_privilege', DETAIL = format('Others own %s.', others),
					  HINT = 'Run it as the owner of the tables, or SET softdelete.hard_delete = on first, which takes GRANT SET ON PARAMETER softdelete.hard_delete.';
		END IF;
	END IF;
END $$;
COMMENT ON FUNCTION may_purge(regclass, interval) IS 'the tables that the caller may purge, and how long their rows are kept (internal)';

CREATE FUNCTION purge_tables(asked regclass, batch_size integer, dry_run boolean, older_than interval)
	RETURNS TABLE (target regclass, expired bigint, purged bigint, kept bigint, kept_why jsonb)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	targets		regclass[];
	retentions	interval[];
	due			boolean[];
	together	regclass[];
	results		jsonb := '[]';
	result		record;
BEGIN
	IF batch_size IS NULL OR batch_size < 1 OR batch_size > 1000000 THEN
		RAISE EXCEPTION 'batch size must be between 1 and 1000000' USING ERRCODE = 'invalid_parameter_value';
	ELSIF older_than IS NOT NULL THEN
		PERFORM softdelete.check_retention(older_than, 'older_than');
	END IF;
	-- else every row would fail by itself and count as kept
	IF current_setting('transaction_read_only')::boolean THEN
		RAISE EXCEPTION 'cannot execute softdelete.purge_expired() in a read-only transaction'
			USING ERRCODE = 'read_only_sql_transaction';
	END IF;
	SELECT array_agg(p.target), array_agg(p.retention), 
		   array_agg(p.retention IS NOT NULL AND (asked IS NOT NULL OR softdelete.may_have_expired(p.target, p.retention)))
	  INTO targets, retentions, due FROM softdelete.may_purge(asked, older_than) p;
	BEGIN
		FOR together IN SELECT softdelete.purge_order(ARRAY(SELECT t FROM unnest(targets, due) WITH ORDINALITY AS u(t, d, n) WHERE d ORDER BY n)) LOOP
			-- one table that cannot be purged must not keep the others from it
			BEGIN
				FOR result IN
					SELECT t AS target, p.* FROM unnest(targets, retentions) AS u(t, r)
					  CROSS JOIN LATERAL softdelete.purge_table(t, r, batch_size) p
					 WHERE cardinality(together) = 1 AND t = together[1]
					 UNION ALL
					SELECT p.* FROM (SELECT array_agg(t ORDER BY t) AS t, array_agg(r ORDER BY t) AS r
									   FROM unnest(targets, retentions) AS u(t, r) WHERE t = ANY (together)) u
					  CROSS JOIN LATERAL softdelete.purge_cycle(u.t, u.r, batch_size) p
					 WHERE cardinality(together) > 1
					 ORDER BY target
				LOOP
					results := results || jsonb_build_array(jsonb_build_array(result.target::oid, result.expired, result.purged, result.kept, result.kept_why));
					IF result.kept > 0 THEN
						RAISE NOTICE '%', format(CASE WHEN dry_run THEN 'would keep %s of %s expired rows of table "%s": %s'
							ELSE 'kept %s of %s expired rows of table "%s": %s' END, result.kept, result.expired, result.target,
							(SELECT string_agg(format('%s (%s)', w.key, w.value), ', ' ORDER BY w.value::text::bigint DESC, w.key)
							   FROM jsonb_each(result.kept_why) w));
					END IF;
				END LOOP;
			EXCEPTION WHEN others OR assert_failure THEN
				IF asked IS NOT NULL OR SQLSTATE = '25006'
					OR SQLSTATE LIKE '40%' AND current_setting('transaction_isolation') <> 'read committed' THEN
					RAISE;
				END IF;
				RAISE WARNING '%', format(CASE cardinality(together) WHEN 1 THEN 'table "%s" was not purged: %s'
					ELSE 'tables "%s" were not purged: %s' END,
					(SELECT string_agg(t::text, '", "' ORDER BY t::text) FROM unnest(together) t), SQLERRM)
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
	RETURN QUERY
		SELECT (r->>0)::oid::regclass, (r->>1)::bigint, (r->>2)::bigint, (r->>3)::bigint, nullif(r->4, 'null')
		  FROM jsonb_array_elements(results) WITH ORDINALITY AS u(r, n) ORDER BY n;
	RETURN QUERY SELECT t, 0::bigint, 0::bigint, 0::bigint, NULL::jsonb FROM unnest(targets, due) WITH ORDINALITY AS u(t, d, n) WHERE NOT d ORDER BY n;
END $$;
COMMENT ON FUNCTION purge_tables(regclass, integer, boolean, interval) IS 'purge_expired() under names that plpgsql can tell apart (internal)';

CREATE FUNCTION purge_expired(target regclass DEFAULT NULL, batch_size integer DEFAULT 10000,
	dry_run boolean DEFAULT false, older_than interval DEFAULT NULL)
	RETURNS TABLE (target regclass, expired bigint, purged bigint, kept bigint, kept_why jsonb)
LANGUAGE sql VOLATILE AS 'SELECT * FROM softdelete.purge_tables($1, $2, $3, $4)';
COMMENT ON FUNCTION purge_expired(regclass, integer, boolean, interval) IS 'erase for good the rows whose retention is over';
