------------------------------------------------------------------------------
-- Erasure on request
------------------------------------------------------------------------------

CREATE FUNCTION erase(target regclass, VARIADIC key "any") RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_erase' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION erase(regclass, "any") IS 'erase the row with this primary key, live or deleted, with its cascade, at once and for good; returns the number of rows';

CREATE FUNCTION redact(deletion_id bigint) RETURNS void
	AS 'MODULE_PATHNAME', 'softdelete_redact' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION redact(bigint) IS 'take actor and reason of a deletion, its restores and purges out of the log';

-- The rows that a policy of a managed table erases: deleted under the policy's name,
-- as one deletion, then purged with what went along.
CREATE FUNCTION erase_rows(target regclass, path text, reason text, rows text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET softdelete.visibility = 'deleted' AS $$
DECLARE
	n	bigint;
	m	record;
	pk	text := (SELECT string_agg(format('t.%I', a.attname), ', ' ORDER BY u.n)
				   FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS u(k, n)
				   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.k
				  WHERE i.indrelid = target AND i.indisprimary AND u.n <= i.indnkeyatts);
BEGIN
	IF pk IS NULL THEN
		RAISE EXCEPTION 'table "%" has no primary key', target USING ERRCODE = 'object_not_in_prerequisite_state',
			DETAIL = 'Rows of a managed table are erased by their keys.';
	END IF;
	n := softdelete.run_as_owner(target, path, reason, format(
		'DELETE FROM %s AS t USING (%s) AS x(o, c) WHERE t.ctid OPERATOR(pg_catalog.=) x.c AND t.tableoid OPERATOR(pg_catalog.=) x.o', target, rows));
	SELECT t.*, (SELECT max(d.id) FROM softdelete.deletions d WHERE d.txid = txid_current() AND d.reason = erase_rows.reason) AS id
	  INTO m FROM softdelete.tables t WHERE t.target = erase_rows.target;
	IF n > 0 THEN
		EXECUTE format('SELECT count(softdelete.purge(%L, %s)) FROM %s t WHERE t.%I = $1', target, pk, target, m.id_column) USING m.id;
	END IF;
	RETURN n;
END $$;
COMMENT ON FUNCTION erase_rows(regclass, text, text, text) IS 'erase the rows of a managed table that a policy takes (internal)';
