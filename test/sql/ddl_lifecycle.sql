-- What keeps a managed table managed, and how it stops being one: its triggers
-- under other names, lost or about to be dropped; foreign keys over rows that
-- come in by ALTER TABLE; tables above it; what enable() finds there.
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA lifecycle;
SET search_path = lifecycle;
CREATE VIEW own_triggers AS
	SELECT tgrelid::regclass AS target, tgname AS name, tgfoid::regproc AS function FROM pg_trigger
	 WHERE tgfoid::regproc::text LIKE 'softdelete.%' ORDER BY tgrelid::regclass::text COLLATE "C", tgfoid::regproc::text COLLATE "C";

------------------------------------------------------------------------------
-- Triggers under other names
------------------------------------------------------------------------------
CREATE TABLE renamed (id int PRIMARY KEY);
SELECT softdelete.enable('renamed');
INSERT INTO renamed VALUES (1), (2);
DELETE FROM renamed WHERE id = 1;
ALTER TRIGGER "~softdelete_mark" ON renamed RENAME TO "My ""mark""";
ALTER TRIGGER "~softdelete_guard" ON renamed RENAME TO guard;
SELECT softdelete.enable('renamed');
SELECT name FROM own_triggers WHERE target = 'renamed'::regclass;
SELECT softdelete.disable('renamed');
SELECT name FROM own_triggers WHERE target = 'renamed'::regclass;
SELECT target FROM softdelete.tables WHERE target = 'renamed'::regclass;
SELECT id FROM renamed ORDER BY id;
SELECT softdelete.disable('renamed');

------------------------------------------------------------------------------
-- Triggers that are about to be dropped: not by name, nor by a CASCADE
------------------------------------------------------------------------------
CREATE TYPE status AS ENUM ('new', 'deleted');
CREATE TYPE shape AS (id int, deleted_at timestamptz, deletion_id bigint);
CREATE TABLE flagged (id int PRIMARY KEY, s status DEFAULT 'new');
CREATE TABLE typed OF shape (PRIMARY KEY (id));
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
SELECT softdelete.enable('flagged', 's'), softdelete.enable('typed'), softdelete.enable('parted');
INSERT INTO flagged VALUES (1), (2);
INSERT INTO typed VALUES (1), (2);
INSERT INTO parted VALUES (1), (2);
DELETE FROM flagged WHERE id = 1;
DELETE FROM typed WHERE id = 1;
DELETE FROM parted WHERE id = 1;
SET client_min_messages = warning;
DROP TRIGGER "~softdelete_mark" ON flagged;
\set VERBOSITY sqlstate
DROP TRIGGER "~softdelete_guard" ON flagged;
DROP TRIGGER "~softdelete_truncate" ON flagged;
DROP TRIGGER "~softdelete_stamp" ON parted;
DROP TRIGGER "~softdelete_mark" ON parted_1;
DROP TYPE status CASCADE;
ALTER TYPE shape DROP ATTRIBUTE deleted_at CASCADE;
ALTER TYPE shape DROP ATTRIBUTE deletion_id CASCADE;
ALTER TABLE flagged DROP COLUMN former_s CASCADE;
CREATE OR REPLACE TRIGGER "~softdelete_guard" BEFORE DELETE ON flagged FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
-- ... nor in a function that catches it
DO $$
BEGIN
	DROP TRIGGER "~softdelete_mark" ON lifecycle.flagged;
EXCEPTION WHEN dependent_objects_still_exist THEN
	RAISE WARNING 'refused';
