------------------------------------------------------------------------------
-- Advice
------------------------------------------------------------------------------

CREATE FUNCTION advice_of(asked regclass)
	RETURNS TABLE (target regclass, kind text, problem text, ddl text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	t			record;
	i			record;
	f			record;
	online		text;
	share		float8;
	twin		record;
	tree		regclass[];
BEGIN
	IF asked IS NOT NULL THEN
		PERFORM softdelete.live_predicate(asked);
	END IF;
	FOR t IN
		SELECT m.*, c.relkind, c.reltuples, n.nspname, c.relname, d.deleted_predicate
		  FROM softdelete.tables m JOIN pg_class c ON c.oid = m.target JOIN pg_namespace n ON n.oid = c.relnamespace
		 CROSS JOIN LATERAL softdelete.describe(m.target) d
		 WHERE m.target = asked OR asked IS NULL AND pg_has_role(c.relowner, 'USAGE')
		 ORDER BY m.target::text
	LOOP
		-- an index of a partitioned table cannot be built concurrently
		online := CASE t.relkind WHEN 'p' THEN '' ELSE 'CONCURRENTLY ' END;
		target := t.target;
		tree := softdelete.with_partitions(ARRAY[t.target]);

		-- the index that purge_expired() needs, and what share of the rows it says is deleted
		SELECT c.reltuples / nullif(t.reltuples, 0) INTO share
		  FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
		 WHERE x.indrelid = t.target AND x.indkey[0] = (SELECT attnum FROM pg_attribute
				WHERE attrelid = t.target AND attname = t.time_column)
		   AND pg_get_expr(x.indpred, x.indrelid) IS NOT NULL AND x.indisvalid
		   AND obj_description(x.indexrelid, 'pg_class') = 'softdelete: finds deleted rows by age';
		IF NOT FOUND THEN
			kind := 'cleanup_index';
			problem := 'no index over deleted rows: every purge reads the whole table';
			ddl := format('SELECT softdelete.create_cleanup_index(%L)', t.target);
			RETURN NEXT;
		END IF;

		-- unique keys and exclusion constraints that deleted rows go on holding, but
		-- for conditions that speak of the marker
		FOR i IN
			SELECT x.indexrelid, x.indisprimary, x.indisunique, c.conname, ic.relname AS index_name,
				   x.indisexclusion OR coalesce(c.condeferrable, false) AS as_constraint,
				   (SELECT count(*) FROM pg_constraint k WHERE k.contype = 'f' AND (k.conindid = x.indexrelid OR k.conindid IN (SELECT relid FROM pg_partition_tree(x.indexrelid)))) AS referring,
				   (SELECT string_agg(pg_get_indexdef(x.indexrelid, k, true), ', ' ORDER BY k)
					  FROM generate_series(1, x.indnkeyatts) k) AS columns,
				   (SELECT bool_or(a.attidentity <> '' OR a.atthasdef) FROM pg_attribute a
					 WHERE a.attrelid = t.target AND a.attnum = ANY (x.indkey::smallint[])) AS generated
			  FROM pg_index x JOIN pg_class ic ON ic.oid = x.indexrelid
			  LEFT JOIN pg_constraint c ON c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x')
			 WHERE x.indrelid = t.target AND (x.indisunique OR x.indisexclusion)
			   AND (x.indpred IS NULL OR NOT EXISTS (SELECT FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
					WHERE d.classid = 'pg_class'::regclass AND d.objid = x.indexrelid AND d.refclassid = 'pg_class'::regclass
					  AND d.refobjid = t.target AND a.attname = t.marker))
			 ORDER BY ic.relname
		LOOP
			twin := softdelete.live_twin(i.indexrelid, CASE
				WHEN i.indisprimary THEN softdelete.index_name(t.target, 'live_key')
				WHEN i.as_constraint THEN i.conname
				ELSE softdelete.index_name(t.target, 'live_key', VARIADIC ARRAY[i.index_name]) END, online <> '');
			IF i.indisprimary THEN
				CONTINUE WHEN i.generated;
				kind := 'natural_key';
				problem := format('primary key (%s) is entered, not generated: a key that was deleted cannot be inserted again', i.columns);
				ddl := NULL;
				IF i.referring = 0 AND t.relkind = 'r' AND twin.obstacle IS NULL AND NOT EXISTS (SELECT FROM pg_attribute
						WHERE attrelid = t.target AND attname = 'row_id' AND NOT attisdropped) THEN
					ddl := format('ALTER TABLE %s DROP CONSTRAINT %I, ADD COLUMN row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY', t.target, i.conname)
						   || coalesce(', ' || twin.clause, '');
					IF twin.clause IS NULL THEN
						RETURN NEXT;
						ddl := twin.index_ddl;
					END IF;
				END IF;
				RETURN NEXT;
				CONTINUE;
			END IF;
			kind := CASE WHEN i.indisunique THEN 'blocking_unique' ELSE 'blocking_exclusion' END;
			problem := format('"%s" keeps (%s) of deleted rows taken', coalesce(i.conname, i.index_name), i.columns);
			ddl := NULL;
			IF i.referring > 0 THEN
				problem := problem || '; foreign keys refer to it, so it has to stay';
			ELSIF twin.obstacle IS NOT NULL THEN
				problem := problem || '; ' || twin.obstacle;
			ELSIF i.as_constraint THEN
				problem := problem || '; the command locks the table until it is done';
				ddl := format('ALTER TABLE %s DROP CONSTRAINT %I, %s', t.target, i.conname, twin.clause);
			ELSE
				ddl := twin.index_ddl;
				RETURN NEXT;
				ddl := CASE WHEN i.conname IS NOT NULL THEN format('ALTER TABLE %s DROP CONSTRAINT %I', t.target, i.conname)
							ELSE format('DROP INDEX %s%I.%I', online, t.nspname, i.index_name) END;
			END IF;
			RETURN NEXT;
		END LOOP;

		-- foreign keys without a full index: cascades and PostgreSQL's own checks scan the table
		FOR f IN
			SELECT c.conname, c.conkey, c.conrelid::regclass AS child, (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.n)
				FROM unnest(c.conkey) WITH ORDINALITY AS u(k, n)
				JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = u.k) AS columns
			  FROM pg_constraint c WHERE c.conrelid = ANY (tree) AND c.contype = 'f' AND c.conparentid = 0
			   AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.conrelid AND x.indpred IS NULL AND x.indisvalid
								 AND (SELECT array_agg(k ORDER BY k) FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS u(k, n)
									   WHERE n <= cardinality(c.conkey))
								   = (SELECT array_agg(k ORDER BY k) FROM unnest(c.conkey) AS k))
			 ORDER BY c.conname, c.conrelid::regclass::text
		LOOP
			kind := 'key_index';
			problem := format('no full index leads with (%s)%s: deletes and purges of the referred-to table scan this one', f.columns,
							  CASE WHEN f.child = t.target THEN '' ELSE format(' of partition "%s"', f.child) END);
			ddl := format('CREATE INDEX %s%I ON %s (%s)',
						  CASE WHEN (SELECT r.relkind = 'p' FROM pg_class r WHERE r.oid = f.child) THEN '' ELSE 'CONCURRENTLY ' END,
						  softdelete.index_name(f.child, 'idx', VARIADIC ARRAY[f.conname]), f.child, f.columns);
			RETURN NEXT;
		END LOOP;

		-- full indexes that carry many deleted rows, but for those that a foreign key needs
		IF share > 0.1 AND t.relkind = 'r' THEN
			FOR i IN
				SELECT x.indexrelid, c.relname, c.relpages FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
				 WHERE x.indrelid = t.target AND NOT x.indisunique AND NOT x.indisexclusion AND x.indpred IS NULL AND x.indisvalid
				   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.target AND k.contype = 'f'
									 AND (SELECT array_agg(a ORDER BY a) FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS u(a, n)
										   WHERE n <= cardinality(k.conkey))
									   = (SELECT array_agg(a ORDER BY a) FROM unnest(k.conkey) AS a))
				 ORDER BY c.relname
			LOOP
				kind := 'partial_index';
				problem := format('"%s" indexes deleted rows, too: a partial one would save about %s of %s', i.relname,
								  pg_size_pretty((pg_relation_size(i.indexrelid) * least(share, 1))::bigint),
								  pg_size_pretty(pg_relation_size(i.indexrelid)));
				twin := softdelete.live_twin(i.indexrelid, softdelete.index_name(t.target, 'live_idx', VARIADIC ARRAY[i.relname]), online <> '');
				CONTINUE WHEN twin.index_ddl IS NULL;
				ddl := twin.index_ddl;
				RETURN NEXT;
				ddl := format('DROP INDEX %s%I.%I', online, t.nspname, i.relname);
				RETURN NEXT;
			END LOOP;
		END IF;

		-- what deletes would run into
		FOR f IN SELECT k.* FROM softdelete.foreign_keys k
				  WHERE k.parent = ANY (tree) AND k.on_delete = 'CASCADE'
					AND (softdelete.describe(k.child)).marker IS NULL ORDER BY k.child::text LOOP
			kind := 'unmanaged_child';
			problem := format('"%s" refers to %s ON DELETE CASCADE and is not managed: deletes fail while it has rows', f.child,
							  CASE WHEN f.parent = t.target THEN 'it' ELSE format('its partition "%s"', f.parent) END);
			ddl := format('SELECT softdelete.enable(%L)', coalesce(pg_partition_root(f.child), f.child));
			RETURN NEXT;
		END LOOP;
		FOR f IN SELECT g.tgname FROM pg_trigger g
				  WHERE g.tgrelid = t.target AND NOT g.tgisinternal AND g.tgtype & 8 <> 0 AND g.tgfoid <> 'softdelete.guard()'::regprocedure ORDER BY 1 LOOP
			kind := 'delete_trigger';
			problem := format('trigger "%s" fires at the purge, not at the delete, which is an UPDATE', f.tgname);
			ddl := NULL;
			RETURN NEXT;
		END LOOP;
	END LOOP;
END $$;
COMMENT ON FUNCTION advice_of(regclass) IS 'advice() under names that plpgsql can tell apart (internal)';

CREATE FUNCTION advice(target regclass DEFAULT NULL) RETURNS TABLE (target regclass, kind text, problem text, ddl text)
LANGUAGE sql STABLE AS 'SELECT * FROM softdelete.advice_of($1)';
COMMENT ON FUNCTION advice(regclass) IS 'what could be better about managed tables, with the command that makes it so';
