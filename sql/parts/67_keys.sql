------------------------------------------------------------------------------
-- Keys that deleted rows hold
------------------------------------------------------------------------------

CREATE FUNCTION depends_on_mark(key regclass, marks name[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN EXISTS (
		SELECT FROM pg_index x JOIN pg_attribute m ON m.attrelid = x.indrelid AND m.attname = ANY (marks)
		  JOIN pg_depend e ON e.refclassid = 'pg_class'::regclass AND e.refobjid = x.indrelid AND e.refobjsubid = m.attnum
		  LEFT JOIN pg_attrdef g ON e.classid = 'pg_attrdef'::regclass AND g.oid = e.objid
		 WHERE x.indexrelid = key
		   AND (e.classid = 'pg_class'::regclass AND e.objid = key
				-- a column that is generated from the mark
				OR g.adrelid = x.indrelid
				   AND g.adnum IN (SELECT u.k FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS u(k, n) WHERE u.n <= x.indnkeyatts)));
END $$;
COMMENT ON FUNCTION depends_on_mark(regclass, name[]) IS 'does a condition, an expression or a generated column of an index speak of the mark? (internal)';

-- The unique keys and exclusion constraints of the table and of its partitions by
-- themselves, but for those that speak of the mark: the application has made
-- these for its deleted rows.  row_key: the trigger can look it up by a new row.
CREATE FUNCTION held_keys(target regclass)
	RETURNS TABLE (index regclass, owner regclass, name name, columns text, is_primary boolean, constraint_oid oid,
				   is_referred boolean, row_key boolean, atts smallint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
		SELECT x.indexrelid::regclass, x.indrelid::regclass, i.relname,
			   (SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true), ', ' ORDER BY n) FROM generate_series(1, x.indnkeyatts) n),
			   x.indisprimary, c.oid,
			   softdelete.is_key_referred(x.indexrelid),
			   x.indisunique AND NOT x.indisexclusion AND x.indpred IS NULL AND 0 <> ALL (k.atts) AND NOT k.generated, k.atts
		  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
		  LEFT JOIN pg_constraint c ON c.conrelid = x.indrelid AND c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x')
		 CROSS JOIN LATERAL (SELECT array_agg(u.k ORDER BY u.n) AS atts, coalesce(bool_or(a.attgenerated <> ''), false) AS generated,
									array_agg(a.attname) AS names
							   FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS u(k, n)
							   LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = u.k
							  WHERE u.n <= x.indnkeyatts) k
		 CROSS JOIN LATERAL softdelete.describe(x.indrelid) d
		 WHERE x.indrelid = ANY (softdelete.with_partitions(ARRAY[target])) AND NOT i.relispartition
		   AND (x.indisunique OR x.indisexclusion)
		   AND NOT ARRAY[d.marker, d.time_column, d.id_column] && k.names
		   AND (x.indpred IS NULL AND x.indexprs IS NULL AND NOT k.generated
				OR NOT softdelete.depends_on_mark(x.indexrelid, ARRAY[d.marker, d.time_column, d.id_column]));
END $$;
COMMENT ON FUNCTION held_keys(regclass) IS 'unique keys and exclusion constraints that deleted rows hold, too (internal)';

-- The indexes of partitions below an index of their table's, by their names: an error
-- of a key says them, and a migration, too.
CREATE FUNCTION partition_indexes(key regclass) RETURNS TABLE (partition oid, schema name, name name)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT x.indrelid, n.nspname, i.relname
	  FROM pg_partition_tree(key) t JOIN pg_index x ON x.indexrelid = t.relid JOIN pg_class i ON i.oid = t.relid JOIN pg_namespace n ON n.oid = i.relnamespace
	 WHERE t.level > 0
$$;
COMMENT ON FUNCTION partition_indexes(regclass) IS 'the indexes that an index of a partitioned table has below it (internal)';

CREATE FUNCTION name_partition_indexes(key regclass, partitions oid[], names name[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	x	record;
BEGIN
	FOR x IN SELECT i.schema, i.name, u.name AS wanted FROM softdelete.partition_indexes(key) i JOIN unnest(partitions, names) AS u(partition, name) USING (partition)
			  WHERE i.name <> u.name LOOP
		PERFORM softdelete.run_ddl(format('ALTER INDEX %I.%I RENAME TO %I', x.schema, x.name, x.wanted));
	END LOOP;
END $$;
COMMENT ON FUNCTION name_partition_indexes(regclass, oid[], name[]) IS 'give them the names of those that they replace (internal)';

-- The index keeps the old one's name, and its comment says what to put back, with
-- what it and the constraint said before.
CREATE FUNCTION make_key_live(key regclass, twin_clause text, twin_ddl text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	x			record;
	partitions	oid[];
	names		name[];
BEGIN
	SELECT array_agg(p.partition), array_agg(p.name) INTO partitions, names FROM softdelete.partition_indexes(key) p;
	SELECT i.relname, (SELECT n.nspname FROM pg_namespace n WHERE n.oid = i.relnamespace) AS schema, p.indrelid::regclass AS owner, c.conname, t.relkind = 'p' AS is_partitioned,
		   coalesce(pg_get_constraintdef(c.oid), 'INDEX' || coalesce(' WHERE ' || pg_get_expr(p.indpred, p.indrelid), '')) AS was,
		   obj_description(key, 'pg_class') AS said, obj_description(c.oid, 'pg_constraint') AS constraint_said
	  INTO x
	  FROM pg_index p JOIN pg_class i ON i.oid = p.indexrelid JOIN pg_class t ON t.oid = p.indrelid
	  LEFT JOIN pg_constraint c ON c.conindid = p.indexrelid AND c.contype IN ('u', 'x')
	 WHERE p.indexrelid = key;
	IF twin_clause IS NOT NULL THEN
		PERFORM softdelete.run_ddl(format('ALTER TABLE %s DROP CONSTRAINT %I, %s', x.owner, x.conname, twin_clause));
		PERFORM softdelete.run_ddl(format('COMMENT ON CONSTRAINT %I ON %s IS %L', x.conname, x.owner, x.constraint_said));
	ELSE
		IF x.conname IS NOT NULL THEN
			PERFORM softdelete.run_ddl(format('ALTER TABLE %s DROP CONSTRAINT %I', x.owner, x.conname));
		ELSE
			PERFORM softdelete.run_ddl(format('DROP INDEX %I.%I', x.schema, x.relname));
		END IF;
		PERFORM softdelete.run_ddl(twin_ddl);
		IF x.is_partitioned OR softdelete.is_distributed(x.owner) THEN
			x.said := coalesce(x.constraint_said, x.said);
		ELSIF x.conname IS NOT NULL THEN
			-- ON CONFLICT ON CONSTRAINT and DROP CONSTRAINT know it by its name
			PERFORM softdelete.run_ddl(format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (true) NOT VALID', x.owner, x.conname));
			PERFORM softdelete.run_ddl(format('COMMENT ON CONSTRAINT %I ON %s IS %L', x.conname, x.owner,
						   'softdelete: stands for the unique index of the same name' || coalesce(E'\n\n' || x.constraint_said, '')));
		END IF;
	END IF;
	PERFORM softdelete.name_partition_indexes(format('%I.%I', x.schema, x.relname)::regclass, partitions, names);
	PERFORM softdelete.run_ddl(format('COMMENT ON INDEX %I.%I IS %L', x.schema, x.relname,
						   'softdelete: unique among live rows; was ' || x.was || coalesce(E'\n\n' || x.said, '')));
END $$;
COMMENT ON FUNCTION make_key_live(regclass, text, text) IS 'make a unique key or exclusion constraint again over live rows (internal)';

-- What stays is freed when a new row wants it; no UPDATE OF, which would keep the
-- columns' types from being altered.
CREATE FUNCTION free_keys_by_trigger(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = target AND t.tgfoid = 'softdelete.make_room()'::regprocedure) THEN
		PERFORM softdelete.run_ddl(format('CREATE TRIGGER "~softdelete_key" BEFORE INSERT OR UPDATE ON %s FOR EACH ROW
						EXECUTE FUNCTION softdelete.make_room()', target));
		PERFORM softdelete.run_ddl(format('COMMENT ON TRIGGER "~softdelete_key" ON %s IS %L', target,
						'softdelete: a deleted row makes room for a new one with its key'));
	END IF;
END $$;
COMMENT ON FUNCTION free_keys_by_trigger(regclass) IS 'have deleted rows make room for new ones with their keys (internal)';

CREATE FUNCTION only_primary_key(target regclass) RETURNS boolean
	AS 'MODULE_PATHNAME', 'softdelete_only_primary_key' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION only_primary_key(regclass) IS 'has a managed table a primary key that a new row can be looked up by, and no other unique one? false: look closer (internal)';

CREATE FUNCTION make_keys_live(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	k			record;
	twin		record;
	obstacle	text;
	stays		boolean := softdelete.only_primary_key(target);	-- a key that a new row can be looked up by
BEGIN
	IF stays THEN
		PERFORM softdelete.free_keys_by_trigger(target);
		RETURN;
	END IF;
	FOR k IN SELECT * FROM softdelete.held_keys(target) h ORDER BY h.name, h.owner::text LOOP
		IF k.is_primary OR k.is_referred THEN
			stays := stays OR k.row_key;
			CONTINUE;
		END IF;
		twin := softdelete.live_twin(k.index, k.name, false);
		obstacle := twin.obstacle;
		IF obstacle IS NULL THEN
			BEGIN
				PERFORM softdelete.make_key_live(k.index, twin.clause, twin.index_ddl);
				IF twin.clause IS NULL AND k.constraint_oid IS NOT NULL
					AND ((SELECT c.relkind = 'p' FROM pg_class c WHERE c.oid = k.owner) OR softdelete.is_distributed(k.owner)) THEN
					RAISE NOTICE 'key "%" (%) of table "%" is from now on one of live rows only', k.name, k.columns, k.owner
						USING HINT = format('Where a statement says ON CONFLICT ON CONSTRAINT %I, write ON CONFLICT (%s).', k.name, k.columns);
				ELSE
					RAISE NOTICE 'key "%" (%) of table "%" is from now on one of live rows only', k.name, k.columns, k.owner;
				END IF;
			EXCEPTION WHEN dependent_objects_still_exist THEN
				obstacle := SQLERRM;
			END;
		END IF;
		IF obstacle IS NULL THEN
			CONTINUE;
		ELSIF k.row_key THEN
			stays := true;
		ELSE
			RAISE WARNING 'deleted rows of table "%" keep key "%" (%) taken', k.owner, k.name, k.columns
				USING DETAIL = upper(left(obstacle, 1)) || substr(obstacle, 2) || '.';
		END IF;
	END LOOP;

	IF softdelete.is_distributed(target) THEN
		-- a row that made room would have to move with its shard
		FOR k IN SELECT * FROM softdelete.held_keys(target) h WHERE h.row_key ORDER BY h.name, h.owner::text LOOP
			RAISE NOTICE 'deleted rows of distributed table "%" keep key "%" (%) taken', k.owner, k.name, k.columns
				USING HINT = 'SELECT softdelete.restore() or softdelete.purge() of the deleted row frees it.';
		END LOOP;
		RETURN;
	END IF;

	IF stays THEN
		PERFORM softdelete.free_keys_by_trigger(target);
	END IF;
END $$;
COMMENT ON FUNCTION make_keys_live(regclass) IS 'free the keys that deleted rows hold (internal; enable calls it)';

CREATE FUNCTION frees_key(target regclass, key regclass) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = target AND t.tgfoid = 'softdelete.make_room()'::regprocedure)
		   AND EXISTS (SELECT FROM softdelete.held_keys(target) h WHERE h.index = key AND h.row_key));
END $$;
COMMENT ON FUNCTION frees_key(regclass, regclass) IS 'does a deleted row make room for a new one with this key? (internal)';

-- What make_key_live() took down in the index's comment.
CREATE FUNCTION make_key_full(key regclass, was text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	x			record;
	head		text;
	partitions	oid[];
	names		name[];
	holder		record;
	said		text := substr(was, length(split_part(was, E'\n\n', 1)) + 3);
	constraint_said	text;
BEGIN
	was := split_part(was, E'\n\n', 1);
	SELECT array_agg(p.partition), array_agg(p.name) INTO partitions, names FROM softdelete.partition_indexes(key) p;
	SELECT i.relname, i.relkind, (SELECT n.nspname FROM pg_namespace n WHERE n.oid = i.relnamespace) AS schema, p.indrelid::regclass AS owner, c.conname,
		   pg_get_indexdef(key) AS def, pg_get_expr(p.indpred, p.indrelid) AS predicate
	  INTO x
	  FROM pg_index p JOIN pg_class i ON i.oid = p.indexrelid
	  LEFT JOIN pg_constraint c ON c.conindid = p.indexrelid AND c.contype = 'x'
	 WHERE p.indexrelid = key;
	SELECT c.conname, c.contype, obj_description(c.oid, 'pg_constraint') AS said INTO holder FROM pg_constraint c
	 WHERE c.conrelid = x.owner AND c.conname = x.relname AND c.contype IN ('c', 'x');
	IF x.conname IS NOT NULL THEN
		PERFORM softdelete.run_ddl(format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s', x.owner, x.conname, x.conname, was));
		constraint_said := holder.said;
	ELSE
		IF holder.contype = 'c' THEN
			-- the index goes with it, where the library is loaded
			PERFORM softdelete.run_ddl(format('ALTER TABLE %s DROP CONSTRAINT %I', x.owner, x.relname));
			constraint_said := substr(holder.said, length(split_part(holder.said, E'\n\n', 1)) + 3);
		END IF;
		IF to_regclass(format('%I.%I', x.schema, x.relname)) IS NOT NULL THEN
			PERFORM softdelete.run_ddl(format('DROP INDEX %I.%I', x.schema, x.relname));
		END IF;
		IF starts_with(was, 'INDEX') THEN
			head := left(x.def, length(x.def) - length(' WHERE ' || x.predicate));
			PERFORM softdelete.run_ddl(CASE x.relkind WHEN 'I' THEN replace(head, ' ON ONLY ', ' ON ') ELSE head END || substr(was, length('INDEX') + 1));
		ELSE
			PERFORM softdelete.run_ddl(format('ALTER TABLE %s ADD CONSTRAINT %I %s', x.owner, x.relname, was));
		END IF;
	END IF;
	PERFORM softdelete.name_partition_indexes(format('%I.%I', x.schema, x.relname)::regclass, partitions, names);
	IF holder.conname IS NULL AND NOT starts_with(was, 'INDEX') THEN
		constraint_said := said;
		said := NULL;
	END IF;
	IF constraint_said <> '' THEN
		PERFORM softdelete.run_ddl(format('COMMENT ON CONSTRAINT %I ON %s IS %L', x.relname, x.owner, constraint_said));
	END IF;
	IF said <> '' THEN
		PERFORM softdelete.run_ddl(format('COMMENT ON INDEX %I.%I IS %L', x.schema, x.relname, said));
	END IF;
END $$;
COMMENT ON FUNCTION make_key_full(regclass, text) IS 'make a key of live rows one of all rows again (internal)';

CREATE FUNCTION make_keys_full(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	k		record;
	begins	text := 'softdelete: unique among live rows; was ';
BEGIN
	PERFORM softdelete.drop_triggers(target, 'softdelete.make_room()');
	FOR k IN SELECT p.indexrelid::regclass AS index, i.relname, p.indrelid::regclass AS owner,
					substr(obj_description(p.indexrelid, 'pg_class'), length(begins) + 1) AS was
			   FROM pg_index p JOIN pg_class i ON i.oid = p.indexrelid
			  WHERE p.indrelid = ANY (softdelete.with_partitions(ARRAY[target])) AND NOT i.relispartition
				AND starts_with(obj_description(p.indexrelid, 'pg_class'), begins)
			  ORDER BY i.relname LOOP
		BEGIN
			PERFORM softdelete.make_key_full(k.index, k.was);
			RAISE NOTICE 'key "%" of table "%" is one of all rows again', k.relname, k.owner;
		EXCEPTION WHEN unique_violation OR exclusion_violation OR undefined_column OR undefined_object OR syntax_error THEN
			RAISE WARNING 'key "%" of table "%" stays one of the rows that are not marked', k.relname, k.owner
				USING DETAIL = SQLERRM || '.', HINT = format('It was: %s.', split_part(k.was, E'\n\n', 1));
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION make_keys_full(regclass) IS 'undo what make_keys_live did, where the rows allow it (internal; disable calls it)';

CREATE FUNCTION keep_keys(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	k	record;
BEGIN
	PERFORM softdelete.make_keys_full(target);
	FOR k IN SELECT * FROM softdelete.held_keys(target) h ORDER BY h.name, h.owner::text LOOP
		RAISE WARNING 'deleted rows of table "%" keep key "%" (%) taken', k.owner, k.name, k.columns
			USING DETAIL = 'A row with the key of a deleted one cannot be inserted, and ON CONFLICT DO NOTHING drops it.';
	END LOOP;
END $$;
COMMENT ON FUNCTION keep_keys(regclass) IS 'leave deleted rows their keys, and say so (internal; enable calls it)';
