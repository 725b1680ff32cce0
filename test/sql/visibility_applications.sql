-- Tools that copy whole tables are known by their application_name; nothing is
-- hidden from them, and plans follow the name as it changes.
SELECT current_user AS superuser \gset
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA visibility_applications;
SET search_path = visibility_applications;
CREATE TABLE doc (id int PRIMARY KEY, note text);
CREATE INDEX ON doc (note);
INSERT INTO doc SELECT n, 'n' || n FROM generate_series(1, 3) n;
SELECT softdelete.enable('doc');
DELETE FROM doc WHERE id = 2;
CREATE FUNCTION number() RETURNS bigint LANGUAGE plpgsql AS
$$ BEGIN RETURN (SELECT count(*) FROM doc); END $$;
PREPARE ids AS SELECT array_agg(id ORDER BY id) AS ids FROM doc;

SHOW softdelete.unfiltered_applications;
EXECUTE ids;
SELECT number();
SET application_name = 'pg_repack';
EXECUTE ids;
SELECT number();
SET application_name = 'pg_repack 1.4.8';
EXECUTE ids;
SET application_name = 'repack';
EXECUTE ids;
SET application_name = 'vacuumlo';
EXECUTE ids;
-- undone with the transaction, as any setting
BEGIN;
SET LOCAL application_name = 'psql';
EXECUTE ids;
ROLLBACK;
EXECUTE ids;
-- whatever the session asks for
SET softdelete.visibility = deleted;
EXECUTE ids;
RESET application_name;
EXECUTE ids;
RESET softdelete.visibility;

-- a DELETE there marks, and marks no row twice
SET application_name = 'pg_repack';
DELETE FROM doc WHERE id IN (1, 2) RETURNING id;
RESET application_name;
SELECT softdelete.restore('doc', 1);

-- the list is the superuser's
SET softdelete.unfiltered_applications = 'psql';
SET SESSION AUTHORIZATION :superuser;
SET softdelete.unfiltered_applications = '"Copy, that", mover';
SHOW softdelete.unfiltered_applications;
SET application_name = 'Copy, that tool';
EXECUTE ids;
SET application_name = 'copy';
EXECUTE ids;
SET application_name = 'mover';
EXECUTE ids;
SET application_name = 'pg_repack';
EXECUTE ids;
SET softdelete.unfiltered_applications = '"';
-- nobody
SET softdelete.unfiltered_applications = '';
EXECUTE ids;
SET softdelete.unfiltered_applications = '""';
EXECUTE ids;
SET application_name = '';
EXECUTE ids;
