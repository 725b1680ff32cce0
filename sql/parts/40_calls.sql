------------------------------------------------------------------------------
-- The calls that users make
------------------------------------------------------------------------------

CREATE FUNCTION live_predicate(target regclass) RETURNS text
	AS 'MODULE_PATHNAME', 'softdelete_live_predicate' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION live_predicate(regclass) IS 'the condition under which a row is live, for partial indexes';

CREATE FUNCTION set_retention(target regclass, retention interval, "cascade" boolean DEFAULT false) RETURNS void
	AS 'MODULE_PATHNAME', 'softdelete_set_retention' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION set_retention(regclass, interval, boolean) IS 'keep deleted rows of a table so long before a purge; NULL: for ever';

CREATE FUNCTION default_retention(target regclass, retention interval) RETURNS void
	AS 'MODULE_PATHNAME', 'softdelete_default_retention' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION default_retention(regclass, interval) IS 'set the retention of a table that has none (internal; enable calls it)';

CREATE FUNCTION delete(target regclass, VARIADIC key "any") RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_delete' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION delete(regclass, "any") IS 'delete the row with this primary key; returns the deletion id';

CREATE FUNCTION restore(target regclass, VARIADIC key "any") RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_restore' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION restore(regclass, "any") IS 'restore the row with this primary key and all that went with it; returns the number of rows';

CREATE FUNCTION undo(deletion_id bigint, on_conflict text DEFAULT 'error') RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_undo' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION undo(bigint, text) IS 'restore all rows that one deletion took; returns their number. skip passes over conflicts';

CREATE FUNCTION undo(deletion_ids bigint[], on_conflict text DEFAULT 'error') RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_undo_many' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION undo(bigint[], text) IS 'restore all rows that these deletions took, or none; returns their number. skip passes over conflicts';

CREATE FUNCTION purge(target regclass, VARIADIC key "any") RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_purge' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION purge(regclass, "any") IS 'erase the deleted row with this primary key for good, with its cascade; returns the number of rows';

CREATE FUNCTION hold(deletion_id bigint, why text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'softdelete_hold' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION hold(bigint, text) IS 'keep the rows of a deletion from being purged';

CREATE FUNCTION release(deletion_id bigint) RETURNS void
	AS 'MODULE_PATHNAME', 'softdelete_release' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION release(bigint) IS 'end the hold of a deletion';
