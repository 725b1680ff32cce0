------------------------------------------------------------------------------
-- advice
------------------------------------------------------------------------------

-- The table asked for, or all of the caller's; raises where there is nothing to
-- say of a table because it is not managed.
CREATE FUNCTION advised(asked regclass) RETURNS SETOF regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF asked IS NULL THEN
		RETURN QUERY SELECT c.oid::regclass FROM pg_class c
			 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND pg_has_role(c.relowner, 'USAGE')
			   AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'softdelete'::regnamespace)
			   AND NOT pg_is_other_temp_schema(c.relnamespace);
		RETURN;
	ELSIF NOT EXISTS (SELECT FROM softdelete.advice_lost(asked) UNION ALL SELECT FROM softdelete.advice_by_hand(asked)) THEN
		PERFORM softdelete.live_predicate(asked);
	END IF;
	RETURN NEXT asked;
END $$;
COMMENT ON FUNCTION advised(regclass) IS 'the tables that advice() looks at (internal)';

-- jit would compile for seconds what runs for milliseconds
CREATE FUNCTION advice(target regclass DEFAULT NULL)
	RETURNS TABLE (target regclass, kind text, problem text, ddl text, severity text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET intervalstyle = postgres AS $$
	(SELECT t.target, a.kind, a.problem, a.ddl, a.severity
	  FROM softdelete.advised($1) AS t(target)
	 CROSS JOIN LATERAL (SELECT (softdelete.describe(t.target)).marker IS NOT NULL OFFSET 0) AS m(managed)
	 CROSS JOIN LATERAL (
		SELECT 1, l.* FROM softdelete.advice_lost(t.target) WITH ORDINALITY l WHERE NOT m.managed UNION ALL
		SELECT 2, l.* FROM softdelete.advice_cleanup_index(t.target) WITH ORDINALITY l WHERE m.managed UNION ALL
		SELECT 3, l.* FROM softdelete.advice_natural_key(t.target) WITH ORDINALITY l WHERE m.managed UNION ALL
		SELECT 4, l.* FROM softdelete.advice_unique(t.target) WITH ORDINALITY l WHERE m.managed UNION ALL
		SELECT 5, l.* FROM softdelete.advice_key_index(t.target) WITH ORDINALITY l WHERE m.managed UNION ALL
		SELECT 6, l.* FROM softdelete.advice_partial_index(t.target) WITH ORDINALITY l WHERE m.managed UNION ALL
		SELECT 7, l.* FROM softdelete.advice_queue_index(t.target) WITH ORDINALITY l WHERE m.managed UNION ALL
		SELECT 8, l.* FROM softdelete.advice_children(t.target) WITH ORDINALITY l WHERE m.managed UNION ALL
		SELECT 9, l.* FROM softdelete.advice_retention(t.target) WITH ORDINALITY l WHERE m.managed UNION ALL
		SELECT 10, l.* FROM softdelete.advice_sequences(t.target) WITH ORDINALITY l WHERE m.managed UNION ALL
		SELECT 11, l.* FROM softdelete.advice_triggers(t.target) WITH ORDINALITY l WHERE m.managed UNION ALL
		SELECT 12, l.* FROM softdelete.advice_by_hand(t.target) WITH ORDINALITY l
	 ) AS a(part, kind, problem, ddl, severity, n)
	  ORDER BY t.target::text, a.part, a.n)
	UNION ALL
	SELECT n.* FROM softdelete.advice_new_tables() n WHERE $1 IS NULL
$$;
COMMENT ON FUNCTION advice(regclass) IS 'what could be better about managed tables, with the command that makes it so and how much it matters';