END $$;
\set VERBOSITY default
SELECT count(*) FROM own_triggers WHERE target IN ('flagged'::regclass, 'typed', 'parted', 'parted_1');
SELECT (SELECT count(*) FROM flagged) AS flagged, (SELECT count(*) FROM typed) AS typed, (SELECT count(*) FROM parted) AS parted;
-- what has nothing to do with it goes, and what takes the table along
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER mine BEFORE UPDATE ON flagged FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE OR REPLACE TRIGGER mine BEFORE INSERT ON flagged FOR EACH ROW EXECUTE FUNCTION nothing();
DROP FUNCTION nothing() CASCADE;
ALTER TABLE parted DETACH PARTITION parted_1;
SELECT count(*) FROM own_triggers WHERE target = 'parted_1'::regclass;
ALTER TABLE parted ATTACH PARTITION parted_1 FOR VALUES FROM (0) TO (10);
SELECT id FROM parted;
DROP TABLE parted_1;
CREATE SCHEMA "lifecycle Too";
CREATE TABLE "lifecycle Too".t (id int PRIMARY KEY);
SELECT softdelete.enable('"lifecycle Too".t');
DROP SCHEMA "lifecycle Too" CASCADE;
CREATE TEMP TABLE temporary (id int PRIMARY KEY);
SELECT softdelete.enable('temporary');
DISCARD TEMP;
-- a dump that is restored over what is there drops triggers first
BEGIN;
SET LOCAL row_security = off;
DROP TRIGGER "~softdelete_mark" ON flagged;
DROP TABLE flagged;
ROLLBACK;
-- not for others than the owner
SET SESSION AUTHORIZATION sd_user;
\set VERBOSITY sqlstate
SELECT softdelete.drop_triggers('lifecycle.flagged'::regclass);
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SCHEMA lifecycle TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SELECT softdelete.drop_triggers('lifecycle.flagged');
SELECT softdelete.disable('lifecycle.flagged');
SELECT softdelete.drop_triggers(0);
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
SET search_path = lifecycle;

------------------------------------------------------------------------------
-- Triggers that were lost, as in a session without the library
------------------------------------------------------------------------------
SET row_security = off;
DROP TRIGGER "~softdelete_guard" ON typed;
DROP TRIGGER "~softdelete_mark" ON flagged;
RESET row_security;
RESET client_min_messages;
-- enable() puts them back
SELECT softdelete.enable('typed');
SELECT name FROM own_triggers WHERE target = 'typed'::regclass;
SELECT id FROM typed;
SELECT id FROM flagged ORDER BY id;
DELETE FROM flagged WHERE id = 2;
SELECT softdelete.disable('flagged', drop_columns => true);
BEGIN;
SELECT softdelete.enable('flagged', 's');
SELECT name FROM own_triggers WHERE target = 'flagged'::regclass;
SELECT id FROM flagged ORDER BY id;
DELETE FROM flagged WHERE id = 2;
SELECT id FROM flagged ORDER BY id;
SELECT softdelete.restore('flagged', 1);
ROLLBACK;
-- disable() takes what is left
SELECT softdelete.disable('flagged');
SELECT name FROM own_triggers WHERE target = 'flagged'::regclass;
DELETE FROM flagged WHERE id = 2;
SELECT id FROM flagged;
-- of a partitioned table, too, and under renamed columns
ALTER TABLE parted RENAME deletion_id TO "Deletion";
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
INSERT INTO parted VALUES (1), (2);
SET row_security = off;
DROP TRIGGER "~softdelete_stamp" ON parted;
RESET row_security;
SELECT softdelete.enable('parted');
SELECT target, count(*) FROM own_triggers WHERE target IN ('parted'::regclass, 'parted_1') GROUP BY 1 ORDER BY 1::text;
UPDATE parted SET deleted_at = now() WHERE id = 1;
SELECT id FROM parted;
SELECT softdelete.restore('parted', 1);
SELECT softdelete.disable('parted');
SELECT count(*) FROM own_triggers WHERE target IN ('parted'::regclass, 'parted_1');

