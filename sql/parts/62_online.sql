------------------------------------------------------------------------------
-- enable_online
------------------------------------------------------------------------------

-- One step a transaction.  A lock that others do not wait for long: columns and
-- triggers are added in moments, and the row locks of a batch are the only ones
-- while rows that are marked already are taken over.  Interrupted, it is called
-- again: what is done is passed over.  No SET clause, which would forbid COMMIT;
-- so everything here is called by its schema, and uses no operator.
CREATE PROCEDURE enable_online(target regclass, marker name DEFAULT 'deleted_at', deleted_value text DEFAULT NULL,
	retention interval DEFAULT NULL, "cascade" boolean DEFAULT false, build_index boolean DEFAULT true,
	triggers text DEFAULT 'delete', "unique" text DEFAULT 'live', hide boolean DEFAULT true, live_indexes boolean DEFAULT false)
LANGUAGE plpgsql AS $$
DECLARE
	tables	pg_catalog.regclass[];
	markers	pg_catalog.name[];
	deleted_values	pg_catalog.text[];
	this	pg_catalog.regclass;
	batch	record;
	id		pg_catalog.int8;
BEGIN
	PERFORM softdelete.check_enable(target, marker, retention, triggers, "unique", hide);
	SELECT p.tables, p.markers, p.deleted_values INTO tables, markers, deleted_values
	  FROM softdelete.online_plan(target, marker, deleted_value, "cascade") p;
	FOR i IN 1 .. pg_catalog.cardinality(tables) LOOP
		this := tables[i];
		WHILE NOT softdelete.online_columns(this, markers[i], deleted_values[i]) LOOP
			COMMIT;
			PERFORM pg_catalog.pg_sleep(0.1);
		END LOOP;
		COMMIT;
		-- rows that are marked already, while the table is an ordinary one
		id := NULL;
		FOR batch IN SELECT * FROM softdelete.online_batches(this) LOOP
			id := softdelete.online_adopt(this, markers[i], deleted_values[i], id, batch.part, batch.first_page, batch.next_page);
			COMMIT;
		END LOOP;
		PERFORM softdelete.analyze_marker(this, markers[i], false);
		COMMIT;
		-- from now on the table is managed
		WHILE NOT softdelete.online_triggers(this, markers[i], deleted_values[i], retention, triggers, hide) LOOP
			COMMIT;
			PERFORM pg_catalog.pg_sleep(0.1);
		END LOOP;
		COMMIT;
		-- rows that were marked or locked when their batch came by
		FOR batch IN SELECT * FROM softdelete.online_batches(this) LOOP
			PERFORM softdelete.online_stamp(this, batch.part, batch.first_page, batch.next_page);
			COMMIT;
		END LOOP;
		PERFORM softdelete.online_finish(this, id, build_index, "unique", live_indexes);
		COMMIT;
	END LOOP;
	PERFORM softdelete.tell_of_children(tables);
	PERFORM softdelete.warn_of_orphans(tables);
END $$;
COMMENT ON PROCEDURE enable_online(regclass, name, text, interval, boolean, boolean, text, text, boolean, boolean) IS 'enable() in steps, committed one by one, beside which an application goes on';

