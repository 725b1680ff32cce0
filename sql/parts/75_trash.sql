------------------------------------------------------------------------------
-- The trash
------------------------------------------------------------------------------

CREATE FUNCTION is_plain_type(type oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH RECURSIVE part AS (
		SELECT t.oid, t.typtype, t.typbasetype, t.typelem, t.typowner, t.typsubscript FROM pg_type t WHERE t.oid = type
		 UNION
		SELECT t.oid, t.typtype, t.typbasetype, t.typelem, t.typowner, t.typsubscript
		  FROM part p JOIN pg_type t ON t.oid = CASE WHEN p.typtype = 'd' THEN p.typbasetype
													WHEN p.typsubscript = 'array_subscript_handler'::regproc THEN p.typelem END
	)
	SELECT bool_and(p.typtype <> 'c' AND (p.typtype = 'd' OR r.rolsuper)) FROM part p JOIN pg_roles r ON r.oid = p.typowner
$$;
COMMENT ON FUNCTION is_plain_type(oid) IS 'can values of the type be made JSON by no cast but those of superusers? (internal)';

CREATE FUNCTION trash_of(asked regclass)
	RETURNS TABLE (target regclass, key jsonb, deleted_at timestamptz, deleted_by name, actor text, reason text,
				   deletion_id bigint, expires_at timestamptz, days_left integer, row_data jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET softdelete.visibility = 'deleted' AS $$
#variable_conflict use_column
DECLARE
	t		record;
	pk		text;
	columns	text;
BEGIN
	IF asked IS NOT NULL THEN
		PERFORM softdelete.live_predicate(asked);
	END IF;
	-- unasked, other people's policies are not evaluated
	FOR t IN SELECT m.* FROM softdelete.tables m JOIN pg_class c ON c.oid = m.target
			  WHERE m.target = asked
				 OR asked IS NULL AND has_table_privilege(m.target, 'SELECT')
					AND (NOT row_security_active(m.target) OR pg_has_role(c.relowner, 'USAGE'))
			  ORDER BY m.target::text LOOP
		-- nor are casts to json that they have made for types of theirs
		SELECT string_agg(CASE WHEN softdelete.is_plain_type(a.atttypid) THEN format('t.%I', a.attname)
							   ELSE format('CASE WHEN num_nulls(t.%1$I) = 0 THEN format(''%%s'', t.%1$I) END AS %1$I', a.attname) END,
						  ', ' ORDER BY a.attnum) INTO columns
		  FROM pg_attribute a WHERE a.attrelid = t.target AND a.attnum > 0 AND NOT a.attisdropped;
		SELECT CASE WHEN count(*) > 0 THEN format('jsonb_build_object(%s)', string_agg(format('%L, j.%I', a.attname, a.attname), ', ' ORDER BY u.n)) END INTO pk
		  FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS u(k, n)
		  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.k
		 WHERE i.indrelid = t.target AND i.indisprimary AND u.n <= i.indnkeyatts;
		RETURN QUERY EXECUTE format($q$
			SELECT $1, %s, x.at, d.deleted_by, d.actor, d.reason, x.id, x.expires,
				   CASE WHEN x.expires > now() THEN ceil(extract(epoch FROM x.expires - now()) / 86400)::integer
						WHEN x.expires IS NOT NULL THEN 0 END, to_jsonb(j.*)
			  FROM %s t
			  CROSS JOIN LATERAL (SELECT t.%I::timestamptz AS at, t.%I AS id) a
			  CROSS JOIN LATERAL (SELECT a.at, a.id, CASE WHEN a.at < '9999-12-31' THEN a.at + $2 END AS expires) x
			  CROSS JOIN LATERAL (SELECT %s) j
			  LEFT JOIN softdelete.deletions d ON d.id = x.id AND d.rows ? $1::text
			 WHERE %s$q$,
			coalesce(pk, 'NULL::jsonb'), t.target, t.time_column, t.id_column, columns,
			softdelete.predicate(t.target, t.marker, t.kind, t.deleted_value, false, 't'))
			USING t.target, t.retention;
	END LOOP;
END $$;
COMMENT ON FUNCTION trash_of(regclass) IS 'trash() under names that plpgsql can tell apart (internal)';

CREATE FUNCTION trash(target regclass DEFAULT NULL)
	RETURNS TABLE (target regclass, key jsonb, deleted_at timestamptz, deleted_by name, actor text, reason text,
				   deletion_id bigint, expires_at timestamptz, days_left integer, row_data jsonb)
LANGUAGE sql STABLE AS 'SELECT * FROM softdelete.trash_of($1)';
COMMENT ON FUNCTION trash(regclass) IS 'the deleted rows: who deleted them, why, and how long they will be kept';
