------------------------------------------------------------------------------
-- How a table is marked, and rows that are marked already
------------------------------------------------------------------------------

CREATE TYPE marking AS (marker name, kind text, deleted_value text, time_column name, id_column name, former_column name);
COMMENT ON TYPE marking IS 'the columns that say which rows of a table are deleted, since when, by what, and what they were';

CREATE FUNCTION marking_of(target regclass) RETURNS marking
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT ROW(d.marker, d.kind, d.deleted_value, d.time_column, d.id_column, d.former_column)::softdelete.marking
	  FROM softdelete.describe(target) d WHERE d.marker IS NOT NULL
$$;
COMMENT ON FUNCTION marking_of(regclass) IS 'how a managed table is marked (internal)';

CREATE FUNCTION marking_note(target regclass) RETURNS text
	AS 'MODULE_PATHNAME', 'softdelete_marking_note' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION marking_note(regclass) IS 'the comment of deletion_id that disable() has left; NULL: there is none (internal)';

-- What disable() leaves in the comment of deletion_id, so that a later enable()
-- knows the rows that are marked by another column.  Names of columns that are
-- gone or called otherwise by now say nothing any more.
CREATE FUNCTION former_marking(target regclass) RETURNS marking
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	was		softdelete.marking;
	note	text;
BEGIN
	note := softdelete.marking_note(target);
	IF note IS NULL THEN
		RETURN NULL;
	END IF;
	note := substring(note FROM '^softdelete: the deletion .* (\{.*\})$');
	IF note IS NULL THEN
		RETURN NULL;
	END IF;
	was := jsonb_populate_record(NULL::softdelete.marking, note::jsonb);
	IF (SELECT count(*) FROM unnest(ARRAY[was.marker, was.time_column, was.id_column, was.former_column]) AS c
		 WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = target AND a.attname = c AND a.attnum > 0 AND NOT a.attisdropped)
		   AND c IS NOT NULL) > 0 OR was.kind IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN was;
END $$;
COMMENT ON FUNCTION former_marking(regclass) IS 'how a table was marked before disable(); NULL where that is not known (internal)';

CREATE FUNCTION new_marking(target regclass, marker name, deleted_value text, was marking) RETURNS marking
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	new		softdelete.marking;
	found	record;
BEGIN
	new.marker := marker;
	found := softdelete.marker_kind(target, marker, deleted_value);
	new.kind := found.kind;
	new.deleted_value := found.deleted_value;
	IF was.marker = marker AND was.kind = new.kind THEN
		was.deleted_value := new.deleted_value;
		RETURN was;
	END IF;
	new.id_column := coalesce(was.id_column, 'deletion_id');
	new.time_column := CASE WHEN new.kind = 'timestamp' THEN marker
							WHEN was.time_column <> marker THEN was.time_column ELSE 'deleted_at' END;
	-- cut to the length of a name it may be the marker itself
	new.former_column := CASE WHEN new.kind <> 'status' THEN NULL
							  WHEN ('former_' || marker)::name = marker THEN ('previous_' || marker)::name
							  ELSE ('former_' || marker)::name END;
	RETURN new;
END $$;
COMMENT ON FUNCTION new_marking(regclass, name, text, softdelete.marking) IS 'how a table will be marked by that column (internal)';

CREATE FUNCTION add_companions(target regclass, new marking) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	status_type	text;
	added		boolean;
BEGIN
	IF new.kind <> 'timestamp' THEN
		PERFORM softdelete.add_companion(target, new.time_column, 'timestamp with time zone',
			'{timestamp with time zone,timestamp without time zone}', 'when the row was deleted');
	END IF;
	added := softdelete.add_companion(target, new.id_column, 'bigint', '{bigint}', 'the deletion that the row belongs to');
	IF new.kind = 'status' THEN
		SELECT format_type(a.atttypid, a.atttypmod) INTO status_type FROM pg_attribute a
		 WHERE a.attrelid = target AND a.attname = new.marker;
		PERFORM softdelete.add_companion(target, new.former_column, status_type, ARRAY[status_type], 'status before the row was deleted');
	END IF;
	-- what disable() noted has been read
	IF softdelete.marking_note(target) IS NOT NULL THEN
		PERFORM softdelete.note_marking(target, new.id_column, NULL);
	END IF;
	RETURN added;
END $$;
COMMENT ON FUNCTION add_companions(regclass, softdelete.marking) IS 'add the companion columns that are missing; true: deletion_id is new (internal)';

