------------------------------------------------------------------------------
-- Partial indexes
------------------------------------------------------------------------------

-- by how the table is marked, or will be
CREATE FUNCTION create_cleanup_index(target regclass, how marking DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	command	text;
BEGIN
	IF how IS NULL THEN
		IF softdelete.cleanup_index(target) IS NOT NULL THEN
			RETURN;
		END IF;
		how := softdelete.marking_of(target);
	END IF;
	FOREACH command IN ARRAY softdelete.cleanup_index_ddl(target, how, false) LOOP
		PERFORM softdelete.run_ddl(command);
	END LOOP;
END $$;
COMMENT ON FUNCTION create_cleanup_index(regclass, softdelete.marking) IS 'the partial index over deleted rows that purge_expired uses (internal)';

CREATE FUNCTION cleanup_index_ddl(target regclass, how marking, online boolean) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name	name := softdelete.index_name(target, 'deleted_idx');
	class	record;
BEGIN
	SELECT c.relkind, c.relnamespace::regnamespace AS schema INTO class FROM pg_class c WHERE c.oid = target;
	RETURN ARRAY[format('CREATE INDEX %s%I ON %s (%I, %I) WHERE %s', CASE WHEN online AND class.relkind = 'r' THEN 'CONCURRENTLY ' END, name,
						target, how.time_column, how.id_column, softdelete.predicate(target, how.marker, how.kind, how.deleted_value, false)),
				 format('COMMENT ON INDEX %s.%I IS %L', class.schema, name, 'softdelete: finds deleted rows by age')];
END $$;
COMMENT ON FUNCTION cleanup_index_ddl(regclass, softdelete.marking, boolean) IS 'the commands that build that index (internal)';

CREATE FUNCTION index_name(target regclass, suffix text, VARIADIC columns name[] DEFAULT '{}') RETURNS name
	AS 'MODULE_PATHNAME', 'softdelete_index_name' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION index_name(regclass, text, name[]) IS 'a free name for an index of the table (internal)';

CREATE FUNCTION check_columns(target regclass, columns name[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	missing	name;
BEGIN
	PERFORM softdelete.check_table(target);
	PERFORM softdelete.live_predicate(target);
	IF coalesce(cardinality(columns), 0) = 0 THEN
		RAISE EXCEPTION 'no columns given' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT c INTO missing FROM unnest(columns) AS c
	 WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = target AND a.attname = c
						 AND a.attnum > 0 AND NOT a.attisdropped) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'column "%" of table "%" does not exist', missing, target
			USING ERRCODE = 'undefined_column';
	END IF;
	RETURN (SELECT string_agg(quote_ident(c), ', ' ORDER BY n) FROM unnest(columns) WITH ORDINALITY AS u(c, n));
END $$;
COMMENT ON FUNCTION check_columns(regclass, name[]) IS 'the columns as an index lists them; raises on unknown ones (internal)';

CREATE FUNCTION create_live_index(target regclass, VARIADIC columns name[]) RETURNS regclass
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	list	text := softdelete.check_columns(target, columns);
	index	name := softdelete.index_name(target, 'live_idx', VARIADIC columns);
BEGIN
	EXECUTE format('CREATE INDEX %I ON %s (%s) WHERE %s', index, target, list, softdelete.live_predicate(target));
	RETURN format('%I.%I', (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = target), index)::regclass;
END $$;
COMMENT ON FUNCTION create_live_index(regclass, name[]) IS 'create an index over live rows only';

-- The definition is PostgreSQL's own, less what is known to stand at either end, so
-- that whatever an index can have comes along: operator classes and their options,
-- collations, order, INCLUDE, NULLS NOT DISTINCT, storage parameters.  A constraint
-- comes as a clause of ALTER TABLE, since it cannot be built beside the old one.
CREATE FUNCTION live_twin(model regclass, name name, online boolean,
	OUT index_ddl text, OUT clause text, OUT obstacle text)
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	x			record;
	def			text;
	head		text;
	ending		text;
	deferral	text;
	predicate	text;
	keys		text;
	elements	text := '';
BEGIN
	SELECT i.*, c.relname, c.relkind, m.amname, k.oid AS constraint_oid, k.condeferrable, k.condeferred, t.relkind AS table_kind,
		   format('%I.%I', CASE t.relnamespace WHEN pg_my_temp_schema() THEN 'pg_temp' ELSE n.nspname END, t.relname) AS table_name,
		   pg_get_expr(i.indpred, i.indrelid) AS old_predicate,
		   (SELECT format(' TABLESPACE %I', s.spcname) FROM pg_tablespace s
			 WHERE s.oid = c.reltablespace AND has_tablespace_privilege(s.oid, 'CREATE')) AS tablespace
	  INTO x
	  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
	  JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
	  LEFT JOIN pg_constraint k ON k.conrelid = i.indrelid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
	 WHERE i.indexrelid = model;
	obstacle := CASE
		WHEN x.indisreplident THEN 'it is the replica identity, so it has to stay'
		WHEN x.indisunique AND x.indisexclusion THEN 'it is WITHOUT OVERLAPS, which cannot be partial, so it has to stay'
		WHEN x.condeferrable AND x.indnullsnotdistinct THEN 'it is DEFERRABLE and NULLS NOT DISTINCT, which cannot be partial, so it has to stay'
		WHEN x.table_kind = 'p' AND (x.condeferrable OR x.indisexclusion) AND current_setting('server_version_num')::integer < 170000
			THEN 'partitioned tables have no exclusion constraints before PostgreSQL 17, so it has to stay' END;
	IF obstacle IS NOT NULL THEN
		RETURN;
	END IF;

	deferral := CASE WHEN x.condeferrable THEN ' DEFERRABLE' ELSE '' END || CASE WHEN x.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END;
	IF x.indisexclusion THEN
		def := pg_get_constraintdef(x.constraint_oid);
		head := format('EXCLUDE USING %I (', x.amname);
		ending := coalesce(' WHERE (' || x.old_predicate || ')', '') || deferral;
	ELSE
		def := pg_get_indexdef(model);
		head := format('CREATE %sINDEX %I ON %s%s USING %I (', CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END, x.relname,
					   CASE x.relkind WHEN 'I' THEN 'ONLY ' ELSE '' END, x.table_name, x.amname);
		ending := coalesce(' WHERE ' || x.old_predicate, '');
	END IF;
	IF x.condeferrable AND NOT x.indisexclusion THEN
		-- only an exclusion constraint can be both partial and deferrable; a
		-- unique constraint's keys are plain columns, compared by equality
		SELECT string_agg(e.def, ', ' ORDER BY u.n),
			   string_agg(format('%s WITH OPERATOR(%I.%s)', e.def, s.nspname, o.oprname), ', ' ORDER BY u.n)
		  INTO keys, elements
		  FROM generate_series(1, x.indnkeyatts) AS u(n)
		 CROSS JOIN LATERAL (SELECT pg_get_indexdef(model, u.n, false)) AS e(def)
		  JOIN pg_opclass p ON p.oid = x.indclass[u.n - 1]
		  JOIN pg_amop a ON a.amopfamily = p.opcfamily AND a.amopstrategy = 3
						AND a.amoplefttype = p.opcintype AND a.amoprighttype = p.opcintype
		  JOIN pg_operator o ON o.oid = a.amopopr
		  JOIN pg_namespace s ON s.oid = o.oprnamespace;
		head := head || keys || ')';
		elements := elements || ')';
	END IF;
	IF (starts_with(def, head) AND right(def, length(ending)) = ending) IS NOT TRUE THEN
		obstacle := 'its definition is not understood';
		RETURN;
	END IF;

	def := elements || substr(def, length(head) + 1, length(def) - length(head) - length(ending));
	predicate := softdelete.live_predicate(x.indrelid);
	IF x.old_predicate IS NOT NULL THEN
		predicate := format('(%s) AND (%s)', x.old_predicate, predicate);
	END IF;
	IF x.condeferrable OR x.indisexclusion THEN
		clause := format('ADD CONSTRAINT %I EXCLUDE USING %I (%s%s WHERE (%s)%s', name, x.amname, def,
						 ' USING INDEX' || x.tablespace, predicate, deferral);
	ELSE
		index_ddl := format('CREATE %sINDEX %s%I ON %s USING %I (%s%s WHERE %s', CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END,
							CASE WHEN online THEN 'CONCURRENTLY ' ELSE '' END, name, x.indrelid::regclass, x.amname, def, x.tablespace, predicate);
	END IF;
END $$;
COMMENT ON FUNCTION live_twin(regclass, name, boolean) IS 'what makes an index or constraint again, over live rows only (internal)';

CREATE FUNCTION create_live_unique(target regclass, VARIADIC columns name[]) RETURNS regclass
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	list	text := softdelete.check_columns(target, columns);
	index	name := softdelete.index_name(target, 'live_key', VARIADIC columns);
	schema	name := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = target);
	wanted	smallint[] := (SELECT array_agg(a.attnum ORDER BY a.attnum) FROM pg_attribute a
							WHERE a.attrelid = target AND a.attname = ANY (columns));
	full_index	record;
	twin	record;
	made	text[] := '{}';
	twin_index	regclass;
	result	regclass;
BEGIN
	-- the full indexes on the same columns, which deleted rows would go on blocking
	FOR full_index IN
		SELECT i.indexrelid::regclass AS index, x.relname, c.conname, i.indisprimary, coalesce(c.condeferrable, false) AS as_constraint,
			   (SELECT string_agg(format('"%s" of table "%s"', f.conname, f.conrelid::regclass), ', ')
				  FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = i.indexrelid AND f.conparentid = 0) AS keys
		  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
		  LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
		 WHERE i.indrelid = target AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
		   AND wanted = (SELECT array_agg(k ORDER BY k) FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS u(k, n) WHERE n <= i.indnkeyatts)
		 ORDER BY as_constraint, x.relname
	LOOP
		IF full_index.indisprimary THEN
			RAISE EXCEPTION '(%) is the primary key of table "%"', list, target
				USING ERRCODE = 'feature_not_supported',
					  DETAIL = 'Restore and purge find rows by it, so it has to be unique among all rows.',
					  HINT = 'Make another column the primary key first.';
		ELSIF full_index.keys IS NOT NULL THEN
			RAISE EXCEPTION 'foreign keys refer to (%) of table "%"', list, target
				USING ERRCODE = 'dependent_objects_still_exist',
					  DETAIL = format('Foreign key %s needs the full unique constraint.', full_index.keys),
					  HINT = 'Let those keys refer to the primary key instead.';
		END IF;
		twin := softdelete.live_twin(full_index.index, CASE WHEN full_index.as_constraint THEN full_index.conname ELSE index END, false);
		IF twin.obstacle IS NOT NULL THEN
			RAISE EXCEPTION '"%" of table "%" cannot be made unique among live rows only', full_index.relname, target
				USING ERRCODE = 'feature_not_supported',
					  DETAIL = upper(left(twin.obstacle, 1)) || substr(twin.obstacle, 2) || '.';
		ELSIF full_index.as_constraint THEN
			-- under its name, by which SET CONSTRAINTS knows it
			EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, %s', target, full_index.conname, twin.clause);
			result := coalesce(result, format('%I.%I', schema, full_index.conname)::regclass);
			CONTINUE;
		ELSIF twin.index_ddl <> ALL (made) THEN
			made := made || twin.index_ddl;
			EXECUTE twin.index_ddl;
			twin_index := format('%I.%I', schema, index)::regclass;
		ELSE
			twin_index := NULL;
		END IF;
		IF full_index.conname IS NOT NULL THEN
			EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', target, full_index.conname);
		ELSE
			EXECUTE format('DROP INDEX %s', full_index.index);
		END IF;
		IF twin_index IS NOT NULL THEN
			-- upserts, migrations and monitoring know it by its name
			EXECUTE format('ALTER INDEX %s RENAME TO %I', twin_index, full_index.relname);
			result := coalesce(result, twin_index);
			IF full_index.conname IS NOT NULL THEN
				RAISE NOTICE 'constraint "%" of table "%" is an index from now on', full_index.conname, target
					USING HINT = format('Where a statement says ON CONFLICT ON CONSTRAINT %I, write ON CONFLICT (%s).', full_index.conname, list);
			END IF;
		END IF;
	END LOOP;
	IF result IS NULL THEN
		-- enable() has made it so as a rule
		SELECT i.indexrelid INTO result FROM pg_index i
		 WHERE i.indrelid = target AND i.indexprs IS NULL AND i.indisvalid
		   AND wanted = (SELECT array_agg(k ORDER BY k) FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS u(k, n) WHERE n <= i.indnkeyatts)
		   AND obj_description(i.indexrelid, 'pg_class') ~ '^softdelete: unique among live rows; was (UNIQUE|INDEX($|\n\n))'
		 ORDER BY i.indexrelid LIMIT 1;
	END IF;
	IF result IS NULL THEN
		EXECUTE format('CREATE UNIQUE INDEX %I ON %s (%s) WHERE %s', index, target, list, softdelete.live_predicate(target));
		result := format('%I.%I', schema, index)::regclass;
	END IF;
	RETURN result;
END $$;
COMMENT ON FUNCTION create_live_unique(regclass, name[]) IS 'make columns unique among live rows, in place of the full constraint and under its name';