------------------------------------------------------------------------------
-- DROP TABLE: the retention goes, the log stays
------------------------------------------------------------------------------
CREATE TABLE brief (id int PRIMARY KEY);
CREATE TABLE brief_parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
SELECT softdelete.enable('brief'), softdelete.enable('brief_parted');
INSERT INTO brief VALUES (1);
DELETE FROM brief;
SELECT 'brief'::regclass::oid AS brief, 'brief_parted'::regclass::oid AS parted \gset
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM softdelete.retention WHERE target IN (:brief, :parted);
SET SESSION AUTHORIZATION sd_owner;
SET search_path = lifecycle;
BEGIN;
DROP TABLE brief;
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM softdelete.retention WHERE target IN (:brief, :parted);
SET SESSION AUTHORIZATION sd_owner;
SET search_path = lifecycle;
DROP TABLE brief, brief_parted;
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM softdelete.retention WHERE target IN (:brief, :parted);
SELECT count(*) FROM softdelete.deletions WHERE target = :brief;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = lifecycle;

------------------------------------------------------------------------------
-- Foreign keys over rows and values that come by ALTER TABLE
------------------------------------------------------------------------------
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE c (id int, up int REFERENCES p ON DELETE CASCADE) PARTITION BY RANGE (id);
CREATE TABLE c1 (id int, up int);
SELECT softdelete.enable('p', cascade => true);
ALTER TABLE c1 ADD deleted_at timestamptz, ADD deletion_id bigint;
INSERT INTO p VALUES (1), (2);
INSERT INTO c1 VALUES (1, 1), (2, 2);
DELETE FROM p WHERE id = 1;
ALTER TABLE c ATTACH PARTITION c1 FOR VALUES FROM (0) TO (10);
UPDATE c1 SET up = 2;
ALTER TABLE c ATTACH PARTITION c1 FOR VALUES FROM (0) TO (10);
\set VERBOSITY sqlstate
ALTER TABLE c ALTER COLUMN up TYPE int USING 1;
ALTER TABLE p ALTER id TYPE int USING 3 - id;
\set VERBOSITY default
ALTER TABLE c ALTER COLUMN up TYPE bigint;
ALTER TABLE p ALTER COLUMN id TYPE bigint;
SELECT id, up FROM c ORDER BY id;
-- a new key is what it would be if the deleted rows were gone, whatever a delete
-- does along it; an old one keeps its links
CREATE TABLE kept (id int PRIMARY KEY, up bigint);
INSERT INTO kept VALUES (1, 1);
\set VERBOSITY sqlstate
ALTER TABLE kept ADD CONSTRAINT up FOREIGN KEY (up) REFERENCES p ON DELETE SET NULL;
ALTER TABLE kept ADD CONSTRAINT up FOREIGN KEY (up) REFERENCES p ON DELETE SET DEFAULT;
ALTER TABLE kept ADD CONSTRAINT up FOREIGN KEY (up) REFERENCES p ON DELETE SET NULL NOT VALID;
ALTER TABLE kept VALIDATE CONSTRAINT up;
ALTER TABLE kept ADD COLUMN other bigint DEFAULT 1 REFERENCES p ON DELETE SET NULL;
\set VERBOSITY default
UPDATE kept SET up = 2;
ALTER TABLE kept VALIDATE CONSTRAINT up;
DELETE FROM p WHERE id = 2;
SELECT up FROM kept;
ALTER TABLE kept VALIDATE CONSTRAINT up;
ALTER TABLE kept ADD COLUMN note text;
ALTER TABLE kept ALTER up TYPE int;
INSERT INTO p VALUES (3);
ALTER TABLE kept ADD COLUMN other int DEFAULT 3 REFERENCES p ON DELETE SET NULL;
-- a dump brings such links along
ALTER TABLE kept DROP CONSTRAINT up;
\set VERBOSITY sqlstate
ALTER TABLE kept ADD CONSTRAINT up FOREIGN KEY (up) REFERENCES p ON DELETE SET NULL;
\set VERBOSITY default
SET row_security = off;
ALTER TABLE kept ADD CONSTRAINT up FOREIGN KEY (up) REFERENCES p ON DELETE SET NULL;
RESET row_security;
-- partitions with kept links leave and come back, others do not come in
CREATE TABLE links (id int, up bigint REFERENCES p ON DELETE SET NULL) PARTITION BY RANGE (id);
CREATE TABLE links_1 PARTITION OF links FOR VALUES FROM (0) TO (10);
CREATE TABLE links_2 (up bigint, id int);
INSERT INTO links VALUES (1, 3);
INSERT INTO links_2 VALUES (3, 11);
DELETE FROM p WHERE id = 3;
ALTER TABLE links DETACH PARTITION links_1;
ALTER TABLE links ATTACH PARTITION links_1 FOR VALUES FROM (0) TO (10);
\set VERBOSITY sqlstate
ALTER TABLE links ATTACH PARTITION links_2 FOR VALUES FROM (10) TO (20);
\set VERBOSITY default
SELECT tableoid::regclass, id, up FROM links;

