------------------------------------------------------------------------------
-- Advice about tables, what refers to them and what else deletes their rows
------------------------------------------------------------------------------

-- All of them, down to the last, as managing one brings up the next.  A key of a
-- partition by itself counts as its table's.
CREATE FUNCTION unmanaged_children(target regclass)
	RETURNS TABLE (child regclass, parent regclass, "constraint" name, on_delete "char", depth integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	targets regclass[] := softdelete.with_partitions(ARRAY[$1]);
BEGIN
	RETURN QUERY
		WITH RECURSIVE below AS (
			SELECT coalesce(pg_partition_root(c.conrelid), c.conrelid)::regclass AS child, c.confrelid::regclass AS parent, c.conname, c.confdeltype, 1 AS depth
			  FROM softdelete.keys_to(targets) k JOIN pg_constraint c ON c.oid = k
			 WHERE c.contype = 'f' AND c.conparentid = 0 AND c.confdeltype IN ('c', 'r', 'a')
			   AND (softdelete.describe(c.conrelid)).marker IS NULL
			 UNION
			SELECT coalesce(pg_partition_root(c.conrelid), c.conrelid)::regclass, c.confrelid::regclass, c.conname, c.confdeltype, b.depth + 1
			  FROM below b CROSS JOIN LATERAL softdelete.keys_to(softdelete.with_partitions(ARRAY[b.child])) k JOIN pg_constraint c ON c.oid = k
			 WHERE b.depth < 100 AND c.contype = 'f' AND c.conparentid = 0 AND c.confdeltype IN ('c', 'r', 'a')
			   AND c.conrelid <> b.child AND (softdelete.describe(c.conrelid)).marker IS NULL
		)
		SELECT DISTINCT ON (b.child) b.child, b.parent, b.conname, b.confdeltype, b.depth FROM below b
		 WHERE b.child <> $1
		 ORDER BY b.child, b.depth, b.confdeltype <> 'c', b.conname;
END $$;
COMMENT ON FUNCTION unmanaged_children(regclass) IS 'unmanaged tables that refer to a table, or to one of those, other than by SET NULL (internal)';

CREATE FUNCTION enable_command(target regclass, parent_marker name, retention interval) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT format('SELECT softdelete.enable(%L%s%s)', target, CASE WHEN u.marker <> 'deleted_at' THEN format(', %L', u.marker) ELSE '' END,
					  CASE WHEN EXISTS (SELECT FROM softdelete.unmanaged_children(target) c WHERE c.on_delete = 'c') THEN ', "cascade" => true' ELSE '' END)
			|| CASE WHEN retention = '30 days' THEN '' ELSE format(', softdelete.set_retention(%L, %s)', target, quote_nullable(retention)) END
		  FROM softdelete.usual_marker(target, parent_marker) u
		 WHERE u.marker IS NOT NULL AND (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c WHERE c.oid = target)
		   AND NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent WHERE c.relkind = 'r' AND target IN (i.inhparent, i.inhrelid)));
END $$;
COMMENT ON FUNCTION enable_command(regclass, name, interval) IS 'the command that manages a table, NULL where it cannot be or several columns could mark its rows (internal)';

CREATE FUNCTION advice_children(target regclass) RETURNS SETOF advice_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT 'unmanaged_child',
			   format(CASE u.on_delete WHEN 'c' THEN '"%s" refers to %s ON DELETE CASCADE and is not managed: deletes fail while it has rows'
					  ELSE '"%s" refers to %s and is not managed: rows that an application deletes there first are gone, and no restore brings them back' END, u.child,
					  CASE WHEN u.parent = $1 THEN 'it'
						   ELSE format('%s "%s"', CASE WHEN p.relispartition THEN 'its partition' ELSE 'table' END, u.parent) END),
			   softdelete.enable_command(u.child, t.marker, t.retention),
			   CASE u.on_delete WHEN 'c' THEN 'must' ELSE 'should' END
		  FROM softdelete.unmanaged_children($1) u JOIN pg_class p ON p.oid = u.parent
		 CROSS JOIN softdelete.tables t
		 WHERE t.target = $1
		 ORDER BY u.depth DESC, u.child::text;
