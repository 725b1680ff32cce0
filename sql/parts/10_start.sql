/* all objects of the extension, in schema softdelete; made from sql/parts */

-- complain if the script is sourced in psql rather than by CREATE EXTENSION
\echo Use "CREATE EXTENSION softdelete" to load this file. \quit

-- Whoever may create schemas could have this one, and functions in it that would
-- run with the rights of others.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace n
				WHERE n.nspname = 'softdelete'
				  AND n.nspowner <> (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
				  AND NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.oid = n.nspowner))
		OR EXISTS (SELECT FROM pg_catalog.pg_depend d
					WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
					  AND d.refobjid = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'softdelete')
					  AND d.classid <> 'pg_catalog.pg_extension'::pg_catalog.regclass)
	THEN
		RAISE EXCEPTION 'there is a schema "softdelete" that somebody else owns or that is not empty'
			USING ERRCODE = 'duplicate_schema', HINT = 'DROP SCHEMA softdelete or rename it first.';
	END IF;
END $$;

-- Compared by src/base/own_objects.c with what the library was built with.
CREATE FUNCTION interface() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$SELECT '@INTERFACE@'$$;
COMMENT ON FUNCTION interface() IS 'which library these objects belong to (internal)';

GRANT USAGE ON SCHEMA softdelete TO PUBLIC;
COMMENT ON SCHEMA softdelete IS 'recoverable DELETE: enable, restore, purge';