------------------------------------------------------------------------------
-- Tables above a managed one
------------------------------------------------------------------------------
CREATE TABLE root (id int, deleted_at timestamptz, deletion_id bigint) PARTITION BY RANGE (id);
CREATE TABLE leaf (id int);
CREATE TABLE middle (id int) PARTITION BY RANGE (id);
CREATE TABLE heir (id int);
CREATE TABLE above (id int);
SELECT softdelete.enable('leaf'), softdelete.enable('middle'), softdelete.enable('heir');
ALTER TABLE root ATTACH PARTITION leaf FOR VALUES FROM (0) TO (10);
ALTER TABLE heir INHERIT above;
\set VERBOSITY sqlstate
ALTER TABLE root ATTACH PARTITION middle FOR VALUES FROM (10) TO (20);
ALTER TABLE root ATTACH PARTITION leaf DEFAULT;
\set VERBOSITY default
SELECT softdelete.disable('leaf'), softdelete.disable('heir');
ALTER TABLE root ATTACH PARTITION leaf FOR VALUES FROM (0) TO (10);
ALTER TABLE heir INHERIT above;
SELECT softdelete.enable('root');
INSERT INTO root VALUES (1), (2);
\set QUIET off
DELETE FROM root WHERE id = 1;
\set QUIET on
SELECT id FROM leaf;
-- nor is one that has a set of its own under other names managed twice
ALTER TRIGGER "~softdelete_mark" ON middle RENAME TO a;
ALTER TRIGGER "~softdelete_stamp" ON middle RENAME TO b;
ALTER TRIGGER "~softdelete_guard" ON middle RENAME TO c;
ALTER TRIGGER "~softdelete_truncate" ON middle RENAME TO d;
ALTER TRIGGER "~softdelete_born" ON middle RENAME TO e;
\set VERBOSITY sqlstate
ALTER TABLE root ATTACH PARTITION middle FOR VALUES FROM (10) TO (20);
\set VERBOSITY default
SELECT softdelete.disable('middle');
ALTER TABLE root ATTACH PARTITION middle FOR VALUES FROM (10) TO (20);

