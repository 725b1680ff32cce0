-- upkeep by a superuser (or by somebody who may purge) over tables of owners
-- that he does not trust: what they have put on their tables runs as themselves,
-- or not at all
SET SESSION AUTHORIZATION sd_user;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET SESSION AUTHORIZATION DEFAULT;
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :"db" TO sd_user;
DROP ROLE IF EXISTS sd_keeper;
CREATE ROLE sd_keeper;
GRANT SET ON PARAMETER softdelete.hard_delete TO sd_keeper;
SET SESSION AUTHORIZATION sd_user;
CREATE SCHEMA hostile_owner;
GRANT USAGE ON SCHEMA hostile_owner TO PUBLIC;
SET search_path = hostile_owner;

-- every piece of code notes as whom it ran
CREATE TABLE notes (what text, who name);
CREATE FUNCTION note(what text) RETURNS boolean LANGUAGE plpgsql SECURITY INVOKER SET search_path = hostile_owner AS $$
BEGIN
    INSERT INTO notes VALUES (what, current_user);
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING '% ran as %: %', what, current_user, SQLERRM;
    RETURN true;
END $$;
GRANT INSERT ON notes TO PUBLIC;
CREATE FUNCTION note_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    me name := current_user;
BEGIN
    PERFORM hostile_owner.note(lower(concat_ws(' ', TG_WHEN, TG_OP, TG_LEVEL)));
    -- nor does he take on another role from within
    BEGIN
        EXECUTE 'SET ROLE ' || quote_ident(session_user);
        IF current_user <> me THEN RAISE WARNING 'became %', current_user; END IF;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    BEGIN
        RESET ROLE;
        IF current_user <> me THEN RAISE WARNING 'was reset to %', current_user; END IF;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    BEGIN
        SET softdelete.hard_delete = on;
        RAISE WARNING 'hard_delete';
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION pure(what text, anyelement) RETURNS anyelement LANGUAGE plpgsql IMMUTABLE SET search_path = hostile_owner AS
    'BEGIN PERFORM note(what); RETURN $2; END';
CREATE DOMAIN checked AS text CHECK (pure('domain', true));
CREATE TABLE t (id int PRIMARY KEY DEFAULT pure('default', 1), v checked, w text CHECK (pure('check', true)),
    g int GENERATED ALWAYS AS (pure('generated', id)) STORED);
SELECT softdelete.enable('t', retention => '0', triggers => 'update');
CREATE INDEX ON t (pure('index', v)) WHERE pure('index predicate', true);
CREATE STATISTICS s ON pure('statistics', v), id FROM t;
CREATE TABLE children (id int PRIMARY KEY, t int REFERENCES t ON DELETE SET NULL);
INSERT INTO t SELECT g, 'v', 'w' FROM generate_series(1, 4) g;
INSERT INTO children VALUES (1, 1), (2, 2);
DELETE FROM t WHERE id < 4;
CREATE TRIGGER a BEFORE UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION note_trigger();
CREATE TRIGGER b AFTER UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION note_trigger();
CREATE TRIGGER c BEFORE UPDATE OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION note_trigger();
CREATE TRIGGER d AFTER UPDATE OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION note_trigger();
CREATE TRIGGER e BEFORE UPDATE ON children FOR EACH ROW EXECUTE FUNCTION note_trigger();
CREATE RULE r AS ON DELETE TO t DO ALSO SELECT note('rule');
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
ALTER TABLE t FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON t USING (note('policy'));
DELETE FROM notes;

-- the purge, by a superuser and by one who may erase
SET SESSION AUTHORIZATION DEFAULT;
SELECT * FROM softdelete.purge_expired('hostile_owner.t', dry_run => true);
SELECT * FROM softdelete.purge_expired('hostile_owner.t');
SELECT DISTINCT what, who FROM hostile_owner.notes ORDER BY what, who;
TRUNCATE hostile_owner.notes;
SET SESSION AUTHORIZATION sd_user;
SET search_path = hostile_owner;
DROP POLICY p ON t;
CREATE POLICY p ON t USING (true);
DELETE FROM t;
CREATE POLICY q ON t USING (note('policy'));
DROP POLICY p ON t;
SET SESSION AUTHORIZATION DEFAULT;
TRUNCATE hostile_owner.notes;
SET SESSION AUTHORIZATION sd_keeper;
SET softdelete.hard_delete = on;
SELECT * FROM softdelete.purge_expired('hostile_owner.t');
RESET softdelete.hard_delete;
SET SESSION AUTHORIZATION DEFAULT;
SELECT DISTINCT what, who FROM hostile_owner.notes ORDER BY what, who;
TRUNCATE hostile_owner.notes;

