------------------------------------------------------------------------------
-- disable
------------------------------------------------------------------------------

CREATE FUNCTION disable(target regclass, drop_columns boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	d		record;
	name	text;
	deleted	boolean;
	replaced	bigint;
BEGIN
	-- leftovers are enough: triggers can be lost in a session without the library
	IF softdelete.own_triggers(target) = 0 THEN
		PERFORM softdelete.check_table(target);
		RAISE EXCEPTION 'table "%" is not managed by softdelete', target
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'SELECT target FROM softdelete.tables lists those that are.';
	ELSIF NOT (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c WHERE c.oid = target) THEN
		RAISE EXCEPTION 'must be owner of table %', target USING ERRCODE = 'insufficient_privilege';
	END IF;
	SELECT * INTO d FROM softdelete.describe(target);
	IF d.marker IS NULL AND drop_columns THEN
		RAISE EXCEPTION 'the trigger that says which are the columns of table "%" is missing', target
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = format('SELECT softdelete.enable(%L) puts it back, with the marker that the table had unless that was deleted_at.', target);
	END IF;
	PERFORM softdelete.one_connection_each(ARRAY[target]);
	EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);

	PERFORM softdelete.make_keys_full(target);
	PERFORM softdelete.make_indexes_full(target);
	PERFORM softdelete.drop_triggers(target);
	PERFORM softdelete.drop_cleanup_indexes(target);
	PERFORM softdelete.forget(target);
	replaced := softdelete.count_replaced(target);

	IF drop_columns THEN
		-- the table is an ordinary one by now, so this sees every row
		deleted := softdelete.as_owner(target, format('SELECT EXISTS (SELECT 1 FROM %s WHERE %s)', target, d.deleted_predicate));
		IF deleted OR replaced > 0 THEN
			RAISE EXCEPTION 'table "%" still has deleted rows', target
				USING ERRCODE = 'object_not_in_prerequisite_state',
					  DETAIL = CASE WHEN deleted THEN 'Without the columns they would be live again.'
									ELSE 'Their keys were inserted again, and softdelete.replaced has them.' END,
					  HINT = format('Restore them or purge them, after those that refer to them: SELECT * FROM softdelete.purge_expired(%L, older_than => ''0'').', target);
		END IF;
		FOR name IN SELECT a.attname FROM pg_attribute a
					 WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped
					   AND a.attname IN (d.marker, d.time_column, d.id_column, d.former_column)
					   AND col_description(target, a.attnum) LIKE 'softdelete: %' LOOP
			PERFORM softdelete.run_ddl(format('ALTER TABLE %s DROP COLUMN %I', target, name));
		END LOOP;
	ELSIF d.marker IS NOT NULL THEN
		-- for an enable() with another marker
		PERFORM softdelete.note_marking(target, d.id_column,
			ROW(d.marker, d.kind, d.deleted_value, d.time_column, d.id_column, d.former_column)::softdelete.marking);
	END IF;
	IF replaced > 0 AND NOT drop_columns THEN
		RAISE WARNING '%', CASE replaced WHEN 1 THEN format('1 deleted row of table "%s" stays in softdelete.replaced', target)
											ELSE format('%s deleted rows of table "%s" stay in softdelete.replaced', replaced, target) END
			USING DETAIL = 'Neither undo() nor a purge works on a table that is not managed.',
				  HINT = format('SELECT softdelete.enable(%L%s) manages the table again; undo() then brings back what finds its key free, and purge_expired() erases it.',
								target, coalesce(format(', %L', d.marker) || CASE WHEN d.kind <> 'timestamp' THEN format(', %L', d.deleted_value) ELSE '' END, ''));
	END IF;
	-- its deleted rows are live ones from now on
	PERFORM softdelete.warn_of_orphans(ARRAY[target]);
END $$;
COMMENT ON FUNCTION disable(regclass, boolean) IS 'make DELETE on a table final again; deleted rows become ordinary rows with a mark';

CREATE FUNCTION drop_cleanup_indexes(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	index	regclass;
BEGIN
	FOR index IN SELECT i.indexrelid FROM pg_index i
				  WHERE i.indrelid = target
					AND obj_description(i.indexrelid, 'pg_class') = 'softdelete: finds deleted rows by age' LOOP
		PERFORM softdelete.run_ddl(format('DROP INDEX %s', index));
	END LOOP;
END $$;
COMMENT ON FUNCTION drop_cleanup_indexes(regclass) IS 'drop the partial index that purge_expired uses (internal)';
