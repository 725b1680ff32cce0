------------------------------------------------------------------------------
-- What a table has to be like
------------------------------------------------------------------------------

-- Under the caller's search_path and not the pinned one of the function that asks,
-- since event triggers run then; so the command has to be qualified throughout.
CREATE FUNCTION run_ddl(command text) RETURNS void
	AS 'MODULE_PATHNAME', 'softdelete_run_ddl' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION run_ddl(text) IS 'run a command under the search_path of the caller of enable() and its like (internal)';

CREATE FUNCTION base_type(type oid) RETURNS oid
	AS 'MODULE_PATHNAME', 'softdelete_base_type' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION base_type(oid) IS 'the type below a domain, or the type itself (internal)';

CREATE FUNCTION flag_value(marker name) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN lower(marker) ~ '^(is_?|was_?)?(soft_?)?(deleted|removed|archived|trashed|hidden|disabled|inactive)$' THEN 'true'
				WHEN lower(marker) ~ '^(is_?)?(active|enabled|live|alive|visible|available|valid)$' THEN 'false' END
$$;
COMMENT ON FUNCTION flag_value(name) IS 'which value of a flag means deleted, by its name; NULL: it does not tell (internal)';

CREATE FUNCTION marker_kind(target regclass, marker name, INOUT deleted_value text, OUT kind text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	att			record;
	base		oid;
	has_default	boolean;
	echo		text;
BEGIN
	SELECT a.attnum, a.atttypid, a.atttypmod, a.attnotnull, a.atthasdef, a.attgenerated INTO att FROM pg_attribute a
	 WHERE a.attrelid = target AND a.attname = marker AND a.attnum > 0 AND NOT a.attisdropped;
	base := softdelete.base_type(att.atttypid);
	IF att.attgenerated <> '' THEN
		RAISE EXCEPTION 'column "%" of table "%" is generated and cannot be a marker', marker, target
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF base IN ('timestamptz'::regtype, 'timestamp'::regtype) THEN
		kind := 'timestamp';
		has_default := att.atthasdef;
		IF has_default THEN
			SELECT EXISTS (SELECT FROM pg_attrdef d WHERE d.adrelid = target AND d.adnum = att.attnum
						   AND pg_get_expr(d.adbin, d.adrelid) !~* '^null')
				INTO has_default;
		END IF;
		IF base <> att.atttypid THEN
			SELECT has_default OR EXISTS (WITH RECURSIVE domains AS (
						SELECT att.atttypid AS type
						UNION ALL
						SELECT t.typbasetype FROM domains JOIN pg_type t ON t.oid = type WHERE t.typtype = 'd')
					   SELECT FROM domains d JOIN pg_type t ON t.oid = d.type
						WHERE t.typtype = 'd' AND (t.typnotnull OR t.typdefault IS NOT NULL)) INTO has_default;
		END IF;
		IF deleted_value IS NOT NULL THEN
			RAISE EXCEPTION 'a timestamp marker has no deleted value'
				USING ERRCODE = 'invalid_parameter_value',
					  DETAIL = format('Column "%s" of table "%s" marks a row as deleted when it is not null.', marker, target);
		ELSIF att.attnotnull OR has_default THEN
			RAISE EXCEPTION 'column "%" of table "%" cannot be null for live rows', marker, target
				USING ERRCODE = 'invalid_parameter_value',
					  DETAIL = 'It is NOT NULL or has a default, so every row would count as deleted.',
					  HINT = format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL, ALTER COLUMN %I DROP DEFAULT.', target, marker, marker);
		END IF;
		deleted_value := '';
	ELSIF base = 'boolean'::regtype THEN
		kind := 'boolean';
		IF deleted_value IS NULL THEN
			deleted_value := softdelete.flag_value(marker);
			IF deleted_value IS NULL THEN
				RAISE EXCEPTION 'cannot tell which value of column "%" means deleted', marker
					USING ERRCODE = 'invalid_parameter_value',
						  HINT = format('Say it: SELECT softdelete.enable(%L, %L, deleted_value => ''true'').', target, marker);
			END IF;
		ELSE
			BEGIN
				deleted_value := (deleted_value::boolean)::text;
			EXCEPTION WHEN invalid_text_representation THEN
				RAISE EXCEPTION 'invalid deleted value "%" for boolean column "%"', deleted_value, marker
					USING ERRCODE = 'invalid_parameter_value', HINT = 'Give ''true'' or ''false''.';
			END;
		END IF;
	ELSIF base IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
		OR EXISTS (SELECT FROM pg_type t WHERE t.oid = base AND t.typtype = 'e') THEN
		kind := 'status';
		deleted_value := coalesce(deleted_value, 'deleted');
		BEGIN
			-- the value must come back as it is: a label of the enum, short enough
			echo := softdelete.as_owner(target, format('SELECT %L::%s::text', deleted_value, format_type(att.atttypid, att.atttypmod)));
		EXCEPTION WHEN insufficient_privilege THEN
			RAISE;
		WHEN others THEN
			RAISE EXCEPTION 'column "%" of table "%" cannot hold the deleted value "%"', marker, target, deleted_value
				USING ERRCODE = 'invalid_parameter_value', DETAIL = SQLERRM || '.',
					  HINT = coalesce((SELECT format('It can hold %s: SELECT softdelete.enable(%L, %L, deleted_value => %L).',
												 string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder), target, marker,
												 (array_agg(e.enumlabel ORDER BY e.enumlabel ~* 'del|remov|trash|archiv' DESC, e.enumsortorder DESC))[1])
									   FROM pg_enum e WHERE e.enumtypid = base HAVING count(*) > 0),
									  format('Give one that it can hold: SELECT softdelete.enable(%L, %L, deleted_value => %L).', target, marker, left(deleted_value, greatest(att.atttypmod - 4, 1))));
		END;
		IF echo IS DISTINCT FROM deleted_value THEN
			RAISE EXCEPTION 'column "%" of table "%" cannot hold the deleted value "%"', marker, target, deleted_value
				USING ERRCODE = 'invalid_parameter_value',
					  DETAIL = format('Its type %s would change it to "%s".', format_type(att.atttypid, att.atttypmod), echo);
		END IF;
	ELSE
		RAISE EXCEPTION 'column "%" of type % cannot be a marker', marker, format_type(att.atttypid, att.atttypmod)
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'A marker is a timestamp, a boolean, or a text or enum status.';
	END IF;
