------------------------------------------------------------------------------
-- The columns beside the mark, which enable() adds
------------------------------------------------------------------------------

CREATE FUNCTION check_companion(target regclass, att pg_attribute) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	obstacle	text := CASE
		WHEN att.attidentity <> '' THEN 'an identity column'
		WHEN att.attgenerated <> '' THEN 'generated'
		WHEN att.attnotnull THEN 'NOT NULL'
		WHEN EXISTS (WITH RECURSIVE domains AS (
						SELECT att.atttypid AS oid
						UNION ALL
						SELECT t.typbasetype FROM domains d JOIN pg_type t ON t.oid = d.oid WHERE t.typtype = 'd')
					 SELECT FROM domains d JOIN pg_type t ON t.oid = d.oid WHERE t.typtype = 'd' AND t.typnotnull)
			THEN format('of a domain that is NOT NULL (%s)', att.atttypid::regtype) END;
BEGIN
	IF obstacle IS NOT NULL THEN
		RAISE EXCEPTION 'column "%" of table "%" cannot be cleared', att.attname, target
			USING ERRCODE = 'invalid_parameter_value',
				  DETAIL = format('It is %s, and a restore sets it to NULL.', obstacle),
				  HINT = CASE WHEN obstacle = 'NOT NULL' THEN format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL, or rename the column first: softdelete keeps a value of its own under this name.', target, att.attname)
							  ELSE 'Rename that column first: softdelete keeps a value of its own under this name.' END;
	END IF;
END $$;
COMMENT ON FUNCTION check_companion(regclass, pg_attribute) IS 'raise on a column that a restore could not clear (internal)';

CREATE FUNCTION column_type(target regclass, name name) RETURNS text
	AS 'MODULE_PATHNAME', 'softdelete_column_type' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION column_type(regclass, name) IS 'type of a column as format_type() says it; NULL: there is no such column (internal)';

CREATE FUNCTION check_not_typed(target regclass, name name, wanted text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	type	regtype;
BEGIN
	IF softdelete.is_plain_table(target) THEN
		RETURN;
	END IF;
	SELECT c.reloftype INTO type FROM pg_class c WHERE c.oid = target;
	IF type <> 0 THEN
		RAISE EXCEPTION 'typed table "%" has no column "%"', target, name
			USING ERRCODE = 'feature_not_supported',
				  DETAIL = 'Its columns are those of its type.',
				  HINT = format('ALTER TYPE %s ADD ATTRIBUTE %I %s CASCADE first.', type, name, wanted);
	END IF;
END $$;
COMMENT ON FUNCTION check_not_typed(regclass, name, text) IS 'raise on a table that cannot be given a column (internal)';

CREATE FUNCTION add_companion(target regclass, name name, wanted text, accepted text[], what text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	att		pg_attribute;
	found	text;
BEGIN
	found := softdelete.column_type(target, name);
	IF found IS NULL THEN
		PERFORM softdelete.check_not_typed(target, name, wanted);
		-- unqualified, text could be another type of the caller's
		PERFORM softdelete.run_ddl(format('ALTER TABLE %s ADD COLUMN %I %s', target, name,
										  CASE wanted WHEN 'text' THEN 'pg_catalog.text' ELSE wanted END));
		PERFORM softdelete.run_ddl(format('COMMENT ON COLUMN %s.%I IS %L', target, name, 'softdelete: ' || what));
		RETURN true;
	END IF;
	SELECT a.* INTO att FROM pg_attribute a
	 WHERE a.attrelid = target AND a.attname = name AND a.attnum > 0 AND NOT a.attisdropped;
	IF found <> ALL (accepted) THEN
		IF col_description(target, att.attnum) = 'softdelete: ' || what THEN
			-- its own, from before the marker got another type
			PERFORM softdelete.retype_companion(target, name, wanted);
			RETURN false;
		END IF;
		RAISE EXCEPTION 'column "%" of table "%" has type %, not %', name, target, found, wanted
			USING ERRCODE = 'invalid_parameter_value',
				  HINT = 'Rename that column first: softdelete keeps a value of its own under this name.';
	END IF;
	PERFORM softdelete.check_companion(target, att);
	RETURN false;
END $$;
COMMENT ON FUNCTION add_companion(regclass, name, text, text[], text) IS 'add a companion column unless it is there; true: it is new (internal)';

CREATE FUNCTION retype_companion(target regclass, name name, wanted text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM softdelete.run_ddl(format('ALTER TABLE %s ALTER COLUMN %2$I TYPE %3$s USING %2$I::pg_catalog.text::%3$s', target, name,
									  CASE wanted WHEN 'text' THEN 'pg_catalog.text' ELSE wanted END));
END $$;
COMMENT ON FUNCTION retype_companion(regclass, name, text) IS 'give a companion column the type that its marker has by now (internal)';