-- only where the comment is ours
CREATE FUNCTION note_marking(target regclass, id_column name, was marking) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = target AND a.attname = id_column
				  AND col_description(target, a.attnum) LIKE 'softdelete: the deletion %') THEN
		PERFORM softdelete.run_ddl(format('COMMENT ON COLUMN %s.%I IS %L', target, id_column,
			'softdelete: the deletion that the row belongs to' || coalesce('; not managed any more, was ' || to_jsonb(was)::text, '')));
	END IF;
END $$;
COMMENT ON FUNCTION note_marking(regclass, name, softdelete.marking) IS 'write down how a table was marked, or that nothing has to be known any more (internal)';

CREATE FUNCTION default_of(target regclass, name name) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
	 WHERE d.adrelid = target AND a.attname = name AND a.attgenerated = ''
$$;
COMMENT ON FUNCTION default_of(regclass, name) IS 'the default of a column as an expression (internal)';

-- Rows that are deleted by the old marker become deleted by the new one, with the
-- id and the time that they have; the old column is what it is in live rows.
CREATE FUNCTION carry_marks(target regclass, was marking, new marking) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	was_deleted	text;
	is_deleted	text := softdelete.predicate(target, new.marker, new.kind, new.deleted_value, false);
	sets		text[];
BEGIN
	IF was = new THEN
		RETURN;
	END IF;
	was_deleted := softdelete.predicate(target, was.marker, was.kind, was.deleted_value, false);
	IF was.marker = new.marker AND new.kind = 'boolean' THEN
		IF softdelete.as_owner(target, format('SELECT EXISTS (SELECT 1 FROM %s WHERE %s)', target, was_deleted))::boolean THEN
			RAISE EXCEPTION 'table "%" has deleted rows, in which column "%" is %', target, was.marker, was.deleted_value
				USING ERRCODE = 'object_not_in_prerequisite_state',
					  DETAIL = 'The other way round they would be live, and the live ones deleted.',
					  HINT = format('Restore or purge them first: SELECT * FROM softdelete.purge_expired(%L, older_than => ''0'').', target);
		END IF;
		RETURN;
	END IF;

	IF was.marker <> new.marker THEN
		PERFORM softdelete.check_indexes(target, was);
	END IF;
	-- the former status, before the new mark goes over it
	sets := ARRAY[format('%I = %s', new.marker, CASE new.kind
				WHEN 'timestamp' THEN format('coalesce(%I, %I, %L)', new.marker, was.time_column, now())
				ELSE quote_literal(new.deleted_value) END)];
	IF new.kind <> 'timestamp' AND new.time_column IS DISTINCT FROM was.time_column THEN
		sets := sets || format('%I = coalesce(%I, %I, %L)', new.time_column, new.time_column, was.time_column, now());
	END IF;
	IF new.kind = 'status' AND was.marker <> new.marker THEN
		sets := sets || format('%I = CASE WHEN %s THEN %1$I ELSE %3$I END', new.former_column, is_deleted, new.marker);
	END IF;
	IF was.marker <> new.marker AND was.marker <> new.time_column THEN
		sets := sets || format('%I = %s', was.marker, CASE was.kind
				WHEN 'timestamp' THEN 'NULL'
				WHEN 'boolean' THEN (NOT was.deleted_value::boolean)::text
				ELSE format('coalesce(%I, %s%I)', was.former_column, softdelete.default_of(target, was.marker) || ', ', was.marker) END);
	END IF;
	IF was.time_column NOT IN (was.marker, new.marker, new.time_column) THEN
		sets := sets || format('%I = NULL', was.time_column);
	END IF;
	IF was.former_column <> new.former_column OR new.former_column IS NULL AND was.former_column IS NOT NULL THEN
		sets := sets || format('%I = NULL', was.former_column);
	END IF;
	PERFORM softdelete.as_owner(target, format('UPDATE %s SET %s WHERE %s', target, array_to_string(sets, ', '), was_deleted));
END $$;
COMMENT ON FUNCTION carry_marks(regclass, softdelete.marking, softdelete.marking) IS 'rows that the old marker says are deleted are so by the new one (internal)';

-- While it was not managed, an UPDATE may have cleared marks: those rows were
-- restored, and the log says so.
CREATE FUNCTION note_unmarked(target regclass, was marking) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	live	text := softdelete.predicate(target, was.marker, was.kind, was.deleted_value, true);
	rows	jsonb;