END $$;
COMMENT ON FUNCTION advice_children(regclass) IS 'tables that should be managed along (internal; use advice)';

-- the longest time for which a table that its rows are deleted along with keeps
-- its own; NULL: for ever
CREATE FUNCTION parents_retention(target regclass, OUT parent regclass, OUT retention interval)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = ANY (softdelete.with_partitions(ARRAY[target])) AND c.contype = 'f') THEN
		RETURN;
	END IF;
	SELECT t.target, t.retention INTO parent, retention FROM (
		WITH RECURSIVE above AS (
			SELECT parents_retention.target AS relid
			 UNION
			SELECT coalesce(pg_partition_root(c.confrelid), c.confrelid)::regclass FROM above a
			  JOIN pg_constraint c ON c.contype = 'f' AND c.confdeltype = 'c'
								  AND c.conrelid = ANY (softdelete.with_partitions(ARRAY[a.relid]))
		)
		SELECT a.relid FROM above a WHERE a.relid <> parents_retention.target) a
	  JOIN softdelete.tables t ON t.target = a.relid
	 ORDER BY t.retention DESC NULLS FIRST, t.target::text LIMIT 1;
END $$;
COMMENT ON FUNCTION parents_retention(regclass) IS 'which table above keeps its deleted rows the longest, and how long (internal)';

CREATE FUNCTION advice_retention(target regclass) RETURNS SETOF advice_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT 'retention',
			   format('deleted rows are kept %s, and those of "%s", which may take them along, %s: a late restore comes back without them',
					  t.retention, p.parent, coalesce(p.retention::text, 'for ever')),
			   format('SELECT softdelete.set_retention(%L, %s)', t.target, quote_nullable(p.retention)), 'should'
		  FROM softdelete.tables t CROSS JOIN LATERAL softdelete.parents_retention(t.target) p
		 WHERE t.target = $1 AND p.parent IS NOT NULL AND (p.retention IS NULL AND t.retention IS NOT NULL OR t.retention < p.retention);
END $$;
COMMENT ON FUNCTION advice_retention(regclass) IS 'children that are erased before their parents (internal; use advice)';

------------------------------------------------------------------------------
-- Sequences
------------------------------------------------------------------------------

