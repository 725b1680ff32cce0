------------------------------------------------------------------------------
-- What became of a row, and what would become of it
------------------------------------------------------------------------------

CREATE FUNCTION history(target regclass, VARIADIC key "any")
	RETURNS TABLE (at timestamptz, what text, deletion_id bigint, role name, actor text, reason text)
	AS 'MODULE_PATHNAME', 'softdelete_history' LANGUAGE C STABLE;
COMMENT ON FUNCTION history(regclass, "any") IS 'who deleted, held, restored and purged the row with this primary key, when and why, as far as the log knows';
