CREATE VIEW restores WITH (security_barrier) AS
	SELECT e.deletion_id, e.target, e.at AS restored_at, e.role::name AS restored_by, e.actor, e.reason, e.rows
	  FROM softdelete.event_log e
	 WHERE e.what = 'restored'
	   AND (has_table_privilege(e.target, 'SELECT')
			OR pg_has_role((SELECT relowner FROM pg_class WHERE oid = 'softdelete.deletion_log'::regclass), 'USAGE'));
COMMENT ON VIEW restores IS 'every restore: of what deletion, when, by whom and why; for tables that you may SELECT from';
GRANT SELECT ON restores TO PUBLIC;