-- looking at everybody's tables runs nothing of theirs
SELECT count(*) > 0 AS tables FROM softdelete.tables;
SELECT count(*) > 0 AS keys FROM softdelete.foreign_keys;
SELECT count(*) > 0 AS deletions FROM softdelete.deletions;
SELECT count(*) FROM softdelete.advice('hostile_owner.t');
SELECT softdelete.set_retention('hostile_owner.t', '1 day');
SELECT * FROM hostile_owner.notes;

-- cascades: BEFORE triggers of a child as its owner, as with a foreign key of
-- an ordinary table, whoever deletes
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA hostile_parent;
GRANT USAGE ON SCHEMA hostile_parent TO sd_user;
CREATE TABLE hostile_parent.p (id int PRIMARY KEY);
CREATE TABLE hostile_parent.plain (id int PRIMARY KEY);
SELECT softdelete.enable('hostile_parent.p');
INSERT INTO hostile_parent.p VALUES (1), (2), (3);
INSERT INTO hostile_parent.plain VALUES (1);
GRANT REFERENCES ON hostile_parent.p, hostile_parent.plain TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = hostile_owner;
CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES hostile_parent.p ON DELETE CASCADE, w text CHECK (pure('check', true)));
CREATE TABLE plain_c (id int PRIMARY KEY, p int REFERENCES hostile_parent.plain ON DELETE CASCADE);
SELECT softdelete.enable('c');
INSERT INTO c VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO plain_c VALUES (1, 1);
CREATE TRIGGER a BEFORE UPDATE OR DELETE ON c FOR EACH ROW EXECUTE FUNCTION note_trigger();
CREATE TRIGGER a BEFORE UPDATE OR DELETE ON plain_c FOR EACH ROW EXECUTE FUNCTION note_trigger();
ALTER TABLE c ENABLE ROW LEVEL SECURITY;
ALTER TABLE c FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON c USING (note('policy'));
DELETE FROM notes;
SET SESSION AUTHORIZATION sd_owner;
DELETE FROM hostile_parent.plain;
DELETE FROM hostile_parent.p WHERE id = 1;
SET SESSION AUTHORIZATION DEFAULT;
DELETE FROM hostile_parent.p WHERE id = 2;
SELECT softdelete.restore('hostile_parent.p', 1);
SELECT softdelete.undo(max(deletion_id)) FROM softdelete.trash('hostile_parent.p');
SELECT what, who, count(*) FROM hostile_owner.notes GROUP BY 1, 2 ORDER BY 1, 2;
TRUNCATE hostile_owner.notes;
SET SESSION AUTHORIZATION sd_owner;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM hostile_parent.p;

-- one table whose owner lets nothing go does not keep the others from being purged
SET SESSION AUTHORIZATION sd_user;
SET search_path = hostile_owner;
DROP TABLE t CASCADE;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no, %', '%s' USING ERRCODE = TG_ARGV[0], DETAIL = '%s', HINT = '%d'; END $$;
CREATE TABLE a_first (id int PRIMARY KEY);
CREATE TABLE a_second (id int PRIMARY KEY);
CREATE TABLE z_last (id int PRIMARY KEY);
SELECT softdelete.enable(t, retention => '0', triggers => 'update') FROM unnest('{a_first,a_second,z_last}'::regclass[]) AS t;
INSERT INTO a_first VALUES (1), (2);
INSERT INTO a_second VALUES (1), (2);
INSERT INTO z_last VALUES (1);
DELETE FROM a_first;
DELETE FROM a_second;
DELETE FROM z_last;
CREATE TRIGGER x BEFORE DELETE ON a_first FOR EACH ROW EXECUTE FUNCTION refuse('P0001');
CREATE TRIGGER x BEFORE DELETE ON a_second FOR EACH ROW EXECUTE FUNCTION refuse('XX000');
SELECT * FROM softdelete.purge_expired() WHERE target IN ('a_first'::regclass, 'a_second'::regclass, 'z_last'::regclass);

SET SESSION AUTHORIZATION DEFAULT;
DROP SCHEMA hostile_owner, hostile_parent CASCADE;
REVOKE CREATE ON DATABASE :"db" FROM sd_user;
REVOKE SET ON PARAMETER softdelete.hard_delete FROM sd_keeper;
DROP ROLE sd_keeper;