------------------------------------------------------------------------------
-- What enable() finds, and says
------------------------------------------------------------------------------
CREATE TYPE bare AS (id int);
CREATE TABLE bare_typed OF bare (PRIMARY KEY (id));
SELECT softdelete.enable('bare_typed');
ALTER TYPE bare ADD ATTRIBUTE deleted_at timestamp with time zone CASCADE;
SELECT softdelete.enable('bare_typed');
ALTER TYPE bare ADD ATTRIBUTE deletion_id bigint CASCADE;
SELECT softdelete.enable('bare_typed');
-- partitions are managed by their root, whatever its OID
CREATE TABLE deep_2 (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE deep_3 PARTITION OF deep_2 FOR VALUES FROM (0) TO (10);
CREATE TABLE deep_1 (id int PRIMARY KEY) PARTITION BY RANGE (id);
ALTER TABLE deep_1 ATTACH PARTITION deep_2 FOR VALUES FROM (0) TO (10);
CREATE TABLE deep_parent (id int PRIMARY KEY);
ALTER TABLE deep_3 ADD FOREIGN KEY (id) REFERENCES deep_parent ON DELETE CASCADE;
SELECT softdelete.enable('deep_3');
SELECT softdelete.enable('deep_parent');
SELECT softdelete.enable('deep_parent', cascade => true);
INSERT INTO deep_parent VALUES (1), (2);
INSERT INTO deep_1 VALUES (1), (2);
DELETE FROM deep_parent WHERE id = 1;
SELECT id FROM deep_1;
SELECT softdelete.restore('deep_parent', 1);
-- a name as long as names can be
DO $$ BEGIN EXECUTE format('CREATE TABLE long (id int PRIMARY KEY, %I text)', repeat('former_', 9)); END $$;
SELECT softdelete.enable('long', repeat('former_', 9)::name);
INSERT INTO long VALUES (1, 'new');
DELETE FROM long;
SELECT softdelete.restore('long', 1);
SELECT former_column FROM softdelete.tables WHERE target = 'long'::regclass;
TABLE long;
\set VERBOSITY sqlstate
SELECT softdelete.adopt('above', 0);
SELECT softdelete.adopt('above', -1);
SELECT softdelete.predicate(0, 'deleted_at', 'timestamp', '', true);
\set VERBOSITY default

------------------------------------------------------------------------------
-- Triggers that are switched off
------------------------------------------------------------------------------
CREATE TABLE switched (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE switched_1 PARTITION OF switched FOR VALUES FROM (0) TO (10);
CREATE TABLE switched_child (id int PRIMARY KEY, up int REFERENCES switched ON DELETE CASCADE);
SELECT softdelete.enable('switched', cascade => true);
INSERT INTO switched SELECT generate_series(1, 4);
INSERT INTO switched_child SELECT n, n FROM generate_series(1, 4) n;
DELETE FROM switched WHERE id = 4;
ALTER TABLE switched ENABLE REPLICA TRIGGER "~softdelete_mark";
UPDATE switched SET deleted_at = now() WHERE id = 1;
\set VERBOSITY sqlstate
DELETE FROM switched WHERE id = 1;
UPDATE switched_1 SET deleted_at = now() WHERE id = 1;
INSERT INTO switched_1 VALUES (1) ON CONFLICT (id) DO UPDATE SET deleted_at = now();
SELECT softdelete.restore('switched', 4);
ALTER TABLE switched ENABLE TRIGGER "~softdelete_mark";
ALTER TABLE switched_1 ENABLE REPLICA TRIGGER "~softdelete_mark";
UPDATE switched SET deleted_at = now() WHERE id = 1;
ALTER TABLE switched_1 ENABLE TRIGGER "~softdelete_mark";
ALTER TABLE switched DISABLE TRIGGER USER;
UPDATE switched SET deleted_at = now() WHERE id = 1;
\set VERBOSITY default
UPDATE switched SET id = 9 WHERE id = 9;
ALTER TABLE switched ENABLE TRIGGER USER;
SELECT count(*) FROM switched_child;
UPDATE switched SET deleted_at = now() WHERE id = 1;
SELECT count(*) FROM switched_child;
-- a partition's, where the DELETE comes by the root
ALTER TABLE switched_1 ENABLE REPLICA TRIGGER "~softdelete_mark";
\set VERBOSITY sqlstate
DELETE FROM switched WHERE id = 2;
\set VERBOSITY default
SELECT (SELECT count(*) FROM switched) AS parents, (SELECT count(*) FROM switched_child) AS children;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
CREATE TRIGGER mine BEFORE DELETE ON switched FOR EACH ROW EXECUTE FUNCTION nothing();
\set VERBOSITY sqlstate
DELETE FROM switched WHERE id = 3;
\set VERBOSITY default
SELECT (SELECT count(*) FROM switched) AS parents, (SELECT count(*) FROM switched_child) AS children;