BEGIN
	rows := softdelete.as_owner(target, format('SELECT jsonb_object_agg(id, n) FROM (SELECT %I AS id, count(*) AS n FROM %s WHERE (%s) AND %1$I IS NOT NULL GROUP BY 1) x',
									   was.id_column, target, live));
	IF rows IS NOT NULL THEN
		PERFORM softdelete.log_restored(target, r.key::bigint, r.value::bigint) FROM jsonb_each_text(rows) r;
		PERFORM softdelete.as_owner(target, format('UPDATE %s SET %s WHERE (%s) AND %I IS NOT NULL', target,
			(SELECT string_agg(format('%I = NULL', c), ', ') FROM unnest(ARRAY[was.id_column, nullif(was.time_column, was.marker), was.former_column]) AS c
			  WHERE c IS NOT NULL), live, was.id_column));
	END IF;
END $$;
COMMENT ON FUNCTION note_unmarked(regclass, softdelete.marking) IS 'rows that were un-marked while the table was not managed are restored ones (internal)';

-- Both in one look at the table: how many rows are marked and belong to no
-- deletion, and a warning of those that belong to one and are not.
CREATE FUNCTION count_marked(target regclass, new marking) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	deleted	text := softdelete.predicate(target, new.marker, new.kind, new.deleted_value, false);
	n		bigint[] := softdelete.as_owner(target, format(
				'SELECT ARRAY[count(*) FILTER (WHERE %2$I IS NULL), count(*) FILTER (WHERE %2$I IS NOT NULL)] FROM %3$s WHERE ((%1$s) IS TRUE) OPERATOR(pg_catalog.=) (%2$I IS NULL)',
				deleted, new.id_column, target));
BEGIN
	IF n[2] > 0 THEN
		RAISE WARNING '% live rows of table "%" carry the id of a deletion', n[2], target
			USING DETAIL = format('Column "%s" says that they are live. Another one may have marked them.', new.marker),
				  HINT = 'If so, enable the table with that column as the marker first, and then with this one: the marks are carried over.';
	END IF;
	RETURN n[1];
END $$;
COMMENT ON FUNCTION count_marked(regclass, softdelete.marking) IS 'count rows to take over; warn of rows that look deleted by another marker (internal)';

