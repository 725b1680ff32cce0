------------------------------------------------------------------------------
-- Policies: rows that expire though nobody deletes them
------------------------------------------------------------------------------

-- Whoever owns a table writes its policies, and sees no others': row security says
-- so.  A policy is run as the table's owner, whoever runs it, so that it can do
-- nothing that the one who wrote it could not.
CREATE TABLE policy (
	name		text PRIMARY KEY CHECK (name <> ''),
	target		regclass NOT NULL,
	condition	text,
	keep		integer CHECK (keep >= 0),
	per			name[] NOT NULL DEFAULT '{}',
	order_by	text,
	action		text NOT NULL CHECK (action IN ('delete', 'erase')),
	path		text NOT NULL,
	running		boolean NOT NULL DEFAULT false,
	last_run	timestamptz,
	last_rows	bigint,
	last_error	text,
	CHECK (condition IS NOT NULL OR keep IS NOT NULL),
	CHECK ((keep IS NULL) = (order_by IS NULL))
);
COMMENT ON TABLE policy IS 'which rows of which table are to go by themselves; path: the search_path under which condition and order_by are read';
ALTER TABLE policy ENABLE ROW LEVEL SECURITY;
CREATE POLICY owners ON policy
	USING (pg_catalog.pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid = target), 'USAGE'));
COMMENT ON POLICY owners ON policy IS 'those of one''s own tables';
REVOKE ALL ON policy FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON policy TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('policy', 'WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = target AND relpersistence <> ''t'') ORDER BY name');

CREATE VIEW policies WITH (security_invoker) AS
	SELECT p.name, p.target, p.condition, p.keep, p.per, p.order_by, p.action, p.last_run, p.last_rows, p.last_error
	  FROM softdelete.policy p;
COMMENT ON VIEW policies IS 'the policies of the tables that you own: what they take, and how their last run went';
GRANT SELECT ON policies TO PUBLIC;

