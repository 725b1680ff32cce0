------------------------------------------------------------------------------
-- The trash
------------------------------------------------------------------------------

-- What trash() reads of the extension's tables, for whoever may see it.
CREATE VIEW trash_log WITH (security_barrier) AS
	SELECT l.id, l.tables, l.deleted_by::name, l.actor, l.reason
	  FROM softdelete.deletion_log l
	 WHERE has_table_privilege(l.target, 'SELECT')
		OR pg_has_role((SELECT relowner FROM pg_class
						 WHERE oid = 'softdelete.deletion_log'::regclass), 'USAGE');
COMMENT ON VIEW trash_log IS 'who deleted, and why, for tables that you may SELECT from (internal; use deletions)';

CREATE VIEW trash_retention AS
	SELECT r.target, r.retention FROM softdelete.retention r;
COMMENT ON VIEW trash_retention IS 'how long deleted rows are kept (internal; use tables)';
GRANT SELECT ON trash_log, trash_retention TO PUBLIC;

-- The planner puts the query in the place of a call where it can (src/plan/trash.c).
CREATE FUNCTION trash(target regclass DEFAULT NULL)
	RETURNS TABLE (target regclass, key jsonb, deleted_at timestamptz, deleted_by name, actor text, reason text,
				   deletion_id bigint, expires_at timestamptz, days_left integer, row_data jsonb)
	AS 'MODULE_PATHNAME', 'softdelete_trash' LANGUAGE C STABLE
	SET search_path = pg_catalog, pg_temp SET softdelete.visibility = 'deleted';
COMMENT ON FUNCTION trash(regclass) IS 'the deleted rows: who deleted them, why, and how long they will be kept';
