------------------------------------------------------------------------------
-- The nightly job, through pg_cron
------------------------------------------------------------------------------

-- pg_cron lives in one database of a server (cron.database_name) and can run jobs
-- in any.  Where that is another database than this one, it is reached through
-- dblink if that is installed here; else the caller is told the command to run there.

CREATE FUNCTION job_name() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('softdelete maintenance of %s', current_database()) $$;
COMMENT ON FUNCTION job_name() IS 'the name of the job that schedule() makes (internal)';

CREATE FUNCTION cron_remotely(command text) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	home	text := (SELECT s.setting FROM pg_settings s WHERE s.name = 'cron.database_name');
	dblink	name := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'dblink');
	socket	text := (SELECT split_part(s.setting, ',', 1) FROM pg_settings s WHERE s.name = 'unix_socket_directories');
	by_hand	text := format('let cron call it: psql -d %L -c %L', current_database(), 'CALL softdelete.run_maintenance()');
	result	text;
BEGIN
	IF home IS NULL AND NOT pg_has_role('pg_read_all_settings', 'USAGE') THEN
		RAISE EXCEPTION 'extension pg_cron is not installed in this database'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'Whether it works in another one is to be seen by roles with the privileges of pg_read_all_settings only.',
				  HINT = format('Let a superuser call softdelete.schedule(), which says what is missing; or %s', by_hand);
	ELSIF home IS NULL THEN
		RAISE EXCEPTION 'pg_cron is not loaded on this server'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'shared_preload_libraries does not name it.',
				  HINT = format('Add pg_cron to shared_preload_libraries, restart, CREATE EXTENSION pg_cron; or %s', by_hand);
	ELSIF home = current_database() THEN
		RAISE EXCEPTION 'extension pg_cron is not installed in this database'
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  HINT = 'CREATE EXTENSION pg_cron;';
	ELSIF dblink IS NULL THEN
		RAISE EXCEPTION 'pg_cron works in database "%"', home
			USING ERRCODE = 'object_not_in_prerequisite_state',
				  DETAIL = 'Extension dblink, by which this database could reach it, is not installed here.',
				  HINT = format('In database %I: %s; or CREATE EXTENSION dblink here, and call this again.', home, command);
	END IF;
	EXECUTE format('SELECT r FROM %I.dblink(%L, %L) AS t(r text)', dblink,
				   format('dbname=%s port=%s user=%s%s', softdelete.conninfo_value(home), current_setting('port'),
						  softdelete.conninfo_value(current_user),
						  CASE WHEN socket <> '' THEN ' host=' || softdelete.conninfo_value(socket) END),
				   command) INTO result;
	RETURN result;
END $$;
COMMENT ON FUNCTION cron_remotely(text) IS 'run a command of pg_cron in the database where that is installed; raises with what is missing (internal)';

CREATE FUNCTION conninfo_value(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('''%s''', replace(replace(value, '\', '\\'), '''', '\''')) $$;
COMMENT ON FUNCTION conninfo_value(text) IS 'a value quoted for a connection string (internal)';

CREATE FUNCTION schedule(cron text DEFAULT '0 2 * * *') RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	job		constant text := 'CALL softdelete.run_maintenance()';
	id		bigint;
BEGIN
	IF cron IS NULL THEN
		RAISE EXCEPTION 'schedule must not be null' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'SELECT softdelete.unschedule() ends the job.';
	ELSIF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
		RETURN softdelete.cron_remotely(format('SELECT cron.schedule_in_database(%L, %L, %L, %L)',
											   softdelete.job_name(), cron, job, current_database()))::bigint;
	ELSIF NOT has_schema_privilege('cron', 'USAGE') THEN
		RAISE EXCEPTION 'permission denied for schema cron' USING ERRCODE = 'insufficient_privilege',
			HINT = format('GRANT USAGE ON SCHEMA cron TO %I;', current_user);
	END IF;
	-- the same name again replaces the job
	EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO id USING softdelete.job_name(), cron, job;
	RETURN id;
END $$;
COMMENT ON FUNCTION schedule(text) IS 'run maintenance at these times, through pg_cron; returns the id of the job';

CREATE FUNCTION unschedule() RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ended	constant text := 'SELECT count(cron.unschedule(j.jobid)) FROM cron.job j WHERE j.jobname = %L AND j.username = %L';
	command	text := format(ended, softdelete.job_name(), current_user);
	n		bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
		RETURN softdelete.cron_remotely(command)::bigint > 0;
	ELSIF NOT has_schema_privilege('cron', 'USAGE') THEN
		RETURN false;
	END IF;
	EXECUTE command INTO n;
	RETURN n > 0;
END $$;
COMMENT ON FUNCTION unschedule() IS 'end the job that schedule() made; false: there was none';
