-- enable()'s modes: stored on the table, shown by softdelete.tables, changed by the next call
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA enable_modes;
SET search_path = enable_modes;
CREATE VIEW modes AS
	SELECT target, triggers, hide, retention FROM softdelete.tables
	 WHERE target::oid IN (SELECT oid FROM pg_class WHERE relnamespace = 'enable_modes'::regnamespace)
	 ORDER BY target::text;

CREATE TABLE "Order" (id int PRIMARY KEY);
CREATE TABLE line (id int PRIMARY KEY, o int REFERENCES "Order" ON DELETE CASCADE);
CREATE TABLE part (id int PRIMARY KEY, l int REFERENCES line ON DELETE CASCADE) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);

-- the defaults; children that cascade => true takes along get the same
SELECT softdelete.enable('"Order"', cascade => true, triggers => 'both', hide => false);
SELECT * FROM modes;
-- again, with other modes: that table's change, nothing else does
SELECT softdelete.enable('"Order"', triggers => 'update');
SELECT * FROM modes;
SELECT softdelete.enable('"Order"');
SELECT * FROM modes;
-- partitions carry the modes along
SELECT softdelete.enable('part', hide => false);
SELECT DISTINCT pg_get_triggerdef(oid) LIKE '%mark(''timestamp'', '''', ''delete'', ''show'')' AS showing FROM pg_trigger
 WHERE tgname = '~softdelete_mark' AND tgrelid IN ('part'::regclass, 'part_1'::regclass);

-- nonsense is refused, and changes nothing
\set VERBOSITY sqlstate
SELECT softdelete.enable('"Order"', triggers => 'DELETE');
SELECT softdelete.enable('"Order"', triggers => '');
SELECT softdelete.enable('"Order"', triggers => NULL);
SELECT softdelete.enable('"Order"', "unique" => 'dead');
SELECT softdelete.enable('"Order"', "unique" => NULL);
SELECT softdelete.enable('"Order"', hide => NULL);
\set VERBOSITY default
SELECT softdelete.enable('"Order"', triggers => 'insert');
SELECT softdelete.enable('"Order"', "unique" => 'both');
SELECT * FROM modes;

-- a trigger that an older version made has two arguments: rows hidden, UPDATE's triggers
CREATE TABLE old (id int PRIMARY KEY, deleted_at timestamptz, deletion_id bigint);
CREATE TRIGGER "~softdelete_mark" AFTER UPDATE OF deleted_at, deletion_id ON old FOR EACH ROW
	WHEN ((old.deleted_at IS NOT NULL) IS DISTINCT FROM (new.deleted_at IS NOT NULL))
	EXECUTE FUNCTION softdelete.mark('timestamp', '');
SELECT target, triggers, hide FROM modes WHERE target = 'old'::regclass;
-- one that is there is not to be replaced
CREATE OR REPLACE TRIGGER "~softdelete_mark" AFTER UPDATE OF deleted_at, deletion_id ON old FOR EACH ROW
	EXECUTE FUNCTION softdelete.mark('timestamp', '', 'both');
SELECT softdelete.enable('old', triggers => 'both');
SELECT target, triggers, hide FROM modes WHERE target = 'old'::regclass;

-- retention: NULL keeps what is set, 30 days where nothing is
SELECT softdelete.set_retention('old', '1 year');
SELECT softdelete.enable('old');
SELECT retention FROM modes WHERE target = 'old'::regclass;
SELECT softdelete.set_retention('old', NULL);
SELECT softdelete.enable('old', retention => NULL);
SELECT retention IS NULL AS for_ever FROM modes WHERE target = 'old'::regclass;
SELECT softdelete.enable('old', retention => '7 days');
SELECT retention FROM modes WHERE target = 'old'::regclass;
SELECT softdelete.disable('old');
SELECT softdelete.enable('old');
SELECT retention FROM modes WHERE target = 'old'::regclass;

-- one call for a table and all that a delete of its rows takes along
SELECT softdelete.set_retention('"Order"', '1 year');
SELECT target, retention FROM modes;
SELECT softdelete.set_retention('"Order"', '2 years', cascade => true);
SELECT target, retention FROM modes;
SELECT softdelete.set_retention('line', NULL, cascade => true);
SELECT target, retention FROM modes;
\set VERBOSITY sqlstate
SELECT softdelete.set_retention('"Order"', '-1 day', cascade => true);
SELECT softdelete.set_retention('"Order"', '1 day', cascade => NULL);
\set VERBOSITY default
-- all or nothing: what a child of somebody else keeps is not ours to decide
RESET SESSION AUTHORIZATION;
ALTER TABLE line OWNER TO sd_user;
SET SESSION AUTHORIZATION sd_owner;
SELECT softdelete.set_retention('"Order"', '5 days', cascade => true);
SELECT target, retention FROM modes;
RESET SESSION AUTHORIZATION;
ALTER TABLE line OWNER TO sd_owner;
