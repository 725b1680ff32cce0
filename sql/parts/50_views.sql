------------------------------------------------------------------------------
-- Views
------------------------------------------------------------------------------

CREATE VIEW tables AS
	SELECT t.tgrelid::regclass AS target, d.marker, d.kind, d.live_predicate,
		   r.retention, d.deleted_value, d.time_column, d.id_column, d.former_column,
		   d.triggers, softdelete.unique_mode(t.tgrelid) AS "unique", d.hide
	  FROM pg_catalog.pg_trigger t
	  CROSS JOIN LATERAL softdelete.describe(t.tgrelid) d
	  LEFT JOIN softdelete.retention r ON r.target = t.tgrelid
	 WHERE t.tgfoid = 'softdelete.mark()'::regprocedure
	   AND t.tgparentid = 0 AND d.marker IS NOT NULL
	   AND NOT pg_catalog.pg_is_other_temp_schema((SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid = t.tgrelid));
COMMENT ON VIEW tables IS 'the managed tables';

CREATE VIEW deletions WITH (security_barrier) AS
	SELECT l.id, l.target, l.deleted_at, l.deleted_by::name, l.session_role::name, l.actor, l.reason,
		   l.txid, l.application_name,
		   (SELECT jsonb_object_agg(u.t::text, u.n)
			  FROM ROWS FROM (unnest(l.tables), unnest(l.marked)) AS u(t, n)) AS rows,
		   (SELECT sum(n)::bigint FROM unnest(l.marked) AS n) AS total,
		   l.restored, l.restored_at, l.restored_by::name,
		   l.purged, l.purged_at, l.purged_by::name,
		   l.held_at IS NOT NULL AS held, l.held_at, l.held_by::name, l.held_why
	  FROM softdelete.deletion_log l
	 WHERE has_table_privilege(l.target, 'SELECT')
		OR pg_has_role((SELECT relowner FROM pg_class
						 WHERE oid = 'softdelete.deletion_log'::regclass), 'USAGE');
COMMENT ON VIEW deletions IS 'who deleted what, when and why, and what became of it; for tables that you may SELECT from';

CREATE VIEW foreign_keys AS
	SELECT c.conrelid::regclass AS child, c.confrelid::regclass AS parent, c.conname AS "constraint",
		   CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION'
							  WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END AS on_delete,
		   CASE WHEN p.marker IS NULL THEN
					CASE WHEN c.confdeltype <> 'c' THEN 'native: the parent is not managed'
						 ELSE 'erasing the parent fails while a live child refers to it' END
				WHEN c.confdeltype IN ('n', 'd') THEN 'the reference stays until the purge'
				WHEN c.confdeltype = 'c' AND d.marker IS NOT NULL THEN 'children are deleted along'
				WHEN c.confdeltype = 'c' THEN 'fails while a child refers to it: the child is not managed'
				WHEN d.marker IS NULL THEN 'fails while a child refers to it'
				ELSE 'fails while a live child refers to it' END AS soft_delete
	  FROM pg_catalog.pg_constraint c
	  CROSS JOIN LATERAL softdelete.describe(c.conrelid) d
	  CROSS JOIN LATERAL softdelete.describe(c.confrelid) p
	 WHERE c.contype = 'f' AND c.conparentid = 0
	   AND (d.marker IS NOT NULL OR p.marker IS NOT NULL);
COMMENT ON VIEW foreign_keys IS 'what a delete does along the foreign keys of managed tables';

GRANT SELECT ON tables, deletions, foreign_keys TO PUBLIC;