END $$;
COMMENT ON FUNCTION marker_kind(regclass, name, text) IS 'kind of marker that a column can be, and its deleted value (internal)';

CREATE FUNCTION is_enforced(key pg_catalog.pg_constraint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce((to_jsonb(key) ->> 'conenforced')::boolean, true)
$$;
COMMENT ON FUNCTION is_enforced(pg_catalog.pg_constraint) IS 'is the constraint checked? (PostgreSQL 18 has such as are not) (internal)';

CREATE FUNCTION is_distributed(target regclass) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result	boolean := false;
BEGIN
	IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
		EXECUTE 'SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = $1)' INTO result USING target;
	END IF;
	RETURN result;
END $$;
COMMENT ON FUNCTION is_distributed(regclass) IS 'is it a table of Citus? (internal)';

-- Most tables are like that, and to find it out by queries would take longer than
-- all the rest of enable() on a small table.
CREATE FUNCTION is_plain_table(target regclass) RETURNS boolean
	AS 'MODULE_PATHNAME', 'softdelete_is_plain_table' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION is_plain_table(regclass) IS 'surely a table that the caller may manage, no partitions, parents, children, shards or type of its own; false: look closer (internal)';

CREATE FUNCTION has_foreign_keys(target regclass) RETURNS boolean
	AS 'MODULE_PATHNAME', 'softdelete_has_foreign_keys' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION has_foreign_keys(regclass) IS 'false: neither the table''s own, nor any that refer to it (internal)';

CREATE FUNCTION check_table(target regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	class				pg_class;
	foreign_partition	regclass;
	above				regclass;
BEGIN
	IF softdelete.is_plain_table(target) THEN
		RETURN;
	END IF;
	SELECT c.* INTO class FROM pg_class c WHERE c.oid = target;
	IF target IS NULL OR class IS NULL THEN
		RAISE EXCEPTION 'no such table' USING ERRCODE = 'undefined_table';
	ELSIF class.relkind NOT IN ('r', 'p') THEN
		RAISE EXCEPTION '"%" is not a table', target
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'Views, foreign tables and other relations cannot be managed.';
	ELSIF class.relispartition THEN
		RAISE EXCEPTION '"%" is a partition', target
			USING ERRCODE = 'feature_not_supported',
				  HINT = format('Partitions follow their table: SELECT softdelete.enable(%L).', pg_partition_root(target));
	ELSIF class.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE target IN (i.inhparent, i.inhrelid)) THEN
		RAISE EXCEPTION '"%" is part of an inheritance tree', target
			USING ERRCODE = 'feature_not_supported',
				  HINT = 'Use declarative partitioning.';
	ELSIF class.relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace,
								 'softdelete'::regnamespace, 'pg_toast'::regnamespace) THEN
		RAISE EXCEPTION '"%" is a system table', target USING ERRCODE = 'feature_not_supported';
	ELSIF NOT pg_has_role(class.relowner, 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of table %', target USING ERRCODE = 'insufficient_privilege';
	END IF;
	IF class.relkind = 'p' THEN
		SELECT p.relid, p.parentrelid INTO foreign_partition, above FROM pg_partition_tree(target) p JOIN pg_class c ON c.oid = p.relid WHERE c.relkind = 'f' LIMIT 1;
	END IF;
	IF foreign_partition IS NOT NULL THEN
		RAISE EXCEPTION 'partition "%" of table "%" is a foreign table', foreign_partition, target
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'A DELETE cannot mark rows on another server.',
				  HINT = format('ALTER TABLE %s DETACH PARTITION %s first.', above, foreign_partition);
	ELSIF softdelete.is_distributed(target) THEN
		PERFORM softdelete.check_cluster(target);
	END IF;
END $$;
COMMENT ON FUNCTION check_table(regclass) IS 'raise unless the caller may manage this relation (internal)';

-- Shards are managed by triggers of their own, on nodes that have to know each other.
CREATE FUNCTION check_cluster(target regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	node	record;
BEGIN
	IF (SELECT a.amname FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE c.oid = target) = 'columnar' THEN
		RAISE EXCEPTION 'table "%" is columnar', target
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'Its rows cannot be changed, and so not be marked.';
	ELSIF NOT coalesce(current_setting('citus.enable_unsafe_triggers', true)::boolean, false) THEN
		RAISE EXCEPTION 'triggers on distributed table "%" are not allowed', target
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'Its shards are managed by triggers, which Citus calls unsafe since it does not know what they do.',
				  HINT = 'SET citus.enable_unsafe_triggers = on first; tools of Citus need it, too, so set it in postgresql.conf of every node.';
	ELSIF softdelete.key_digest() IS NULL THEN
		RAISE EXCEPTION 'softdelete.cluster_key is not set'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'Without it the shards of a managed table could not tell who sends them a delete.',
				  HINT = 'Set softdelete.cluster_key in postgresql.conf to one secret on every node, then SELECT pg_reload_conf().';
	END IF;
	FOR node IN EXECUTE 'SELECT nodeid, success, result FROM run_command_on_all_nodes($1)'
		USING format('SELECT CASE WHEN NOT softdelete.preloaded() THEN %L WHEN softdelete.key_digest() = %L THEN %L ELSE %L END',
					 'the library is not preloaded', softdelete.key_digest(), 'ready', 'softdelete.cluster_key is another one') LOOP
		IF NOT node.success OR node.result <> 'ready' THEN
			RAISE EXCEPTION 'node % of the cluster is not ready for managed tables', node.nodeid
				USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = upper(left(node.result, 1)) || substr(node.result, 2) || '.',
					  HINT = 'Every node needs shared_preload_libraries = ''citus, softdelete'' and the same softdelete.cluster_key.';
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION check_cluster(regclass) IS 'raise unless the nodes of a Citus cluster are ready for this table (internal)';

CREATE FUNCTION one_connection_each(targets regclass[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF to_regclass('pg_catalog.pg_dist_partition') IS NULL THEN
		RETURN;
	END IF;
	IF (SELECT bool_or(softdelete.is_distributed(t)) FROM unnest(targets) t) THEN
		PERFORM set_config('citus.multi_shard_modify_mode', 'sequential', true);
	END IF;
END $$;
COMMENT ON FUNCTION one_connection_each(regclass[]) IS 'let Citus use one connection to a node, where several could not see each other''s changes (internal)';

CREATE FUNCTION check_modes(marker name, triggers text, "unique" text, hide boolean) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	missing	text := CASE WHEN marker IS NULL THEN 'marker' WHEN triggers IS NULL THEN 'triggers' WHEN "unique" IS NULL THEN 'unique' WHEN hide IS NULL THEN 'hide' END;
BEGIN
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION '% must not be null', missing USING ERRCODE = 'invalid_parameter_value';
	ELSIF triggers NOT IN ('delete', 'update', 'both') THEN
		RAISE EXCEPTION 'invalid value for triggers: "%"', triggers
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'It is ''delete'', ''update'' or ''both'': whose triggers a DELETE of a managed table fires.';
	ELSIF "unique" NOT IN ('live', 'keep') THEN
		RAISE EXCEPTION 'invalid value for unique: "%"', "unique"
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'It is ''live'' or ''keep'': whether a live row can have a key that a deleted one has.';
	END IF;
END $$;
COMMENT ON FUNCTION check_modes(name, text, text, boolean) IS 'raise on a bad argument of enable() (internal)';

CREATE FUNCTION check_retention(retention interval, name text DEFAULT 'retention') RETURNS void
	AS 'MODULE_PATHNAME', 'softdelete_check_retention' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION check_retention(interval, text) IS 'raise on a bad retention, or older_than (internal)';

CREATE FUNCTION with_partitions(targets regclass[]) RETURNS regclass[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT array_agg(DISTINCT coalesce(p.relid, t)::oid)::regclass[]
		  FROM unnest(targets) AS t LEFT JOIN LATERAL pg_partition_tree(t) p ON true);
END $$;
COMMENT ON FUNCTION with_partitions(regclass[]) IS 'the tables and all partitions of them, which may have foreign keys of their own (internal)';

-- By pg_depend, which has an index: pg_constraint has none over what a key refers to,
-- and to read all of it for each table costs much where there are many.  So does the
-- other index of pg_depend, which a plain comparison of classid may use as well.
CREATE FUNCTION keys_to(targets regclass[]) RETURNS SETOF oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
		SELECT c.oid FROM pg_constraint c
		 WHERE c.oid IN (SELECT d.objid FROM pg_depend d
						  WHERE d.classid::bigint = 'pg_constraint'::regclass::oid::bigint AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY (targets::oid[]))
		   AND c.contype = 'f' AND c.confrelid = ANY (targets);
END $$;
COMMENT ON FUNCTION keys_to(regclass[]) IS 'the foreign keys that refer to these tables (internal)';

CREATE FUNCTION is_key_referred(key regclass) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT EXISTS (SELECT FROM pg_depend d JOIN pg_constraint c ON c.oid = d.objid AND c.contype = 'f'
						WHERE d.classid::bigint = 'pg_constraint'::regclass::oid::bigint AND d.refclassid = 'pg_class'::regclass
						  AND d.refobjid = ANY (ARRAY(SELECT t.relid::oid FROM pg_partition_tree(key) t) || key::oid)));
END $$;
COMMENT ON FUNCTION is_key_referred(regclass) IS 'do foreign keys refer to the unique key, or to one of its partitions? (internal)';

CREATE FUNCTION warn_of_orphans(targets regclass[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET softdelete.visibility = 'all' AS $$
DECLARE
	k		record;
	p		record;
	c		record;
	n		bigint;
BEGIN
	targets := softdelete.with_partitions(targets);
	IF NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND (f.conrelid = ANY (targets) OR f.confrelid = ANY (targets))) THEN
		RETURN;
	END IF;
	FOR k IN
		SELECT f.conname, f.confrelid::regclass AS parent, f.conrelid::regclass AS child,
			   string_agg(format('p.%I OPERATOR(%I.%s) c.%I', pa.attname, s.nspname, o.oprname, ca.attname), ' AND ' ORDER BY i) AS joined,
			   string_agg(format('p.%I = c.%I', pa.attname, ca.attname), ' AND ' ORDER BY i) AS joined_briefly,
			   string_agg(format('c.%I', ca.attname), ', ' ORDER BY i) AS columns
		  FROM pg_constraint f
		 CROSS JOIN LATERAL unnest(f.conkey, f.confkey, f.conpfeqop) WITH ORDINALITY AS u(child, parent, op, i)
		  JOIN pg_attribute ca ON ca.attrelid = f.conrelid AND ca.attnum = u.child
		  JOIN pg_attribute pa ON pa.attrelid = f.confrelid AND pa.attnum = u.parent
		  JOIN pg_operator o ON o.oid = u.op
		  JOIN pg_namespace s ON s.oid = o.oprnamespace
		 WHERE f.contype = 'f' AND f.conparentid = 0 AND f.confdeltype IN ('a', 'r', 'c')
		   AND (f.conrelid = ANY (targets) OR f.confrelid = ANY (targets))
		   AND (SELECT pg_has_role(r.relowner, 'USAGE') AND r.relowner = e.relowner
				  FROM pg_class r, pg_class e WHERE r.oid = f.conrelid AND e.oid = f.confrelid)
		 GROUP BY f.oid, f.conname, f.confrelid, f.conrelid
		 ORDER BY f.conname, f.conrelid
	LOOP
		p := softdelete.describe(k.parent);
		CONTINUE WHEN p.marker IS NULL;
		c := softdelete.describe(k.child);
		n := softdelete.as_owner(k.child, format('SELECT count(*) FROM %s p JOIN %s c ON %s WHERE %s AND %s', k.parent, k.child, k.joined,
					   softdelete.predicate(k.parent, p.marker, p.kind, p.deleted_value, false, 'p'),
					   CASE WHEN c.marker IS NULL THEN 'true'
							ELSE softdelete.predicate(k.child, c.marker, c.kind, c.deleted_value, true, 'c') END));
		IF n > 0 THEN
			RAISE WARNING 'live rows of table "%" refer to deleted rows of "%"', k.child, k.parent
				USING DETAIL = format('%s of them, by foreign key "%s". What they refer to cannot be purged.', n, k.conname),
					  HINT = format('Restore the rows that they refer to, or %s: DELETE FROM %s c WHERE (%s) IS NOT NULL AND NOT EXISTS (SELECT FROM %s p WHERE %s);',
									CASE WHEN c.marker IS NULL THEN 'erase them, as their table is not managed' ELSE 'delete them, too' END,
									k.child, k.columns, k.parent, k.joined_briefly);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION warn_of_orphans(regclass[]) IS 'warn where live rows of these tables refer to deleted ones, or others to theirs (internal)';