CREATE FUNCTION online_plan(target regclass, marker name, deleted_value text, "cascade" boolean,
	OUT tables regclass[], OUT markers name[], OUT deleted_values text[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other	record;
BEGIN
	-- children first, and so no table is managed before those that its deletes cascade to
	SELECT array_agg(c.tbl ORDER BY n DESC), array_agg(c.by_column ORDER BY n DESC),
		   array_agg(CASE WHEN n = 1 THEN online_plan.deleted_value END ORDER BY n DESC)
	  INTO tables, markers, deleted_values
	  FROM softdelete.cascade_closure(target, marker, "cascade") WITH ORDINALITY AS c(tbl, by_column, managed, n)
	 WHERE NOT c.managed OR n = 1;
	SELECT t, coalesce((softdelete.describe(t)).marker, (softdelete.former_marking(t)).marker) AS by_column INTO other
	  FROM unnest(tables, markers) AS u(t, m)
	 WHERE (softdelete.describe(t)).marker <> m OR (softdelete.former_marking(t)).marker IS NOT NULL LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'table "%" is or was managed by column "%"', other.t, other.by_column
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'What its deleted rows have become can only be told while nobody writes to it.',
				  HINT = format('SELECT softdelete.enable(%L, %L).', other.t, markers[array_position(tables, other.t)]);
	END IF;
END $$;
COMMENT ON FUNCTION online_plan(regclass, name, text, boolean) IS 'the tables to enable, in order (internal; use enable_online)';

-- Who waits for a lock keeps others waiting behind him, so not for long.
CREATE FUNCTION online_lock(target regclass) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
BEGIN
	EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
	RETURN true;
EXCEPTION WHEN lock_not_available THEN
	RETURN false;
END $$;
COMMENT ON FUNCTION online_lock(regclass) IS 'lock a table, if that is possible at once (internal; use enable_online)';

CREATE FUNCTION online_columns(target regclass, marker name, deleted_value text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF (softdelete.describe(target)).marker IS NULL THEN
		IF NOT softdelete.online_lock(target) THEN
			RETURN false;
		END IF;
		PERFORM softdelete.add_marker(target, marker, deleted_value);
		PERFORM softdelete.add_companions(target, softdelete.new_marking(target, marker, deleted_value, NULL));
	END IF;
	RETURN true;
END $$;
COMMENT ON FUNCTION online_columns(regclass, name, text) IS 'add what columns are missing; false: the lock was not to be had (internal; use enable_online)';

CREATE FUNCTION online_batches(target regclass) RETURNS TABLE (part regclass, first_page bigint, next_page bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT p, n, n + 500
	  FROM unnest(softdelete.with_partitions(ARRAY[target])) AS p
	  JOIN pg_class c ON c.oid = p AND c.relkind = 'r'
	 CROSS JOIN LATERAL generate_series(0, pg_relation_size(p) / current_setting('block_size')::integer, 500) AS n
$$;
COMMENT ON FUNCTION online_batches(regclass) IS 'the pages of a table, in pieces (internal; use enable_online)';

CREATE FUNCTION online_condition(target regclass, new marking, first_page bigint, next_page bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT format('(%s) AND %I IS NULL AND ctid >= ''(%s,0)'' AND ctid < ''(%s,0)''',
				  softdelete.predicate(target, new.marker, new.kind, new.deleted_value, false), new.id_column, first_page, next_page)
$$;
COMMENT ON FUNCTION online_condition(regclass, softdelete.marking, bigint, bigint) IS 'rows of these pages that are marked and belong to no deletion (internal; use enable_online)';

-- Rows that somebody has locked are left for later: to wait for one while others
-- are locked could deadlock with the application.
CREATE FUNCTION online_adopt(target regclass, marker name, deleted_value text, id bigint, part regclass, first_page bigint, next_page bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	new		softdelete.marking;
	marked	text;
	found	bigint;
	taken	bigint;
BEGIN
	IF (softdelete.describe(target)).marker IS NOT NULL THEN
		RETURN NULL;
	END IF;
	new := softdelete.new_marking(target, marker, deleted_value, NULL);
	marked := softdelete.online_condition(target, new, first_page, next_page);
	found := softdelete.as_owner(target, format('SELECT count(*) FROM ONLY %s WHERE %s', part, marked));
	IF found > 0 THEN
		id := softdelete.adopt(target, found, id);
		taken := softdelete.as_owner(target, format('WITH taken AS (UPDATE ONLY %1$s SET %2$s WHERE ctid = ANY (ARRAY(SELECT ctid FROM ONLY %1$s WHERE %3$s FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM taken',
													part, softdelete.adoption(target, new, id), marked));
		IF taken <> found THEN
			PERFORM softdelete.adopt(target, taken - found, id);
		END IF;
	END IF;
	RETURN id;
END $$;
COMMENT ON FUNCTION online_adopt(regclass, name, text, bigint, regclass, bigint, bigint) IS 'take over marked rows of these pages (internal; use enable_online)';

CREATE FUNCTION online_triggers(target regclass, marker name, deleted_value text, retention interval, triggers text, hide boolean) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old	record;
BEGIN
	old := softdelete.describe(target);
	IF old.marker IS NULL OR (old.triggers, old.hide) <> (triggers, hide) OR softdelete.own_triggers(target) < softdelete.number_of_triggers() THEN
		IF NOT softdelete.online_lock(target) THEN
			RETURN false;
		END IF;
		PERFORM softdelete.create_triggers(target, softdelete.new_marking(target, marker, deleted_value, softdelete.marking_of(target)), triggers, hide);
	END IF;
	IF retention IS NOT NULL THEN
		PERFORM softdelete.set_retention(target, retention);
	ELSE
		PERFORM softdelete.default_retention(target, '30 days');
	END IF;
	RETURN true;
END $$;
COMMENT ON FUNCTION online_triggers(regclass, name, text, interval, text, boolean) IS 'create the triggers; false: the lock was not to be had (internal; use enable_online)';

CREATE FUNCTION online_stamp(target regclass, part regclass, first_page bigint, next_page bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET softdelete.visibility = 'all'
	SET softdelete.reason = 'marked before softdelete.enable()' AS $$
DECLARE
	new	softdelete.marking := softdelete.marking_of(target);
BEGIN
	-- the trigger puts the id of the deletion there
	PERFORM softdelete.as_owner(target, format('UPDATE ONLY %s SET %I = 0 WHERE %s', part, new.id_column,
											   softdelete.online_condition(target, new, first_page, next_page)));
END $$;
COMMENT ON FUNCTION online_stamp(regclass, regclass, bigint, bigint) IS 'take over rows that were marked meanwhile (internal; use enable_online)';

-- A small table's indexes are built at once, a large one's have to be built by
-- commands of their own, which a procedure cannot run.
CREATE FUNCTION online_finish(target regclass, id bigint, build_index boolean, "unique" text, live_indexes boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	small	boolean := (SELECT coalesce(sum(pg_relation_size(p)), 0) < 8388608 FROM unnest(softdelete.with_partitions(ARRAY[target])) p);
BEGIN
	PERFORM softdelete.tell_of_adopted(target, softdelete.marking_of(target), id);
	IF build_index AND small THEN
		PERFORM softdelete.create_cleanup_index(target);
	ELSIF build_index AND softdelete.cleanup_index(target) IS NULL THEN
		RAISE NOTICE 'the index by which a purge finds deleted rows of table "%" is still to be built', target
			USING HINT = array_to_string(softdelete.cleanup_index_ddl(target, softdelete.marking_of(target), true), '; ') || ';';
	END IF;
	IF "unique" = 'live' AND (small OR NOT softdelete.has_full_keys(target)) THEN
		PERFORM softdelete.make_keys_live(target);
	ELSIF "unique" = 'live' THEN
		RAISE NOTICE 'unique keys of table "%" still count deleted rows', target
			USING HINT = format('SELECT ddl FROM softdelete.advice(%L); says how they are built again over live rows.', target);
	END IF;
	IF live_indexes AND small THEN
		PERFORM softdelete.make_indexes_live(target);
	ELSIF live_indexes THEN
		PERFORM softdelete.tell_of_full_indexes(target);
	END IF;
END $$;
COMMENT ON FUNCTION online_finish(regclass, bigint, boolean, text, boolean) IS 'build indexes, and say what is left to do (internal; use enable_online)';

CREATE FUNCTION has_full_keys(target regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT EXISTS (SELECT FROM pg_index i
					WHERE i.indrelid = target AND (i.indisunique OR i.indisexclusion) AND NOT i.indisprimary AND i.indpred IS NULL
					  AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.indexrelid AND f.conrelid <> f.confrelid))
$$;
COMMENT ON FUNCTION has_full_keys(regclass) IS 'are there unique keys, beside the primary one, to be built again over live rows? (internal)';

-- PostgreSQL builds no index of a partitioned table CONCURRENTLY.
CREATE FUNCTION tell_of_full_indexes(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	x	record;
BEGIN
	FOR x IN SELECT f.name, CASE WHEN c.relkind = 'I' THEN softdelete.enable_again(target, ', live_indexes => true')
								 ELSE (SELECT string_agg(s.ddl, '; ' ORDER BY s.n)
										 FROM softdelete.replacing(f.index, NULL, f.ddl, NULL, NULL) WITH ORDINALITY AS s(ddl, n))
									|| '; ' || softdelete.live_index_comment(f.index) END AS commands
			   FROM softdelete.indexes_to_narrow(target, true) f JOIN pg_class c ON c.oid = f.index
			  ORDER BY f.name LOOP
		RAISE NOTICE 'index "%" of table "%" is still over all rows', x.name, target
			USING HINT = x.commands || ';';
	END LOOP;
END $$;
COMMENT ON FUNCTION tell_of_full_indexes(regclass) IS 'say which commands make indexes ones of live rows (internal; enable_online calls it)';
