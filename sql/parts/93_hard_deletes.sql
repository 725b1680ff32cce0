------------------------------------------------------------------------------
-- What can still be erased: the inventory of hard deletes
------------------------------------------------------------------------------

-- Functions and rules are read by their text: what they delete from is the name
-- that follows, looked up as it stands and in the schema of the function.
CREATE FUNCTION deletes_in(source text, schema name) RETURNS TABLE (target regclass, name text, verb text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT DISTINCT (SELECT c.oid::regclass FROM parse_ident(m.name) AS i(parts) JOIN pg_class c ON c.relname = i.parts[cardinality(i.parts)]
					   JOIN pg_namespace n ON n.oid = c.relnamespace
					  WHERE CASE cardinality(i.parts) WHEN 1 THEN n.nspname IN (schema, 'public') ELSE n.nspname = i.parts[1] END
					  ORDER BY n.nspname <> schema LIMIT 1), m.name, m.verb
	  FROM (SELECT r.words[3] AS name, CASE WHEN r.words[1] ~* '^d' THEN 'DELETE' ELSE 'TRUNCATE' END AS verb
			  FROM regexp_matches(regexp_replace(source, '--[^\n]*|/\*.*?\*/', ' ', 'g'),
								  '\m(delete\s+from|truncate(?:\s+table)?)\s+(only\s+)?((?:"[^"]+"|[a-z_][\w$]*)(?:\.(?:"[^"]+"|[a-z_][\w$]*))?)', 'gi') AS r(words)) m
	 WHERE m.name !~* '^(only|table|where|using)$'
$$;
COMMENT ON FUNCTION deletes_in(text, name) IS 'what the text of a function or rule deletes from or truncates (internal)';

CREATE VIEW hard_deletes AS
	WITH tables AS (
		SELECT c.oid::regclass AS target, c.relname, (softdelete.describe(c.oid)).marker IS NOT NULL AS managed
		  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('information_schema', 'softdelete') AND n.nspname !~ '^pg_'
		   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
	), code AS (
		SELECT p.oid::regprocedure::text AS object, 'function' AS path, d.*
		  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		 CROSS JOIN LATERAL softdelete.deletes_in(coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc), n.nspname) d
		 WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'softdelete') AND p.prokind IN ('f', 'p')
		   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
		   AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgfoid = p.oid)
		UNION ALL
		SELECT pg_catalog.format('%I ON %s', g.tgname, g.tgrelid::regclass), 'trigger', d.*
		  FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
		 CROSS JOIN LATERAL softdelete.deletes_in(p.prosrc, n.nspname) d
		 WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND n.nspname NOT IN ('pg_catalog', 'softdelete')
		UNION ALL
		SELECT pg_catalog.format('%I ON %s', r.rulename, r.ev_class::regclass), 'rule', d.*
		  FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		 CROSS JOIN LATERAL softdelete.deletes_in(pg_catalog.regexp_replace(pg_catalog.pg_get_ruledef(r.oid), '^.*?\mDO\M', ''), n.nspname) d
		 WHERE r.ev_type <> '1' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'softdelete')
	)
	-- tables whose DELETE erases
	SELECT t.target, false AS managed,
		   CASE WHEN softdelete.is_utility_table(t.relname) THEN 'utility table' ELSE 'table' END AS path, t.target::text AS object,
		   CASE WHEN softdelete.is_utility_table(t.relname) THEN 'kept by a framework for itself; DELETE and TRUNCATE erase its rows'
				ELSE 'not managed: DELETE and TRUNCATE erase its rows' END AS problem
	  FROM tables t WHERE NOT t.managed
	UNION ALL
	-- cascades of PostgreSQL's own
	SELECT k.child, (softdelete.describe(k.child)).marker IS NOT NULL, 'foreign key', pg_catalog.format('%I ON %s', k."constraint", k.child),
		   pg_catalog.format(CASE WHEN (softdelete.describe(k.child)).marker IS NULL THEN 'rows go with those of "%s" that are erased'
								  ELSE 'deleted rows go with those of "%s" that are erased; live ones stand in the way' END, k.parent)
	  FROM (SELECT c.conrelid::regclass AS child, c.confrelid::regclass AS parent, c.conname AS "constraint" FROM pg_catalog.pg_constraint c
			 WHERE c.contype = 'f' AND c.conparentid = 0 AND c.confdeltype = 'c') k
	 WHERE (softdelete.describe(k.parent)).marker IS NULL
	UNION ALL
	-- a DELETE of a managed table is recoverable wherever it stands, and TRUNCATE is refused
	SELECT c.target, CASE WHEN c.target IS NOT NULL THEN false END, c.path, c.object,
		   CASE WHEN c.target IS NULL THEN pg_catalog.format('%s of "%s", which is not known here', c.verb, c.name) ELSE pg_catalog.format('%s of a table that is not managed', c.verb) END
	  FROM code c WHERE c.target IS NULL OR (softdelete.describe(c.target)).marker IS NULL
	UNION ALL
	SELECT g.tgrelid::regclass, true, 'disabled trigger', pg_catalog.format('%I ON %s', g.tgname, g.tgrelid::regclass),
		   'sessions that have not loaded the library erase rows'
	  FROM pg_catalog.pg_trigger g WHERE g.tgfoid = 'softdelete.guard()'::regprocedure AND g.tgenabled = 'D'
	UNION ALL
	-- who may say that a DELETE is meant
	SELECT NULL, NULL, 'privilege', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee) END,
		   'may SET softdelete.hard_delete, which makes DELETE and TRUNCATE erase'
	  FROM pg_catalog.pg_parameter_acl p CROSS JOIN LATERAL pg_catalog.aclexplode(p.paracl) a
	 WHERE p.parname = 'softdelete.hard_delete' AND a.privilege_type = 'SET'
	   AND NOT coalesce((SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.oid = a.grantee), false)
	UNION ALL
	SELECT NULL, NULL, 'setting',
		   pg_catalog.concat_ws(' ', CASE WHEN s.setrole <> 0 THEN 'role ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(s.setrole)) END,
								CASE WHEN s.setdatabase <> 0 THEN 'database ' || pg_catalog.quote_ident(d.datname) END),
		   pg_catalog.format('%s: sessions erase from the start', c.item)
	  FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
	 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) c(item)
	 WHERE s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
	   AND c.item ~* '^(softdelete\.hard_delete=(on|true|yes|1)|session_replication_role=replica)'
	UNION ALL
	-- of these everybody sees his own
	SELECT p.target, (softdelete.describe(p.target)).marker IS NOT NULL, 'policy', p.name::text, 'erases rows when it is run'
	  FROM softdelete.policies p WHERE p.action = 'erase';
COMMENT ON VIEW hard_deletes IS 'tables that are not managed, and every way in which rows of any table can still be erased';
GRANT SELECT ON hard_deletes TO PUBLIC;
