------------------------------------------------------------------------------
-- enable
------------------------------------------------------------------------------

CREATE FUNCTION enable(target regclass, marker name DEFAULT 'deleted_at', deleted_value text DEFAULT NULL,
	retention interval DEFAULT NULL, "cascade" boolean DEFAULT false, build_index boolean DEFAULT true,
	triggers text DEFAULT 'delete', "unique" text DEFAULT 'live', hide boolean DEFAULT true,
	live_indexes boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tables	regclass[];
	markers	name[];
	managed	boolean[];
BEGIN
	PERFORM softdelete.check_enable(target, marker, retention, triggers, "unique", hide);
	SELECT array_agg(c.tbl), array_agg(c.by_column), array_agg(c.managed) INTO tables, markers, managed
	  FROM softdelete.cascade_closure(target, marker, "cascade") c;
	PERFORM softdelete.one_connection_each(tables);
	-- parents first, as a DELETE locks them, and at once what adding columns needs
	FOR i IN 1 .. cardinality(tables) LOOP
		CONTINUE WHEN managed[i];
		EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', tables[i]);
	END LOOP;
	FOR i IN 2 .. cardinality(tables) LOOP
		CONTINUE WHEN managed[i];
		PERFORM softdelete.enable_table(tables[i], markers[i], NULL, retention, build_index, triggers, "unique", hide, live_indexes);
		IF (markers[i], marker) <> ('deleted_at', 'deleted_at') THEN
			RAISE NOTICE 'table "%" is managed by column "%"', tables[i], markers[i];
		END IF;
	END LOOP;
	PERFORM softdelete.enable_table(target, marker, deleted_value, retention, build_index, triggers, "unique", hide, live_indexes);
	IF softdelete.has_foreign_keys(target) THEN
		PERFORM softdelete.tell_of_children(tables);
		-- hand-written deletes may have left such
		PERFORM softdelete.warn_of_orphans(tables);
	END IF;
END $$;
COMMENT ON FUNCTION enable(regclass, name, text, interval, boolean, boolean, text, text, boolean, boolean) IS 'make DELETE on a table recoverable';

CREATE FUNCTION check_enable(target regclass, marker name, retention interval, triggers text, "unique" text, hide boolean) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM softdelete.check_table(target);
	PERFORM softdelete.check_retention(retention);
	PERFORM softdelete.check_modes(marker, triggers, "unique", hide);
	IF NOT softdelete.preloaded() THEN
		RAISE EXCEPTION 'library softdelete is not preloaded'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'Sessions that have not loaded it would see deleted rows.',
				  HINT = softdelete.preload_command() || ';';
	END IF;
END $$;
COMMENT ON FUNCTION check_enable(regclass, name, interval, text, text, boolean) IS 'raise unless the table can be enabled like this (internal)';

-- The column by which a table would be marked, were nobody to say it: the one of
-- its parent's name, else the one that looks like a mark.  A time of deletion
-- beside a flag or a status that says "deleted" goes with that.
CREATE FUNCTION usual_marker(target regclass, parent_marker name, OUT marker name, OUT candidates name[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a		record;
	times	name[] := '{}';
	flags	name[] := '{}';
	active	name[] := '{}';
BEGIN
	FOR a IN
		SELECT att.attname, att.attnum, att.attnotnull, b.oid AS type, b.typtype FROM pg_attribute att
		  JOIN pg_type b ON b.oid = softdelete.base_type(att.atttypid)
		 WHERE att.attrelid = target AND att.attnum > 0 AND NOT att.attisdropped AND att.attgenerated = ''
		 ORDER BY att.attnum
	LOOP
		IF a.attname = parent_marker
			AND (a.typtype = 'e' OR a.type IN ('boolean'::regtype, 'timestamptz'::regtype, 'timestamp'::regtype,
											   'text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)) THEN
			marker := a.attname;
			RETURN;
		ELSIF a.type IN ('timestamptz'::regtype, 'timestamp'::regtype) THEN
			IF NOT a.attnotnull AND lower(a.attname) ~ '^(soft_?)?(deleted|removed|trashed)_?(at|on|date|time)$' THEN
				times := times || a.attname;
			END IF;
		ELSIF a.type = 'boolean'::regtype THEN
			IF lower(a.attname) ~ '^(is_?|was_?)?(soft_?)?(deleted|removed|trashed)$' THEN
				flags := flags || a.attname;
			ELSIF lower(a.attname) ~ '^(is_?)?active$' THEN
				active := active || a.attname;
			END IF;
		ELSIF a.typtype = 'e' THEN
			IF EXISTS (SELECT FROM pg_enum e WHERE e.enumtypid = a.type AND e.enumlabel = 'deleted') THEN
				flags := flags || a.attname;
			END IF;
		ELSIF lower(a.attname) IN ('status', 'state') AND a.type IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) THEN
			-- words of all kinds, unless "deleted" is one of them
			IF EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = target AND c.contype = 'c' AND a.attnum = ANY (c.conkey)
						  AND pg_get_constraintdef(c.oid) LIKE '%''deleted''%')
				OR softdelete.has_value(target, a.attname, 'deleted') THEN
				flags := flags || a.attname;
			END IF;
		END IF;
	END LOOP;
	candidates := flags || active || CASE WHEN flags = '{}' THEN times ELSE '{}' END;
	marker := CASE cardinality(candidates) WHEN 0 THEN 'deleted_at' WHEN 1 THEN candidates[1] END;
END $$;
COMMENT ON FUNCTION usual_marker(regclass, name) IS 'the column that would mark a table''s deleted rows; NULL where several could (internal)';

-- false where the caller may not look
CREATE FUNCTION has_value(target regclass, name name, value text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN softdelete.as_owner(target, format('SELECT EXISTS (SELECT 1 FROM %s t WHERE t.%I OPERATOR(pg_catalog.=) %L)', target, name, value));
EXCEPTION WHEN insufficient_privilege THEN
	RETURN false;
END $$;
COMMENT ON FUNCTION has_value(regclass, name, text) IS 'does a column hold the value in some row? (internal)';

-- the call that enables a table, several where it cannot be told by which column
CREATE FUNCTION enable_call(target regclass, parent_marker name) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT string_agg(format('SELECT softdelete.enable(%L%s)', target, CASE WHEN c <> 'deleted_at' THEN format(', %L', c) END), ' or ' ORDER BY n)
	  FROM softdelete.usual_marker(target, parent_marker) u
	 CROSS JOIN LATERAL unnest(CASE WHEN u.marker IS NULL THEN u.candidates ELSE ARRAY[u.marker] END) WITH ORDINALITY AS x(c, n)
$$;
COMMENT ON FUNCTION enable_call(regclass, name) IS 'how to enable a table, for hints (internal)';

-- Parents first.  Raises where a table has to be managed and must not be.
CREATE FUNCTION cascade_closure(target regclass, marker name, "cascade" boolean)
	RETURNS TABLE (tbl regclass, by_column name, managed boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tables	regclass[] := ARRAY[cascade_closure.target];
	markers	name[] := ARRAY[cascade_closure.marker];
	child	record;
	usual	record;
	i		integer := 1;
BEGIN
	IF NOT softdelete.has_foreign_keys(target) THEN
		tbl := cascade_closure.target;
		by_column := cascade_closure.marker;
		managed := (softdelete.describe(tbl)).marker IS NOT NULL;
		RETURN NEXT;
		RETURN;
	END IF;
	WHILE i <= cardinality(tables) LOOP
		FOR child IN
			-- a key may be one of a partition alone, on either side
			SELECT r.relid, c.confrelid::regclass AS parent, c.conname, (softdelete.describe(r.relid)).marker AS managed_by
			  FROM pg_constraint c
			 CROSS JOIN LATERAL (SELECT coalesce(pg_partition_root(c.conrelid), c.conrelid)::regclass AS relid) r
			 WHERE c.contype = 'f' AND c.confrelid = ANY ((SELECT softdelete.with_partitions(ARRAY[tables[i]]))::regclass[])
			   AND c.confdeltype = 'c' AND c.conparentid = 0 AND softdelete.is_enforced(c)
			 ORDER BY c.conname, r.relid::text
		LOOP
			CONTINUE WHEN child.relid = ANY (tables);
			tables := tables || child.relid;
			IF child.managed_by IS NOT NULL THEN
				markers := markers || child.managed_by;
				CONTINUE;
			END IF;
			IF "cascade" IS NOT TRUE THEN
				RAISE EXCEPTION 'table "%" refers to "%" ON DELETE CASCADE and is not managed', child.relid, child.parent
					USING ERRCODE = 'object_not_in_prerequisite_state',
						  DETAIL = format('Foreign key "%s" would leave live rows of "%s" that refer to deleted ones.', child.conname, child.relid),
						  HINT = format('SELECT softdelete.enable(%L, %L, cascade => true) manages both, %s the other one.',
										cascade_closure.target, cascade_closure.marker, softdelete.enable_call(child.relid, markers[i]));
			END IF;
			PERFORM softdelete.check_table(child.relid);
			usual := softdelete.usual_marker(child.relid, markers[i]);
			IF usual.marker IS NULL THEN
				RAISE EXCEPTION 'cannot tell by which column rows of table "%" are marked as deleted', child.relid
					USING ERRCODE = 'object_not_in_prerequisite_state',
						  DETAIL = format('It refers to "%s" ON DELETE CASCADE, and could be marked by %s.', child.parent,
										  (SELECT string_agg(format('"%s"', c), ' or ' ORDER BY n) FROM unnest(usual.candidates) WITH ORDINALITY AS x(c, n))),
						  HINT = softdelete.enable_call(child.relid, markers[i]) || ' first.';
			END IF;
			markers := markers || usual.marker;
		END LOOP;
		i := i + 1;
	END LOOP;
	RETURN QUERY SELECT t, m, (softdelete.describe(t)).marker IS NOT NULL
				   FROM unnest(tables, markers) WITH ORDINALITY AS u(t, m, n) ORDER BY n;
END $$;
COMMENT ON FUNCTION cascade_closure(regclass, name, boolean) IS 'a table and those that deletes of its rows cascade to, each with its marker (internal)';

CREATE FUNCTION enable_table(target regclass, marker name, deleted_value text, retention interval, build_index boolean,
	triggers text, "unique" text, hide boolean, live_indexes boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old		record;				-- how it is managed now, if it is
	was		softdelete.marking;	-- the same, or how it was before disable()
	new		softdelete.marking;
	changed	boolean;
	fresh	boolean;			-- no row can be marked
	no_ids	boolean;			-- or belong to a deletion
	id		bigint;
BEGIN
	fresh := softdelete.add_marker(target, marker, deleted_value);
	old := softdelete.describe(target);
	was := CASE WHEN old.marker IS NULL THEN softdelete.former_marking(target) ELSE softdelete.marking_of(target) END;
	new := softdelete.new_marking(target, marker, deleted_value, was);
	changed := (old.marker, old.deleted_value) IS DISTINCT FROM (new.marker, new.deleted_value);
	IF changed THEN
		EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
		no_ids := softdelete.add_companions(target, new);
		IF old.marker IS NOT NULL THEN
			PERFORM softdelete.make_keys_full(target);
			live_indexes := softdelete.make_indexes_full(target) OR live_indexes;
			PERFORM softdelete.drop_cleanup_indexes(target);
			PERFORM softdelete.drop_triggers(target);
		END IF;
		-- an ordinary table for now, in which every row is seen
		IF old.marker IS NULL AND was.marker IS NOT NULL THEN
			PERFORM softdelete.note_unmarked(target, was);
		END IF;
		IF was.marker IS NOT NULL THEN
			PERFORM softdelete.carry_marks(target, was, new);
		END IF;
		IF was.marker IS NOT NULL OR NOT no_ids THEN
			id := softdelete.adopt_rows(target, new, softdelete.count_marked(target, new));
		ELSIF NOT fresh THEN
			id := softdelete.adopt_first(target, new, build_index);
			build_index := false;
		END IF;
	END IF;
	IF changed OR softdelete.own_triggers(target) < softdelete.number_of_triggers() OR (old.triggers, old.hide) <> (triggers, hide) THEN
		PERFORM softdelete.create_triggers(target, new, triggers, hide);
	END IF;
	IF build_index THEN
		PERFORM softdelete.create_cleanup_index(target);
	END IF;
	IF "unique" = 'live' THEN
		PERFORM softdelete.make_keys_live(target);
	ELSE
		PERFORM softdelete.keep_keys(target);
	END IF;
	IF live_indexes THEN
		PERFORM softdelete.make_indexes_live(target);
	END IF;
	IF retention IS NOT NULL THEN
		PERFORM softdelete.set_retention(target, retention);
	ELSE
		PERFORM softdelete.default_retention(target, '30 days');
	END IF;
	IF changed THEN
		PERFORM softdelete.analyze_marker(target, new.marker, was.marker IS NOT NULL);
		IF id IS NOT NULL THEN
			PERFORM softdelete.tell_of_adopted(target, new, id);
		END IF;
	END IF;
END $$;
COMMENT ON FUNCTION enable_table(regclass, name, text, interval, boolean, text, text, boolean, boolean) IS 'manage one table (internal; use enable)';

-- Where the table has statistics, lest the planner take next to no row for live;
-- where it has none, nearly all count as live (src/plan/statistics.c), and a table that
-- is still empty is best left to the planner's guess.
CREATE FUNCTION analyze_marker(target regclass, marker name, anew boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF anew OR NOT softdelete.has_statistics(target, marker) THEN
		IF (SELECT c.reltuples > 0 FROM pg_class c WHERE c.oid = target) THEN
			PERFORM softdelete.run_ddl(format('ANALYZE %s (%I)', target, marker));
		END IF;
	END IF;
END $$;
COMMENT ON FUNCTION analyze_marker(regclass, name, boolean) IS 'statistics on the marker, if it has none (internal)';

CREATE FUNCTION add_marker(target regclass, marker name, deleted_value text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	added	boolean := false;
BEGIN
	IF softdelete.column_type(target, marker) IS NULL THEN
		IF marker <> 'deleted_at' THEN
			RAISE EXCEPTION 'column "%" of table "%" does not exist', marker, target
				USING ERRCODE = 'undefined_column';
		ELSIF deleted_value IS NOT NULL THEN
			RAISE EXCEPTION 'a timestamp marker has no deleted value' USING ERRCODE = 'invalid_parameter_value';
		END IF;
		added := softdelete.add_companion(target, marker, 'timestamp with time zone', '{}', 'when the row was deleted');
	END IF;
	IF NOT softdelete.has_foreign_keys(target) THEN
		RETURN added;
	END IF;
	IF EXISTS (SELECT FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = ANY (c.confkey)
				WHERE c.contype = 'f' AND a.attname = marker
				  AND c.confrelid = ANY ((SELECT softdelete.with_partitions(ARRAY[target]))::regclass[])) THEN
		RAISE EXCEPTION 'a foreign key refers to column "%" of table "%"', marker, target
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'A delete would change the key that other rows refer to.';
	END IF;
	RETURN added;
END $$;
COMMENT ON FUNCTION add_marker(regclass, name, text) IS 'see that the marker is there, deleted_at is added; true: it is new (internal)';

CREATE FUNCTION create_triggers(target regclass, new softdelete.marking, triggers text, hide boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	columns	text := concat_ws(', ', quote_ident(new.marker), quote_ident(new.id_column),
							  CASE WHEN new.kind <> 'timestamp' THEN quote_ident(new.time_column) END,
							  quote_ident(new.former_column));
	-- not IS DISTINCT FROM, whose operator would be found by way of the search_path
	changes	text := format(CASE new.kind WHEN 'timestamp' THEN '(%s) OPERATOR(pg_catalog.<>) (%s)'
										 ELSE '((%s) IS TRUE) OPERATOR(pg_catalog.<>) ((%s) IS TRUE)' END,
						   softdelete.predicate(target, new.marker, new.kind, new.deleted_value, false, 'old'),
						   softdelete.predicate(target, new.marker, new.kind, new.deleted_value, false, 'new'));
	t		record;
BEGIN
	-- what is left of former ones, if any
	EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
	PERFORM softdelete.drop_triggers(target);
	FOR t IN
		SELECT * FROM (VALUES
			-- without a condition, which each statement on the table would copy
			('~softdelete_stamp', format('BEFORE UPDATE OF %s ON %s FOR EACH ROW', columns, target),
			 'stamp_trigger()', 'an UPDATE that sets or clears the mark is a delete or a restore'),
			('~softdelete_born', format('AFTER INSERT ON %s FOR EACH ROW WHEN ((%s) AND new.%I IS NULL)', target,
										softdelete.predicate(target, new.marker, new.kind, new.deleted_value, false, 'new'), new.id_column),
			 'born()', 'a row that is inserted with the mark is a deletion of its own'),
			('~softdelete_guard', format('BEFORE DELETE ON %s FOR EACH ROW', target),
			 'guard()', 'rows are erased by a purge only'),
			('~softdelete_truncate', format('BEFORE TRUNCATE ON %s FOR EACH STATEMENT', target),
			 'refuse_truncate()', 'TRUNCATE would erase rows for good'),
			-- its column list and arguments are the table's state (src/tables/registry.c)
			('~softdelete_mark', format('AFTER UPDATE OF %s ON %s FOR EACH ROW WHEN (%s)', columns, target, changes),
			 -- the common ones in short: each statement on the table copies them
			 format(CASE WHEN new.kind = 'timestamp' AND triggers = 'delete' AND hide THEN 'mark(%L)' ELSE 'mark(%L, %L, %L, %L)' END,
					new.kind, new.deleted_value, triggers, CASE WHEN hide THEN 'hide' ELSE 'show' END),
			 'makes the table managed: kind of marker, its deleted value, whose triggers fire, hide or show deleted rows; deletes and restores cascade'))
			AS x(name, event, function, what)
	LOOP
		PERFORM softdelete.run_ddl(format('CREATE TRIGGER %I %s EXECUTE FUNCTION softdelete.%s', t.name, t.event, t.function));
		PERFORM softdelete.run_ddl(format('COMMENT ON TRIGGER %I ON %s IS %L', t.name, target, 'softdelete: ' || t.what));
	END LOOP;
END $$;
COMMENT ON FUNCTION create_triggers(regclass, softdelete.marking, text, boolean) IS 'create the triggers of a managed table, in place of those it has (internal)';

CREATE FUNCTION tell_of_children(tables regclass[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	child	record;
BEGIN
	FOR child IN
		SELECT DISTINCT ON (r.relid::text) r.relid, c.confrelid::regclass AS parent, p.root, c.conname,
			   CASE c.confdeltype WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END AS action
		  FROM pg_constraint c
		 CROSS JOIN LATERAL (SELECT coalesce(pg_partition_root(c.conrelid), c.conrelid)::regclass AS relid) r
		 CROSS JOIN LATERAL (SELECT coalesce(pg_partition_root(c.confrelid), c.confrelid)::regclass AS root) p
		 WHERE c.contype = 'f' AND c.confdeltype IN ('a', 'r') AND c.conparentid = 0 AND softdelete.is_enforced(c)
		   AND c.confrelid = ANY ((SELECT softdelete.with_partitions(tables))::regclass[])
		   AND r.relid <> ALL (tables) AND (softdelete.describe(r.relid)).marker IS NULL
		 ORDER BY r.relid::text, c.conname
	LOOP
		RAISE NOTICE 'table "%" refers to "%" and is not managed', child.relid, child.parent
			USING DETAIL = format('By foreign key "%s", %s: its rows have to be erased before those that they refer to can be deleted, and no restore brings them back.',
								  child.conname, child.action),
				  HINT = format('%s makes them recoverable, too.', softdelete.enable_call(child.relid, (softdelete.describe(child.root)).marker));
	END LOOP;
END $$;
COMMENT ON FUNCTION tell_of_children(regclass[]) IS 'name the tables whose rows an application has to erase first (internal)';
