------------------------------------------------------------------------------
-- enable
------------------------------------------------------------------------------

CREATE FUNCTION enable(target regclass, marker name DEFAULT 'deleted_at', deleted_value text DEFAULT NULL,
	retention interval DEFAULT NULL, "cascade" boolean DEFAULT false, build_index boolean DEFAULT true,
	triggers text DEFAULT 'delete', "unique" text DEFAULT 'live', hide boolean DEFAULT true)
	RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	child	record;
	todo	regclass[] := ARRAY[target];
	done	regclass[] := '{}';
	tree	regclass[];
	this	regclass;
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

	-- first the tables that deletes cascade to, and theirs
	WHILE todo <> '{}' LOOP
		this := todo[1];
		todo := todo[2:];
		CONTINUE WHEN this = ANY (done);
		done := done || this;
		tree := softdelete.with_partitions(ARRAY[this]);
		FOR child IN
			-- a key may be one of a partition alone, on either side
			SELECT r.relid, c.confrelid::regclass AS parent, c.conname FROM pg_constraint c
			 CROSS JOIN LATERAL (SELECT coalesce(pg_partition_root(c.conrelid), c.conrelid)::regclass AS relid) r
			 WHERE c.contype = 'f' AND c.confrelid = ANY (tree) AND c.confdeltype = 'c' AND c.conparentid = 0
			   AND r.relid <> ALL (done)
			 ORDER BY c.conname, r.relid::text
		LOOP
			todo := todo || child.relid;
			CONTINUE WHEN (softdelete.describe(child.relid)).marker IS NOT NULL;
			IF "cascade" IS NOT TRUE THEN
				RAISE EXCEPTION 'table "%" refers to "%" ON DELETE CASCADE and is not managed', child.relid, child.parent
					USING ERRCODE = 'object_not_in_prerequisite_state',
						  DETAIL = format('Foreign key "%s" would leave live rows of "%s" that refer to deleted ones.', child.conname, child.relid),
						  HINT = format('SELECT softdelete.enable(%L, %L, cascade => true) manages both, SELECT softdelete.enable(%L) the other one.',
										target, marker, child.relid);
			END IF;
			PERFORM softdelete.check_table(child.relid);
		END LOOP;
	END LOOP;
	-- parents first, as a DELETE locks them, and at once what adding columns needs
	FOREACH this IN ARRAY done LOOP
		CONTINUE WHEN (softdelete.describe(this)).marker IS NOT NULL;
		EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', this);
	END LOOP;
	FOREACH this IN ARRAY done[2:] LOOP
		CONTINUE WHEN (softdelete.describe(this)).marker IS NOT NULL;
		PERFORM softdelete.enable_table(this, 'deleted_at', NULL, retention, build_index, triggers, "unique", hide);
	END LOOP;
	PERFORM softdelete.enable_table(target, marker, deleted_value, retention, build_index, triggers, "unique", hide);
	-- hand-written deletes may have left such
	PERFORM softdelete.warn_of_orphans(done);
END $$;
COMMENT ON FUNCTION enable(regclass, name, text, interval, boolean, boolean, text, text, boolean) IS 'make DELETE on a table recoverable';

