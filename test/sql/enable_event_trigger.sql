-- Event triggers find their own tables while enable() and its like run DDL, as they do when the user runs it
\set SHOW_CONTEXT never
CREATE SCHEMA enable_event_trigger;
SET search_path = enable_event_trigger;
CREATE TABLE ddl_history (tag text, path text);
CREATE FUNCTION note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ddl_history VALUES (tg_tag, current_setting('search_path'));
END $$;
GRANT USAGE, CREATE ON SCHEMA enable_event_trigger TO sd_owner;
GRANT ALL ON ddl_history TO sd_owner;
CREATE EVENT TRIGGER enable_event_trigger ON ddl_command_end EXECUTE FUNCTION note_ddl();
CREATE EVENT TRIGGER enable_event_trigger_drop ON sql_drop EXECUTE FUNCTION note_ddl();
SET SESSION AUTHORIZATION sd_owner;
SET search_path = enable_event_trigger;
CREATE TABLE "Thing" (id int PRIMARY KEY, status text NOT NULL DEFAULT 'new', email text UNIQUE);
SELECT softdelete.enable('"Thing"', 'status');
SELECT softdelete.disable('"Thing"', drop_columns => true);
SELECT tag, path, count(*) > 0 AS happened FROM ddl_history GROUP BY 1, 2 ORDER BY 1, 2;
-- the path is what it was
SHOW search_path;
-- the caller may be a function with a path of its own
CREATE FUNCTION manage() RETURNS void LANGUAGE sql SET search_path = enable_event_trigger, public AS $$
	SELECT softdelete.enable('"Thing"') $$;
SET search_path = pg_catalog;
TRUNCATE enable_event_trigger.ddl_history;
SELECT enable_event_trigger.manage();
SELECT DISTINCT path FROM enable_event_trigger.ddl_history;
SHOW search_path;
RESET SESSION AUTHORIZATION;
DROP EVENT TRIGGER enable_event_trigger;
DROP EVENT TRIGGER enable_event_trigger_drop;
