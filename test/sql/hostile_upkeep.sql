-- Upkeep of a hostile owner's tables, the ways by
-- which his code used to run as somebody else.  Every row of the result is ok.
SET SESSION AUTHORIZATION DEFAULT;
\set SHOW_CONTEXT never
SET client_min_messages = error;
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :"db" TO sd_user;
SET SESSION AUTHORIZATION sd_user;
CREATE SCHEMA hostile_upkeep;
GRANT USAGE ON SCHEMA hostile_upkeep TO PUBLIC;
SET search_path = hostile_upkeep;
CREATE TABLE notes (what text, who name);
GRANT ALL ON notes TO PUBLIC;
CREATE FUNCTION note(what text) RETURNS boolean LANGUAGE plpgsql SET search_path = hostile_upkeep AS
    $$ BEGIN INSERT INTO notes VALUES (what, current_user); RETURN true; END $$;
CREATE FUNCTION pure(what text, anyelement) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE SET search_path = hostile_upkeep AS
    'BEGIN PERFORM note(what); RETURN $2; END';
CREATE FUNCTION note_trigger() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM hostile_upkeep.note(TG_ARGV[0]); IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$;

-- a deferred trigger, a cursor WITH HOLD, a setting and a temporary object would
-- all outlive the time in which the owner's rights hold: either they are
-- refused (and the row stays) or they run as him
CREATE TABLE deferred (id int PRIMARY KEY);
CREATE TABLE leaves (id int PRIMARY KEY);
SELECT softdelete.enable('deferred', retention => '0', triggers => 'update');
SELECT softdelete.enable('leaves', retention => '0', triggers => 'update');
INSERT INTO deferred VALUES (1);
INSERT INTO leaves VALUES (1);
DELETE FROM deferred;
DELETE FROM leaves;
CREATE CONSTRAINT TRIGGER x AFTER DELETE ON deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_trigger('deferred trigger');
CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SET search_path = hostile_upkeep;
    SET softdelete.visibility = 'all';
    EXECUTE 'DECLARE held CURSOR WITH HOLD FOR SELECT hostile_upkeep.note(''held cursor'')';
    RETURN OLD;
EXCEPTION WHEN insufficient_privilege OR invalid_cursor_definition THEN RETURN OLD;
END $$;
CREATE TRIGGER x BEFORE DELETE ON leaves FOR EACH ROW EXECUTE FUNCTION leave();
SET SESSION AUTHORIZATION DEFAULT;
SET search_path = public;
SELECT count(*) AS purged FROM softdelete.purge_expired('hostile_upkeep.deferred');
SELECT count(*) AS purged FROM softdelete.purge_expired('hostile_upkeep.leaves');
SHOW search_path;
SHOW softdelete.visibility;
SELECT DISTINCT what || ' ran as ' || who AS not_ok FROM hostile_upkeep.notes WHERE who <> 'sd_user' ORDER BY 1;
CLOSE ALL;
RESET softdelete.visibility;
TRUNCATE hostile_upkeep.notes;

-- AFTER triggers of tables in a cycle
SET SESSION AUTHORIZATION sd_user;
SET search_path = hostile_upkeep;
CREATE TABLE a (id int PRIMARY KEY, b int);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
SELECT softdelete.enable('a', retention => '0', triggers => 'update');
SELECT softdelete.enable('b', retention => '0', triggers => 'update');
INSERT INTO a VALUES (1);
INSERT INTO b VALUES (1, 1);
UPDATE a SET b = 1;
WITH x AS (DELETE FROM a) DELETE FROM b;
CREATE TRIGGER x AFTER DELETE ON a FOR EACH ROW EXECUTE FUNCTION note_trigger('after trigger in a cycle');
SET SESSION AUTHORIZATION DEFAULT;
SELECT target::text, expired, purged, kept FROM softdelete.purge_cycle('{hostile_upkeep.a,hostile_upkeep.b}', '{0,0}', 10) ORDER BY 1;
SELECT DISTINCT what || ' ran as ' || who AS not_ok FROM hostile_upkeep.notes WHERE who <> 'sd_user' ORDER BY 1;
TRUNCATE hostile_upkeep.notes;