-- by an index, so that it costs nothing: a column without one has no clash
CREATE FUNCTION sequences_behind(target regclass) RETURNS TABLE (sequence regclass, "column" name, next bigint, highest bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET softdelete.visibility = 'all' AS $$
#variable_conflict use_column
DECLARE
	s	record;
BEGIN
	FOR s IN
		SELECT d.objid::regclass AS sequence, a.attname, q.seqincrement, q.seqstart FROM pg_depend d JOIN pg_sequence q ON q.seqrelid = d.objid
		  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
		 WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1
		   AND d.deptype IN ('a', 'i') AND q.seqincrement > 0
		   AND a.atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
		   AND EXISTS (SELECT FROM pg_index x WHERE x.indrelid = $1 AND x.indkey[0] = a.attnum AND x.indisunique AND x.indisvalid)
		 ORDER BY a.attnum
	LOOP
		CONTINUE WHEN NOT has_sequence_privilege(s.sequence, 'SELECT, USAGE');
		highest := softdelete.as_owner($1, format('SELECT max(%I) FROM %s', s.attname, $1));
		next := coalesce(pg_sequence_last_value(s.sequence) + s.seqincrement, s.seqstart);
		CONTINUE WHEN (highest >= next) IS NOT TRUE;
		sequence := s.sequence;
		"column" := s.attname;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION sequences_behind(regclass) IS 'sequences of the columns of a table that would return values which its rows, deleted ones included, have reached (internal)';

CREATE FUNCTION reset_sequence(target regclass) RETURNS bigint
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	s	record;
	n	bigint := 0;
BEGIN
	IF NOT (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c WHERE c.oid = target) THEN
		RAISE EXCEPTION 'must be owner of table %', target USING ERRCODE = 'insufficient_privilege';
	END IF;
	FOR s IN SELECT * FROM softdelete.sequences_behind(target) LOOP
		PERFORM setval(s.sequence, s.highest);
		n := n + 1;
	END LOOP;
	RETURN n;
END $$;
COMMENT ON FUNCTION reset_sequence(regclass) IS 'move the sequences of a table past the highest values of all its rows, deleted ones included; returns how many were behind';

CREATE FUNCTION advice_sequences(target regclass) RETURNS SETOF advice_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT 'sequence', format('sequence "%s" goes on with %s, and column "%s" has reached %s, deleted rows included: an INSERT fails', s.sequence, s.next, s."column", s.highest),
			   format('SELECT softdelete.reset_sequence(%L)', target), 'must'
		  FROM softdelete.sequences_behind(target) s;
END $$;
COMMENT ON FUNCTION advice_sequences(regclass) IS 'sequences that run into rows (internal; use advice)';

------------------------------------------------------------------------------
-- Triggers and rules
------------------------------------------------------------------------------

CREATE FUNCTION advice_triggers(target regclass) RETURNS SETOF advice_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT 'delete_trigger', format('trigger "%s" fires at the purge, not at the delete, which is an UPDATE', g.tgname), NULL::text, 'should'
		  FROM pg_trigger g
		 WHERE g.tgrelid = target AND (softdelete.describe(target)).triggers = 'update' AND NOT g.tgisinternal AND g.tgtype & 8 <> 0 AND g.tgfoid <> 'softdelete.guard()'::regprocedure
		   AND NOT EXISTS (SELECT FROM softdelete.by_hand(target) h WHERE h.kind = 'trigger' AND h.name = g.tgname)
		 ORDER BY g.tgname;
END $$;
COMMENT ON FUNCTION advice_triggers(regclass) IS 'triggers that do not fire when one may think (internal; use advice)';

-- A trigger that updates the row and keeps it, or a rule that does so.  Which
-- column it sets is read from its text: the first that is set and is there.
CREATE FUNCTION by_hand(target regclass) RETURNS TABLE (kind text, name name, "column" name)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT b.kind, b.name,
			   (SELECT a.attname FROM regexp_matches(b.source, '\mset\s+"?(\w+)"?\s*=', 'gi') WITH ORDINALITY AS m(words, n)
				  JOIN pg_attribute a ON a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attname IN (m.words[1], lower(m.words[1]))
				 ORDER BY m.n LIMIT 1)
		  FROM (SELECT 'trigger' AS kind, g.tgname AS name, p.prosrc AS source
				  FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
				 WHERE g.tgrelid = target AND NOT g.tgisinternal AND g.tgtype & 11 = 11
				   AND p.prosrc ~* '\mupdate\M' AND p.prosrc ~* '\mreturn\s+null\M'
				UNION ALL
				SELECT 'rule', r.rulename, pg_get_ruledef(r.oid) FROM pg_rewrite r
				 WHERE r.ev_class = target AND r.ev_type = '4' AND r.is_instead AND pg_get_ruledef(r.oid) ~* '\mupdate\M') b
		 ORDER BY 1, 2;
END $$;
COMMENT ON FUNCTION by_hand(regclass) IS 'triggers and rules of a table that turn its DELETE into an UPDATE (internal)';

CREATE FUNCTION advice_by_hand(target regclass) RETURNS SETOF advice_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		SELECT 'by_hand', format('%s "%s" does soft delete by hand; to leave it to softdelete: DROP %s %I ON %s%s', h.kind, h.name, upper(h.kind), h.name, target,
								 CASE WHEN d.marker IS NULL THEN format('; SELECT softdelete.enable(%L%s)', target, ', ' || quote_literal(h."column")) ELSE '' END),
			   NULL::text, CASE WHEN d.marker IS NULL THEN 'maybe' ELSE 'should' END
		  FROM softdelete.by_hand(target) h CROSS JOIN softdelete.describe(target) d;
END $$;
COMMENT ON FUNCTION advice_by_hand(regclass) IS 'soft delete that a table does by itself (internal; use advice)';

------------------------------------------------------------------------------
-- Tables that are not managed
------------------------------------------------------------------------------

-- what the columns were for is said by their comments; the marker, where it is
-- not a time, had a name of its own before
CREATE FUNCTION advice_lost(target regclass) RETURNS SETOF advice_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
		WITH own AS (
			SELECT a.attname, col_description(target, a.attnum) AS says FROM pg_attribute a
			 WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND col_description(target, a.attnum) LIKE 'softdelete: %'
		), marker AS (
			SELECT coalesce((SELECT a.attname FROM own o JOIN pg_attribute a ON a.attrelid = target AND NOT a.attisdropped AND o.attname = 'former_' || a.attname LIMIT 1),
							(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped
								AND a.attname IN ('is_deleted', 'deleted', 'is_active', 'active') AND a.atttypid = 'boolean'::regtype ORDER BY a.attnum LIMIT 1),
							'deleted_at') AS name
		)
		SELECT 'lost_triggers', format('the table has columns of softdelete (%s) but not its triggers, so DELETE erases: was it made from a dump without triggers?',
									   (SELECT string_agg(quote_ident(o.attname), ', ' ORDER BY o.attname) FROM own o)),
			   format('SELECT softdelete.enable(%L%s)', target, CASE m.name WHEN 'deleted_at' THEN '' ELSE ', ' || quote_literal(m.name) END), 'must'
		  FROM marker m
		 WHERE EXISTS (SELECT FROM own) AND (softdelete.describe(target)).marker IS NULL
		   -- disable() leaves word
		   AND NOT EXISTS (SELECT FROM own o WHERE o.says LIKE '%; not managed any more%');
END $$;
COMMENT ON FUNCTION advice_lost(regclass) IS 'tables that were managed and lost their triggers (internal; use advice)';

CREATE FUNCTION is_utility_table(name name) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT name ~ '^(schema_migrations|schema_migration|schema_info|schemamigrations|ar_internal_metadata|alembic_version|django_migrations|django_session|django_content_type|_prisma_migrations|prisma_migrations|flyway_schema_history|databasechangelog(lock)?|knex_migrations(_lock)?|migrations|typeorm_metadata|sequelizemeta|goose_db_version|__drizzle_migrations|spatial_ref_sys|__EFMigrationsHistory|SequelizeMeta|sessions?|failed_jobs|jobs|job_batches|cache|cache_locks|password_resets|password_reset_tokens)$'
$$;
COMMENT ON FUNCTION is_utility_table(name) IS 'is it a table that frameworks keep for themselves, by its name? (internal)';

CREATE FUNCTION advice_new_tables() RETURNS TABLE (target regclass, kind text, problem text, ddl text, severity text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH mine AS (
		SELECT c.oid::regclass AS target, c.relnamespace, (softdelete.describe(c.oid)).marker IS NOT NULL AS managed
		  FROM pg_class c
		 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND pg_has_role(c.relowner, 'USAGE') AND c.relpersistence <> 't'
		   AND NOT softdelete.is_utility_table(c.relname)
		   AND c.relnamespace IN (SELECT r.relnamespace FROM softdelete.tables t JOIN pg_class r ON r.oid = t.target)
	), schemas AS (
		SELECT m.relnamespace, count(*) FILTER (WHERE m.managed) AS managed, count(*) FILTER (WHERE NOT m.managed) AS others FROM mine m GROUP BY 1
	)
	SELECT m.target, 'unmanaged_table', format('%s of the %s tables in schema "%s" are managed, this one is not: is it new? SELECT softdelete.enable(%L)',
			s.managed, s.managed + s.others, (SELECT n.nspname FROM pg_namespace n WHERE n.oid = m.relnamespace), m.target), NULL::text, 'maybe'
	  FROM mine m JOIN schemas s USING (relnamespace)
	 WHERE NOT m.managed AND s.managed >= 2 * s.others AND s.managed > 2
	   AND NOT EXISTS (SELECT FROM softdelete.advice_lost(m.target))
	   AND m.target NOT IN (SELECT u.child FROM softdelete.tables t CROSS JOIN LATERAL softdelete.unmanaged_children(t.target) u)
$$;
COMMENT ON FUNCTION advice_new_tables() IS 'tables that may have been forgotten in a schema of managed ones (internal; use advice)';
