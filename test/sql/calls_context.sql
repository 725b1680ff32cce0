-- The CONTEXT of an error that the extension raises ends where the caller's own functions begin; exception handlers see all of it, and so do messages at debug1. HINTs are whole commands.
\set SHOW_CONTEXT errors
CREATE SCHEMA calls_context AUTHORIZATION sd_owner;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = calls_context;
CREATE TABLE post (id int PRIMARY KEY, status varchar(3));
CREATE TYPE state AS ENUM ('draft', 'live', 'removed');
CREATE TABLE page (id int PRIMARY KEY, state state NOT NULL);
-- by a function in PL/pgSQL, by one in C below it, by several levels of them
SELECT softdelete.enable('post', triggers => 'all');
SELECT softdelete.enable('post', retention => '-1 day');
SELECT * FROM softdelete.purge_expired(older_than => '-1 day');
SELECT * FROM softdelete.purge_expired(batch_size => 0);
SELECT softdelete.add_policy('old', 'post', 'nothing = 1');
-- the caller's own stay
CREATE FUNCTION keep(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM softdelete.enable(target, retention => '-1 day');
END $$;
CREATE FUNCTION keep_all() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	context	text;
BEGIN
	BEGIN
		PERFORM calls_context.keep('calls_context.post');
	EXCEPTION WHEN others THEN
		GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
		RAISE NOTICE 'a handler sees check_retention: %', context ~ 'softdelete.check_retention';
	END;
	PERFORM calls_context.keep('calls_context.post');
END $$;
SELECT keep_all();
-- all of it at debug1
RESET SESSION AUTHORIZATION;
SET log_min_messages = debug1;
SET SESSION AUTHORIZATION sd_owner;
SELECT softdelete.enable('post', triggers => 'all');
RESET SESSION AUTHORIZATION;
RESET log_min_messages;
SET SESSION AUTHORIZATION sd_owner;

-- the value to give, by the type of the column
SELECT softdelete.enable('post', 'status');
SELECT softdelete.enable('post', 'status', deleted_value => 'del');
SELECT softdelete.enable('page', 'state');
SELECT softdelete.enable('page', 'state', deleted_value => 'removed');
ALTER TYPE state RENAME VALUE 'removed' TO 'gone';
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP SCHEMA calls_context CASCADE;