CREATE FUNCTION check_indexes(target regclass, was marking) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	index	record;
BEGIN
	SELECT i.indexrelid::regclass AS name, pg_get_indexdef(i.indexrelid) AS def, c.conname INTO index
	  FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = was.marker
	  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
					  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum
	  LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'x'
	 WHERE i.indrelid = target AND i.indpred IS NOT NULL LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot change the marker of table "%" while index "%" has a condition on it', target, index.name
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = index.def || '.',
				  HINT = format('%s first, and create it again afterwards with the condition that SELECT softdelete.live_predicate(%L) says.',
								CASE WHEN index.conname IS NULL THEN format('DROP INDEX %s', index.name)
									 ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', target, index.conname) END, target);
	END IF;
END $$;
COMMENT ON FUNCTION check_indexes(regclass, softdelete.marking) IS 'raise where a partial index goes by the old marker (internal)';

-- Where no row can belong to a deletion yet.  The index over marked rows says whether
-- there are any, and has to be built anyway; after the rows are taken over, though,
-- if there are, lest each of them be put into it twice.  One page in a thousand tells
-- which is the case as a rule, and decides of the order alone.
CREATE FUNCTION adopt_first(target regclass, new marking, build_index boolean) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	marked	text := softdelete.predicate(target, new.marker, new.kind, new.deleted_value, false);
	id		bigint;
	n		bigint;
BEGIN
	IF build_index AND NOT softdelete.as_owner(target, format('SELECT EXISTS (SELECT 1 FROM %s TABLESAMPLE pg_catalog.system (0.1) WHERE %s)', target, marked))::boolean THEN
		PERFORM softdelete.create_cleanup_index(target, new);
		build_index := false;
	END IF;
	IF softdelete.as_owner(target, format('SELECT EXISTS (SELECT 1 FROM %s WHERE %s)', target, marked))::boolean THEN
		id := softdelete.adopt(target, 1);
		n := softdelete.as_owner(target, format('UPDATE %s SET %s WHERE %s', target, softdelete.adoption(target, new, id), marked));
		PERFORM softdelete.adopt(target, n - 1, id);
	END IF;
	IF build_index THEN
		PERFORM softdelete.create_cleanup_index(target, new);
	END IF;
	RETURN id;
END $$;
COMMENT ON FUNCTION adopt_first(regclass, softdelete.marking, boolean) IS 'take over marked rows of a table that was never managed, and build the index over them, with as few looks at it as will do (internal)';

-- The deletion id, NULL where there is no such row.  What has no time of deletion
-- gets this one.
CREATE FUNCTION adopt_rows(target regclass, new marking, n bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	marked	text := format('(%s) AND %I IS NULL', softdelete.predicate(target, new.marker, new.kind, new.deleted_value, false), new.id_column);
	id		bigint;
BEGIN
	IF n > 0 THEN
		id := softdelete.adopt(target, n);
		PERFORM softdelete.as_owner(target, format('UPDATE %s SET %s WHERE %s', target, softdelete.adoption(target, new, id), marked));
	END IF;
	RETURN id;
END $$;
COMMENT ON FUNCTION adopt_rows(regclass, softdelete.marking, bigint) IS 'take over rows that are marked already, as a deletion of their own (internal)';

-- what their status was is not known; the default is as good as any
CREATE FUNCTION adoption(target regclass, new marking, id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	-- a constant, which shards of a distributed table take, too
	SELECT format('%I = %s, %I = coalesce(%3$I, %4$L)', new.id_column, id, new.time_column, now())
		|| CASE WHEN new.former_column IS NULL OR softdelete.default_of(target, new.marker) IS NULL THEN ''
				ELSE format(', %I = coalesce(%1$I, %s)', new.former_column, softdelete.default_of(target, new.marker)) END
$$;
COMMENT ON FUNCTION adoption(regclass, softdelete.marking, bigint) IS 'the SET list that makes marked rows those of a deletion (internal)';

CREATE FUNCTION tell_of_adopted(target regclass, new marking, id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET softdelete.visibility = 'all' AS $$
DECLARE
	retention	interval;
	n			bigint[];
BEGIN
	IF id IS NULL THEN
		RETURN;
	END IF;
	SELECT t.retention INTO retention FROM softdelete.tables t WHERE t.target = tell_of_adopted.target;
	-- with the marker's condition, so that the index over deleted rows will do
	n := softdelete.as_owner(target, format('SELECT ARRAY[count(*), count(*) FILTER (WHERE %s)] FROM %s WHERE (%s) AND %I = %s',
											CASE WHEN retention IS NULL THEN 'false' ELSE format('%I < now() - interval %L', new.time_column, retention) END, target,
											softdelete.predicate(target, new.marker, new.kind, new.deleted_value, false), new.id_column, id));
	IF n[2] > 0 THEN
		RAISE NOTICE '% rows of table "%" are deleted already', n[1], target
			USING DETAIL = format('%s of them are past the retention of %s: the next purge erases them.', n[2], retention),
				  HINT = format('To keep them longer: SELECT softdelete.set_retention(%1$L, ''1 year''), or let their time begin now: SET softdelete.visibility = only_deleted; UPDATE %1$s SET %2$I = now() WHERE %2$I < now() - interval %3$L; RESET softdelete.visibility.',
								target, new.time_column, retention);
	ELSE
		RAISE NOTICE '% rows of table "%" are deleted already', n[1], target;
	END IF;
END $$;
COMMENT ON FUNCTION tell_of_adopted(regclass, softdelete.marking, bigint) IS 'say how many rows were taken over, and how many the next purge would erase (internal)';

CREATE FUNCTION enable_again(target regclass, more text DEFAULT '') RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('SELECT softdelete.enable(%L, %L', target, t.marker)
		|| CASE WHEN t.kind <> 'timestamp' THEN format(', %L', t.deleted_value) ELSE '' END
		|| CASE WHEN t.retention IS NOT NULL THEN format(', retention => %L', t.retention) ELSE '' END
		|| CASE WHEN t.triggers <> 'delete' THEN format(', triggers => %L', t.triggers) ELSE '' END
		|| CASE WHEN t."unique" <> 'live' THEN format(', "unique" => %L', t."unique") ELSE '' END
		|| CASE WHEN NOT t.hide THEN ', hide => false' ELSE '' END || more || ')'
		|| CASE WHEN t.retention IS NULL THEN format(', softdelete.set_retention(%L, NULL)', target) ELSE '' END
	  FROM softdelete.tables t WHERE t.target = enable_again.target
$$;
COMMENT ON FUNCTION enable_again(regclass, text) IS 'the call that makes a managed table what it is, for hints (internal)';