CREATE FUNCTION run_as_owner(target regclass, path text, reason text, command text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_run_as_owner' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION run_as_owner(regclass, text, text, text) IS 'run a policy''s statement as the owner of its table; returns the rows processed (internal)';

-- The rows that a policy takes, as (tableoid, ctid).  Under its own name, the
-- table's columns can be named like tables' in the condition.
CREATE FUNCTION policy_rows(p policy) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	alias	name := (SELECT c.relname FROM pg_class c WHERE c.oid = p.target);
	wanted	text := coalesce(E'\n\t WHERE (' || p.condition || E'\n)', '');
BEGIN
	IF p.keep IS NULL THEN
		RETURN format('SELECT %1$I.tableoid, %1$I.ctid FROM %2$s AS %1$I%3$s', alias, p.target, wanted);
	END IF;
	RETURN format('SELECT x.o, x.c FROM (SELECT %1$I.tableoid AS o, %1$I.ctid AS c, pg_catalog.row_number() OVER (%4$sORDER BY %5$s' || E'\n' ||
				  ') AS n FROM %2$s AS %1$I%3$s) x WHERE x.n OPERATOR(pg_catalog.>) %6$s',
				  alias, p.target, wanted,
				  (SELECT 'PARTITION BY ' || string_agg(format('%I.%I', alias, c), ', ' ORDER BY n) || ' '
					 FROM unnest(p.per) WITH ORDINALITY AS u(c, n)),
				  p.order_by, p.keep);
END $$;
COMMENT ON FUNCTION policy_rows(policy) IS 'a query for the rows that a policy takes (internal)';

CREATE FUNCTION policy_delete(p policy, batch_size integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p.keep IS NULL AND batch_size IS NULL THEN
		-- the statement that one would write by hand
		RETURN format(E'DELETE FROM %s AS %I WHERE (%s\n)', p.target, (SELECT c.relname FROM pg_class c WHERE c.oid = p.target), p.condition);
	END IF;
	RETURN format('DELETE FROM %s AS t USING (%s%s) AS x(o, c) WHERE t.ctid OPERATOR(pg_catalog.=) x.c AND t.tableoid OPERATOR(pg_catalog.=) x.o',
				  p.target, softdelete.policy_rows(p), ' LIMIT ' || batch_size);
END $$;
COMMENT ON FUNCTION policy_delete(policy, integer) IS 'the statement that carries a policy out; batch_size NULL: all at once (internal)';

CREATE FUNCTION check_policy(p policy) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	class	pg_class := (SELECT c FROM pg_class c WHERE c.oid = p.target);
	missing	name;
	message	text;
	hint	text;
BEGIN
	IF coalesce(p.name, '') = '' THEN
		RAISE EXCEPTION 'a policy needs a name' USING ERRCODE = 'invalid_parameter_value';
	ELSIF class IS NULL THEN
		RAISE EXCEPTION 'no such table' USING ERRCODE = 'undefined_table';
	ELSIF class.relkind NOT IN ('r', 'p') THEN
		RAISE EXCEPTION '"%" is not a table', p.target USING ERRCODE = 'feature_not_supported';
	ELSIF NOT pg_has_role(class.relowner, 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of table %', p.target USING ERRCODE = 'insufficient_privilege';
	ELSIF class.relispartition THEN
		RAISE EXCEPTION '"%" is a partition', p.target USING ERRCODE = 'feature_not_supported',
			HINT = format('Give the policy to its table: %s.', pg_partition_root(p.target));
	ELSIF softdelete.is_distributed(p.target) THEN
		RAISE EXCEPTION 'table "%" is distributed', p.target USING ERRCODE = 'feature_not_supported',
			DETAIL = 'A policy takes rows in batches, by places that shards do not have.',
			HINT = format('Schedule the statement itself: DELETE FROM %s with the policy''s condition.', p.target);
	ELSIF p.action IS NULL OR p.action NOT IN ('delete', 'erase') THEN
		RAISE EXCEPTION 'unknown action "%"', p.action USING ERRCODE = 'invalid_parameter_value',
			HINT = 'It is "delete", for rows that can be restored, or "erase".';
	ELSIF p.action = 'delete' AND (softdelete.describe(p.target)).marker IS NULL THEN
		RAISE EXCEPTION 'table "%" is not managed by softdelete', p.target USING ERRCODE = 'object_not_in_prerequisite_state',
			DETAIL = 'Its rows cannot be deleted so that they could be restored.',
			HINT = format('SELECT softdelete.enable(%L) first, or give action => ''erase''.', p.target::text);
	ELSIF p.condition IS NULL AND p.keep IS NULL THEN
		RAISE EXCEPTION 'policy "%" says neither which rows are to go nor how many are to stay', p.name
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Give condition, or keep with order_by.';
	ELSIF p.keep < 0 THEN
		RAISE EXCEPTION 'keep must not be negative' USING ERRCODE = 'invalid_parameter_value';
	ELSIF p.keep IS NOT NULL AND p.order_by IS NULL THEN
		RAISE EXCEPTION 'policy "%" does not say which rows come first', p.name USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Give order_by, for example order_by => ''created_at DESC''.';
	ELSIF p.keep IS NULL AND (p.order_by IS NOT NULL OR p.per <> '{}') THEN
		RAISE EXCEPTION 'per and order_by go with keep' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT c INTO missing FROM unnest(p.per) AS c
	 WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = p.target AND a.attname = c AND a.attnum > 0 AND NOT a.attisdropped) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'column "%" of table "%" does not exist', missing, p.target USING ERRCODE = 'undefined_column';
	END IF;
	BEGIN
		-- each by itself, so that the one with the mistake can be named
		IF p.condition IS NOT NULL THEN
			message := 'condition';
			PERFORM softdelete.run_as_owner(p.target, p.path, p.name, 'EXPLAIN ' || softdelete.policy_rows(
				ROW(p.name, p.target, p.condition, NULL, '{}', NULL, p.action, p.path, false, NULL, NULL, NULL)::softdelete.policy));
		END IF;
		message := CASE WHEN p.keep IS NULL THEN 'statement' ELSE 'order_by' END;
		PERFORM softdelete.run_as_owner(p.target, p.path, p.name, 'EXPLAIN ' || softdelete.policy_delete(p, 1));
	EXCEPTION WHEN others THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
		RAISE EXCEPTION '% of policy "%" is not valid', message, p.name
			USING ERRCODE = CASE WHEN SQLSTATE = '42501' THEN SQLSTATE ELSE '22023' END,
				  DETAIL = format('%s: %s.', CASE message WHEN 'order_by' THEN p.order_by ELSE p.condition END, SQLERRM),
				  HINT = coalesce(nullif(hint, ''), format('It is read under search_path %s, and names the columns of "%s" as they are.', p.path, class.relname));
	END;
END $$;
COMMENT ON FUNCTION check_policy(policy) IS 'raise unless the policy can be carried out (internal)';

CREATE FUNCTION make_policy(p policy) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM softdelete.check_policy(p);
	INSERT INTO softdelete.policy SELECT p.*;
EXCEPTION WHEN unique_violation THEN
	RAISE EXCEPTION 'there is a policy "%" already', p.name USING ERRCODE = 'duplicate_object',
		HINT = format('SELECT softdelete.drop_policy(%L) first.', p.name);
END $$;
COMMENT ON FUNCTION make_policy(policy) IS 'add_policy() under a search_path of its own (internal)';

-- Without a search_path of its own: the caller's is what condition and order_by are
-- to be read under, every time.
CREATE FUNCTION add_policy(name text, target regclass, condition text DEFAULT NULL, keep integer DEFAULT NULL,
	per name[] DEFAULT '{}', order_by text DEFAULT NULL, action text DEFAULT 'delete') RETURNS void
LANGUAGE sql VOLATILE AS $$
	SELECT softdelete.make_policy(ROW($1, $2, $3, $4, coalesce($5, '{}'), $6, $7, pg_catalog.current_setting('search_path'),
									  false, NULL, NULL, NULL)::softdelete.policy)
$$;
COMMENT ON FUNCTION add_policy(text, regclass, text, integer, name[], text, text) IS 'let rows of a table that meet a condition, or all but the newest so many, go by themselves';

CREATE FUNCTION find_policy(name text) RETURNS policy
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p	softdelete.policy;
BEGIN
	SELECT * INTO p FROM softdelete.policy s WHERE s.name = find_policy.name;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no policy "%"', name USING ERRCODE = 'undefined_object',
			DETAIL = 'Policies of other owners'' tables are not shown.',
			HINT = 'SELECT name, target FROM softdelete.policies lists them.';
	END IF;
	RETURN p;
END $$;
COMMENT ON FUNCTION find_policy(text) IS 'the policy; raises undefined_object without one (internal)';

CREATE FUNCTION drop_policy(name text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM softdelete.find_policy(name);
	DELETE FROM softdelete.policy s WHERE s.name = drop_policy.name;
END $$;
COMMENT ON FUNCTION drop_policy(text) IS 'end a policy; rows that it has taken stay as they are';

-- Carry out a policy, up to batch_size rows of it.
CREATE FUNCTION policy_apply(p policy, batch_size integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p.action = 'delete' AND (softdelete.describe(p.target)).marker IS NULL THEN
		-- a DELETE would erase them
		RAISE EXCEPTION 'table "%" is not managed by softdelete any more', p.target USING ERRCODE = 'object_not_in_prerequisite_state',
			HINT = format('SELECT softdelete.enable(%L), or SELECT softdelete.drop_policy(%L).', p.target::text, p.name);
	ELSIF p.action = 'erase' AND (softdelete.describe(p.target)).marker IS NOT NULL THEN
		RETURN softdelete.erase_rows(p.target, p.path, p.name, softdelete.policy_rows(p) || coalesce(' LIMIT ' || batch_size, ''));
	END IF;
	RETURN softdelete.run_as_owner(p.target, p.path, p.name, softdelete.policy_delete(p, batch_size));
END $$;
COMMENT ON FUNCTION policy_apply(policy, integer) IS 'let the rows of a policy go, at most so many; returns their number (internal)';

CREATE FUNCTION run_policy(name text, dry_run boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p	softdelete.policy := softdelete.find_policy(name);
	n	bigint;
BEGIN
	IF dry_run THEN
		RETURN softdelete.run_as_owner(p.target, p.path, p.name, softdelete.policy_rows(p));
	END IF;
	n := softdelete.policy_apply(p, NULL);
	UPDATE softdelete.policy s SET running = false, last_run = now(), last_rows = n, last_error = NULL WHERE s.name = p.name;
	RETURN n;
END $$;
COMMENT ON FUNCTION run_policy(text, boolean) IS 'let the rows of a policy go now; returns their number, cascaded ones not counted';

-- One batch.  What fails is written down and stops no other policy.
CREATE FUNCTION policy_step(name text, batch_size integer, OUT rows bigint, OUT more boolean)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p		softdelete.policy := softdelete.find_policy(name);
	failed	text;
BEGIN
	rows := 0;
	BEGIN
		rows := softdelete.policy_apply(p, batch_size);
	EXCEPTION WHEN query_canceled OR admin_shutdown THEN
		RAISE;
	WHEN others OR assert_failure THEN
		failed := SQLERRM;
		RAISE WARNING 'policy "%" failed: %', p.name, failed USING ERRCODE = SQLSTATE;
	END;
	more := failed IS NULL AND rows >= batch_size;
	UPDATE softdelete.policy s
	   SET running = more, last_error = failed, last_run = CASE WHEN s.running THEN s.last_run ELSE now() END,
		   last_rows = rows + CASE WHEN s.running THEN s.last_rows ELSE 0 END
	 WHERE s.name = p.name;
END $$;
COMMENT ON FUNCTION policy_step(text, integer) IS 'one batch of a policy, for run_maintenance() (internal)';
