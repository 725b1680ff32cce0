-- What one role does to its own tables keeps no other from its work, and ends no
-- session: a trigger made by hand with a label that is no label, a foreign table,
-- deletions at the ends of time, a trigger that closes cursors or changes the
-- table it fires on, constraints and tables that go before the commit.
SET SESSION AUTHORIZATION DEFAULT;
\set SHOW_CONTEXT never
SET client_min_messages = error;
CREATE FOREIGN DATA WRAPPER robust_others;
CREATE SERVER robust_others FOREIGN DATA WRAPPER robust_others;
GRANT USAGE ON FOREIGN SERVER robust_others TO sd_user;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA robust_others;
GRANT USAGE, CREATE ON SCHEMA robust_others TO sd_user;
SET search_path = robust_others;
CREATE TABLE good (id int PRIMARY KEY);
SELECT softdelete.enable('good');
INSERT INTO good VALUES (1);
DELETE FROM good;

-- a trigger by hand with a label that the enum has not, and one on a foreign table
SET SESSION AUTHORIZATION sd_user;
SET search_path = robust_others;
CREATE TYPE e AS ENUM ('a');
CREATE TABLE labels (id int PRIMARY KEY, s e, d bigint, w timestamptz, f e);
CREATE TRIGGER x AFTER UPDATE OF s, d, w, f ON labels FOR EACH ROW EXECUTE FUNCTION softdelete.mark('status', 'no such label');
CREATE FOREIGN TABLE far (id int, d timestamptz, n bigint) SERVER robust_others;
CREATE TRIGGER x AFTER UPDATE OF d, n ON far FOR EACH ROW EXECUTE FUNCTION softdelete.mark('timestamp', '');
-- times at the end of time
CREATE TABLE times (id int PRIMARY KEY);
SELECT softdelete.enable('times');
INSERT INTO times VALUES (1), (2), (3);
UPDATE times SET deleted_at = 'infinity' WHERE id = 1;
UPDATE times SET deleted_at = '294276-12-31' WHERE id = 2;
UPDATE times SET deleted_at = '-infinity' WHERE id = 3;
SELECT key, deleted_at, expires_at, days_left FROM softdelete.trash('times') ORDER BY key;
SELECT expired, purged FROM softdelete.purge_expired('times');
-- a retention that comes to a few days, by way of millions of years
\set VERBOSITY sqlstate
SELECT softdelete.set_retention('times', '2147483647 days -71582788 months');
\set VERBOSITY default
-- for everybody else
SET SESSION AUTHORIZATION sd_owner;
SET search_path = robust_others;
SELECT target FROM softdelete.tables WHERE target IN ('good'::regclass, 'labels'::regclass, 'far'::regclass) ORDER BY 1;
SELECT key FROM softdelete.trash() WHERE target = 'good'::regclass;
SELECT purged FROM softdelete.purge_expired(older_than => '0') WHERE target = 'good'::regclass;
SET SESSION AUTHORIZATION DEFAULT;
SELECT count(*) FROM softdelete.trash() WHERE target = 'robust_others.good'::regclass;
DROP FOREIGN DATA WRAPPER robust_others CASCADE;

-- a trigger that closes all cursors does not pull the purge's from under it
SET SESSION AUTHORIZATION sd_user;
SET search_path = robust_others;
CREATE TABLE closes (id int PRIMARY KEY);
SELECT softdelete.enable('closes', retention => '0', triggers => 'update');
INSERT INTO closes SELECT generate_series(1, 50);
DELETE FROM closes;
CREATE FUNCTION close_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'CLOSE ALL'; RETURN OLD; END $$;
CREATE TRIGGER x BEFORE DELETE ON closes FOR EACH ROW EXECUTE FUNCTION close_all();
SELECT expired FROM softdelete.purge_expired('closes', batch_size => 10);

-- a plan that is thrown away while it runs, by a trigger that changes a
-- privilege and then deletes along the same key
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE);
SELECT softdelete.enable('p', cascade => true);
INSERT INTO p SELECT generate_series(1, 9);
INSERT INTO c SELECT g, g FROM generate_series(1, 9) g;
DELETE FROM p WHERE id = 9;
CREATE FUNCTION nested() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.id = 1 THEN
        GRANT SELECT ON robust_others.c TO PUBLIC;
        DELETE FROM robust_others.p WHERE id = 2;
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER x BEFORE DELETE ON c FOR EACH ROW EXECUTE FUNCTION nested();
DELETE FROM p WHERE id = 1;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM c;

-- internal functions called by hand on a table that is not managed
CREATE TABLE plain (id int PRIMARY KEY);
\set VERBOSITY sqlstate
SELECT softdelete.purge_cycle('{robust_others.plain}', '{0}', 10);
\set VERBOSITY default

-- a deferred check whose foreign key, or whose table, is gone by the commit
CREATE TABLE later_p (id int PRIMARY KEY);
CREATE TABLE later_c (id int PRIMARY KEY, p int REFERENCES later_p DEFERRABLE INITIALLY DEFERRED);
SELECT softdelete.enable('later_p');
INSERT INTO later_p VALUES (1), (2);
INSERT INTO later_c VALUES (1, 1), (2, 2);
BEGIN;
DELETE FROM later_p WHERE id = 1;
ALTER TABLE later_c DROP CONSTRAINT later_c_p_fkey;
COMMIT;
SELECT id FROM later_p;
DELETE FROM later_c WHERE id = 1;
ALTER TABLE later_c ADD FOREIGN KEY (p) REFERENCES later_p DEFERRABLE INITIALLY DEFERRED;
BEGIN;
DELETE FROM later_p WHERE id = 2;
DROP TABLE later_c;
COMMIT;
SELECT id FROM later_p;

-- disable() finds its triggers by what they do, not by their names
SET SESSION AUTHORIZATION DEFAULT;
SET client_min_messages = error;
DROP SCHEMA robust_others CASCADE;
