------------------------------------------------------------------------------
-- Calls for services: the state of a row, many keys at once
------------------------------------------------------------------------------

CREATE FUNCTION state(target regclass, VARIADIC key "any") RETURNS text
	AS 'MODULE_PATHNAME', 'softdelete_state' LANGUAGE C STABLE;
COMMENT ON FUNCTION state(regclass, "any") IS 'is the row with this primary key live or deleted? NULL where there is none';

CREATE FUNCTION delete_many(target regclass, keys anyarray)
	RETURNS TABLE (key anyelement, outcome text, deletion_id bigint)
	AS 'MODULE_PATHNAME', 'softdelete_delete_many' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION delete_many(regclass, anyarray) IS 'delete the rows with these primary keys: deleted, already deleted or not found, for each';

CREATE FUNCTION restore_many(target regclass, keys anyarray)
	RETURNS TABLE (key anyelement, outcome text, rows bigint)
	AS 'MODULE_PATHNAME', 'softdelete_restore_many' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION restore_many(regclass, anyarray) IS 'restore the rows with these primary keys: restored, not deleted, not found, parent deleted or conflict, for each';
