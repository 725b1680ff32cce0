------------------------------------------------------------------------------
-- Keys as drivers send them: parameters without a type
------------------------------------------------------------------------------
-- Most drivers leave the type of a parameter to the server (type 0), which cannot
-- tell it for VARIADIC "any": 42P18.  The same functions with text keys take such
-- parameters, and literals, too; a number, a date or a uuid cannot be taken for text
-- and goes to the one with "any" as ever.

CREATE FUNCTION delete(target regclass, VARIADIC key text[]) RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_delete' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION delete(regclass, text[]) IS 'delete the row with this primary key; returns the deletion id';

CREATE FUNCTION restore(target regclass, VARIADIC key text[]) RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_restore' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION restore(regclass, text[]) IS 'restore the row with this primary key and all that went with it; returns the number of rows';

CREATE FUNCTION purge(target regclass, VARIADIC key text[]) RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_purge' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION purge(regclass, text[]) IS 'erase the deleted row with this primary key for good, with its cascade; returns the number of rows';

CREATE FUNCTION erase(target regclass, VARIADIC key text[]) RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_erase' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION erase(regclass, text[]) IS 'erase the row with this primary key, live or deleted, with its cascade, at once and for good; returns the number of rows';

CREATE FUNCTION state(target regclass, VARIADIC key text[]) RETURNS text
	AS 'MODULE_PATHNAME', 'softdelete_state' LANGUAGE C STABLE;
COMMENT ON FUNCTION state(regclass, text[]) IS 'is the row with this primary key live or deleted? NULL where there is none';

CREATE FUNCTION history(target regclass, VARIADIC key text[])
	RETURNS TABLE (at timestamptz, what text, deletion_id bigint, role name, actor text, reason text)
	AS 'MODULE_PATHNAME', 'softdelete_history' LANGUAGE C STABLE;
COMMENT ON FUNCTION history(regclass, text[]) IS 'who deleted, held, restored and purged the row with this primary key, when and why, as far as the log knows';

CREATE FUNCTION preview(target regclass, VARIADIC key text[])
	RETURNS TABLE (target regclass, rows bigint, on_delete text, outcome text)
	AS 'MODULE_PATHNAME', 'softdelete_preview' LANGUAGE C STABLE;
COMMENT ON FUNCTION preview(regclass, text[]) IS 'what a delete of the row with this primary key would take, by table, and what would refuse it; nothing is changed';

CREATE FUNCTION hold_row(target regclass, why text, VARIADIC key text[]) RETURNS void
	AS 'MODULE_PATHNAME', 'softdelete_hold_row' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION hold_row(regclass, text, text[]) IS 'keep the row with this primary key, live or deleted, from being erased';

CREATE FUNCTION release_row(target regclass, VARIADIC key text[]) RETURNS void
	AS 'MODULE_PATHNAME', 'softdelete_release_row' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION release_row(regclass, text[]) IS 'end the hold of a row';

-- Nor can it tell whether an undo is of one deletion or of several.  Parsed here and
-- now, so that no search_path has to be pinned for it: the triggers of the rows that
-- come back run with the caller's.
CREATE FUNCTION undo(deletion text, on_conflict text DEFAULT 'error') RETURNS bigint
	LANGUAGE sql VOLATILE STRICT
	RETURN CASE WHEN starts_with(deletion, '{') THEN softdelete.undo(deletion::bigint[], on_conflict)
				ELSE softdelete.undo(deletion::bigint, on_conflict) END;
COMMENT ON FUNCTION undo(text, text) IS 'the same for a parameter without a type: one id, or an array of them as text';