-- the trash of all tables: neither a cast to json of somebody's type nor his
-- policy runs as whoever looks
SET SESSION AUTHORIZATION sd_user;
SET search_path = hostile_upkeep;
CREATE TYPE e AS ENUM ('a');
CREATE FUNCTION as_json(e) RETURNS json LANGUAGE sql AS $$ SELECT hostile_upkeep.pure('cast to json', '1'::json) $$;
CREATE CAST (e AS json) WITH FUNCTION as_json(e);
CREATE TABLE cast_me (id int PRIMARY KEY, c e);
CREATE TABLE watched (id int PRIMARY KEY);
SELECT softdelete.enable('cast_me');
SELECT softdelete.enable('watched');
INSERT INTO cast_me VALUES (1, 'a');
INSERT INTO watched VALUES (1);
DELETE FROM cast_me;
DELETE FROM watched;
ALTER TABLE watched ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON watched USING (note('policy'));
GRANT SELECT ON watched, cast_me TO PUBLIC;
SET SESSION AUTHORIZATION DEFAULT;
SELECT count(*) > 0 AS trash FROM softdelete.trash() WHERE target = 'hostile_upkeep.cast_me'::regclass;
SET SESSION AUTHORIZATION sd_owner;
SELECT count(*) >= 0 AS trash FROM softdelete.trash();
SET SESSION AUTHORIZATION DEFAULT;
SELECT DISTINCT what || ' ran as ' || who AS not_ok FROM hostile_upkeep.notes WHERE who <> 'sd_user' ORDER BY 1;
TRUNCATE hostile_upkeep.notes;

-- enable() over children of another owner
CREATE SCHEMA hostile_super;
GRANT USAGE ON SCHEMA hostile_super TO PUBLIC;
CREATE TABLE hostile_super.posts (id int PRIMARY KEY);
INSERT INTO hostile_super.posts VALUES (1);
GRANT REFERENCES ON hostile_super.posts TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = hostile_upkeep;
CREATE TABLE marked (id int PRIMARY KEY, p int REFERENCES hostile_super.posts ON DELETE CASCADE, deleted_at timestamptz);
INSERT INTO marked VALUES (1, 1, now());
CREATE TRIGGER x BEFORE UPDATE ON marked FOR EACH ROW EXECUTE FUNCTION note_trigger('adoption');
CREATE DOMAIN st AS text CHECK (pure('domain', true));
CREATE TABLE stated (id int PRIMARY KEY, status st);
SET SESSION AUTHORIZATION DEFAULT;
SELECT softdelete.enable('hostile_super.posts', cascade => true);
SELECT softdelete.enable('hostile_upkeep.stated', 'status');
SELECT DISTINCT what || ' ran as ' || who AS not_ok FROM hostile_upkeep.notes WHERE who <> 'sd_user' ORDER BY 1;
TRUNCATE hostile_upkeep.notes;
-- and an ordinary owner's enable() over a table that refers to his
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA hostile_their;
GRANT USAGE ON SCHEMA hostile_their TO PUBLIC;
CREATE TABLE hostile_their.t (id int PRIMARY KEY);
INSERT INTO hostile_their.t VALUES (1);
GRANT REFERENCES ON hostile_their.t TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = hostile_upkeep;
CREATE TYPE key AS ENUM ('1');
CREATE FUNCTION as_int(key) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT hostile_upkeep.pure('cast of a key', 1) $$;
CREATE CAST (key AS int) WITH FUNCTION as_int(key) AS IMPLICIT;
CREATE TABLE refers (id int PRIMARY KEY, t key REFERENCES hostile_their.t);
CREATE TABLE refers_too (id int PRIMARY KEY, t int REFERENCES hostile_their.t);
INSERT INTO refers VALUES (1, '1');
INSERT INTO refers_too VALUES (1, 1);
GRANT SELECT ON refers, refers_too TO PUBLIC;
ALTER TABLE refers_too ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON refers_too USING (note('policy of a child'));
TRUNCATE notes;
SET SESSION AUTHORIZATION sd_owner;
SELECT softdelete.enable('hostile_their.t');
SELECT DISTINCT what || ' ran as ' || who AS not_ok FROM hostile_upkeep.notes WHERE who <> 'sd_user' ORDER BY 1;
TRUNCATE hostile_upkeep.notes;
-- the key that a superuser names is read by the column's type, not by its
-- owner's functions in the superuser's name
SET SESSION AUTHORIZATION sd_user;
SET search_path = hostile_upkeep;
CREATE DOMAIN dk AS int CHECK (note('domain of a key'));
CREATE TABLE keyed (id dk PRIMARY KEY);
SELECT softdelete.enable('keyed');
INSERT INTO keyed VALUES (1);
DELETE FROM keyed;
SET SESSION AUTHORIZATION DEFAULT;
TRUNCATE hostile_upkeep.notes;
SELECT softdelete.purge('hostile_upkeep.keyed', 1);
SELECT DISTINCT what || ' ran as ' || who AS not_ok FROM hostile_upkeep.notes WHERE who <> 'sd_user' ORDER BY 1;

SET SESSION AUTHORIZATION DEFAULT;
SET client_min_messages = error;
DROP SCHEMA hostile_upkeep, hostile_super, hostile_their CASCADE;
REVOKE CREATE ON DATABASE :"db" FROM sd_user;