CREATE FUNCTION enable_table(target regclass, marker name, deleted_value text, retention interval, build_index boolean,
	triggers text, "unique" text, hide boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old			record;
	kind		text;
	time_column	name;
	former		name;
	columns		text;
	was_deleted	text;
	is_deleted		text;
	status_type	text;
	n			bigint;
	id			bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_attribute a
					WHERE a.attrelid = target AND a.attname = enable_table.marker
					  AND a.attnum > 0 AND NOT a.attisdropped) THEN
		IF marker <> 'deleted_at' THEN
			RAISE EXCEPTION 'column "%" of table "%" does not exist', marker, target
				USING ERRCODE = 'undefined_column';
		ELSIF deleted_value IS NOT NULL THEN
			RAISE EXCEPTION 'a timestamp marker has no deleted value' USING ERRCODE = 'invalid_parameter_value';
		END IF;
		PERFORM softdelete.add_companion(target, marker, 'timestamp with time zone', '{}', 'when the row was deleted');
	END IF;
	SELECT * INTO deleted_value, kind FROM softdelete.marker_kind(target, marker, deleted_value);
	IF EXISTS (SELECT FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = ANY (c.confkey)
				WHERE c.contype = 'f' AND a.attname = enable_table.marker
				  AND c.confrelid = ANY ((SELECT softdelete.with_partitions(ARRAY[target]))::regclass[])) THEN
		RAISE EXCEPTION 'a foreign key refers to column "%" of table "%"', marker, target
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'A delete would change the key that other rows refer to.';
	END IF;

	SELECT * INTO old FROM softdelete.describe(target);
	IF old.marker IS NOT NULL AND (old.marker, old.deleted_value) IS DISTINCT FROM (marker, deleted_value) THEN
		RAISE EXCEPTION 'table "%" is managed already, by column "%"', target, old.marker
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = format('SELECT softdelete.disable(%L) first.', target);
	END IF;

	-- companion columns
	time_column := coalesce(old.time_column, CASE kind WHEN 'timestamp' THEN marker ELSE 'deleted_at' END);
	former := coalesce(old.former_column, CASE kind WHEN 'status' THEN ('former_' || marker)::name END);
	IF former = marker THEN
		-- cut to the length of a name it is the marker itself
		former := ('previous_' || marker)::name;
	END IF;
	IF old.marker IS NULL THEN
		IF kind <> 'timestamp' THEN
			PERFORM softdelete.add_companion(target, time_column, 'timestamp with time zone',
				'{timestamp with time zone,timestamp without time zone}', 'when the row was deleted');
		END IF;
		PERFORM softdelete.add_companion(target, 'deletion_id', 'bigint', '{bigint}', 'the deletion that the row belongs to');
		IF kind = 'status' THEN
			SELECT format_type(a.atttypid, a.atttypmod) INTO status_type FROM pg_attribute a
			 WHERE a.attrelid = target AND a.attname = enable_table.marker;
			PERFORM softdelete.add_companion(target, former, status_type, ARRAY[status_type], 'status before the row was deleted');
		END IF;

		-- rows that are marked already
		is_deleted := softdelete.predicate(target, marker, kind, deleted_value, false);
		n := softdelete.as_owner(target, format('SELECT count(*) FROM %s WHERE %s AND deletion_id IS NULL', target, is_deleted));
		IF n > 0 THEN
			id := softdelete.adopt(target, n);
			-- what their status was is not known; the default is as good as any
			PERFORM softdelete.as_owner(target, format('UPDATE %s SET deletion_id = %s, %I = coalesce(%I, now())%s WHERE %s AND deletion_id IS NULL',
						   target, id, time_column, time_column,
						   (SELECT format(', %I = coalesce(%I, %s)', former, former, pg_get_expr(d.adbin, d.adrelid))
							  FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
							 WHERE d.adrelid = target AND a.attname = enable_table.marker AND former IS NOT NULL),
						   is_deleted));
		END IF;
	END IF;

	-- the triggers; the last one's column list and arguments are the table's state (src/tables/registry.c)
	IF softdelete.own_triggers(target) < 4 OR old.marker IS NULL OR (old.triggers, old.hide) <> (triggers, hide) THEN
		-- what is left of former ones, if any
		EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
		PERFORM softdelete.drop_triggers(target);
		columns := concat_ws(', ', quote_ident(marker), quote_ident(coalesce(old.id_column, 'deletion_id')),
							 CASE WHEN kind <> 'timestamp' THEN quote_ident(time_column) END,
							 quote_ident(former));
		was_deleted := softdelete.predicate(target, marker, kind, deleted_value, false, 'old');
		is_deleted := softdelete.predicate(target, marker, kind, deleted_value, false, 'new');
		EXECUTE format('CREATE TRIGGER "~softdelete_stamp" BEFORE UPDATE OF %1$s ON %2$s FOR EACH ROW
						WHEN ((%3$s) IS DISTINCT FROM (%4$s) OR old.%5$I IS DISTINCT FROM new.%5$I)
						EXECUTE FUNCTION softdelete.stamp_trigger()', columns, target, was_deleted, is_deleted, coalesce(old.id_column, 'deletion_id'));
		EXECUTE format('CREATE TRIGGER "~softdelete_guard" BEFORE DELETE ON %s FOR EACH ROW
						EXECUTE FUNCTION softdelete.guard()', target);
		EXECUTE format('CREATE TRIGGER "~softdelete_truncate" BEFORE TRUNCATE ON %s FOR EACH STATEMENT
						EXECUTE FUNCTION softdelete.refuse_truncate()', target);
		EXECUTE format('CREATE TRIGGER "~softdelete_mark" AFTER UPDATE OF %s ON %s FOR EACH ROW
						WHEN ((%s) IS DISTINCT FROM (%s))
						EXECUTE FUNCTION softdelete.mark(%L, %L, %L, %L)', columns, target, was_deleted, is_deleted,
					   kind, deleted_value, triggers, CASE WHEN hide THEN 'hide' ELSE 'show' END);
	END IF;

	IF build_index THEN
		PERFORM softdelete.create_cleanup_index(target);
	END IF;
	IF "unique" = 'live' THEN
		PERFORM softdelete.make_keys_live(target);
	ELSIF old.marker IS NOT NULL THEN
		PERFORM softdelete.make_keys_full(target);
	END IF;
	IF retention IS NOT NULL THEN
		PERFORM softdelete.set_retention(target, retention);
	ELSE
		PERFORM softdelete.default_retention(target, '30 days');
	END IF;
END $$;
COMMENT ON FUNCTION enable_table(regclass, name, text, interval, boolean, text, text, boolean) IS 'manage one table (internal; use enable)';
