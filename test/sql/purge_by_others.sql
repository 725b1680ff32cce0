-- A purge that somebody else than the owner runs, and rows of other owners: it
-- takes only what is expired by its own table's retention, counts what it took,
-- leaves the constraints as they were, and nobody's trigger stops it for others.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA purge_by_others;
GRANT USAGE, CREATE ON SCHEMA purge_by_others TO sd_user;
SET search_path = purge_by_others;

-- a cycle, and a table of another owner that its rows are referred to from, with
-- a retention of its own
CREATE TABLE a (id int PRIMARY KEY, b int);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b ON DELETE CASCADE;
GRANT REFERENCES ON a TO sd_user;
SET SESSION AUTHORIZATION sd_user;
CREATE TABLE purge_by_others.c (id int PRIMARY KEY, a int REFERENCES purge_by_others.a ON DELETE CASCADE);
SELECT softdelete.enable('purge_by_others.c', retention => '10 years');
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_by_others;
SELECT softdelete.enable('b', retention => '0', cascade => true);
INSERT INTO a VALUES (1), (2);
INSERT INTO b VALUES (1, 1), (2, 2);
UPDATE a SET b = id;
SET SESSION AUTHORIZATION sd_user;
INSERT INTO purge_by_others.c VALUES (1, 1);
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_by_others;
DELETE FROM a;
SELECT expired, purged, kept FROM softdelete.purge_cycle('{a,b}', '{0,0}', 10) ORDER BY target::text;
RESET SESSION AUTHORIZATION;
SET search_path = purge_by_others;
SELECT count(*) FROM softdelete.trash('c');
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_by_others;
SELECT count(*) FROM softdelete.trash('a');
SELECT rows, purged FROM softdelete.deletions WHERE target = 'a'::regclass ORDER BY id DESC LIMIT 1;

-- attempts that fail count for nothing
CREATE TABLE ca (id int PRIMARY KEY, cb int);
CREATE TABLE cb (id int PRIMARY KEY, ca int REFERENCES ca);
ALTER TABLE ca ADD FOREIGN KEY (cb) REFERENCES cb;
SELECT softdelete.enable('ca', triggers => 'update'), softdelete.enable('cb');
INSERT INTO ca SELECT generate_series(1, 5);
INSERT INTO cb SELECT generate_series(1, 5);
UPDATE ca SET cb = id;
UPDATE cb SET ca = id;
WITH x AS (DELETE FROM ca) DELETE FROM cb;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = TG_ARGV[0]; END $$;
CREATE TRIGGER x AFTER DELETE ON ca FOR EACH ROW EXECUTE FUNCTION refuse('P0001');
SELECT target, expired, purged, kept FROM softdelete.purge_cycle('{ca,cb}', '{0,0}', 10) ORDER BY target::text;

-- keys that wait for the commit, of names that other constraints have, too: a
-- superuser's purge passes, and leaves the others as they were
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE c1 (id int PRIMARY KEY, p int CONSTRAINT "the Key" REFERENCES p DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE c2 (id int PRIMARY KEY, p int CONSTRAINT "the Key" REFERENCES p);
CREATE TABLE q (id int PRIMARY KEY);
CREATE TABLE d1 (id int PRIMARY KEY, q int CONSTRAINT "Another" REFERENCES q DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE d2 (id int PRIMARY KEY, q int CONSTRAINT "Another" REFERENCES q DEFERRABLE);
SELECT softdelete.enable('p'), softdelete.enable('q');
INSERT INTO p VALUES (1);
INSERT INTO q VALUES (1);
DELETE FROM p;
DELETE FROM q;
RESET SESSION AUTHORIZATION;
SET search_path = purge_by_others;
SELECT expired, purged FROM softdelete.purge_expired('p', older_than => '0');
BEGIN;
SELECT expired, purged FROM softdelete.purge_expired('q', older_than => '0');
\set VERBOSITY sqlstate
INSERT INTO d2 VALUES (1, 99);
\set VERBOSITY default
ROLLBACK;

-- whatever SQLSTATE a trigger raises, it keeps its row and no other's
SET SESSION AUTHORIZATION sd_owner;
SET search_path = purge_by_others;
CREATE TABLE stubborn (id int PRIMARY KEY);
CREATE TABLE willing (id int PRIMARY KEY);
SELECT softdelete.enable('stubborn', triggers => 'update'), softdelete.enable('willing');
CREATE PROCEDURE try(code text)
LANGUAGE plpgsql AS $$
DECLARE
	r text;
BEGIN
	EXECUTE format('CREATE OR REPLACE TRIGGER x BEFORE DELETE ON stubborn FOR EACH ROW EXECUTE FUNCTION refuse(%L)', code);
	INSERT INTO stubborn VALUES (1);
	INSERT INTO willing VALUES (1);
	DELETE FROM stubborn;
	DELETE FROM willing;
	SELECT string_agg(format('%s %s|%s|%s', target, expired, purged, kept), ', ' ORDER BY target::text) INTO r
	  FROM softdelete.purge_expired(older_than => '0') WHERE target IN ('stubborn'::regclass, 'willing'::regclass);
	RAISE WARNING '%: %', code, r;
	ROLLBACK;
END $$;
CALL try('25006');
CALL try('40001');
CALL try('57014');
SET default_transaction_isolation = 'repeatable read';
CALL try('40001');
RESET default_transaction_isolation;

-- a function that a policy calls, written so that it is inlined
CREATE TABLE members (name name PRIMARY KEY, org int);
CREATE TABLE papers (id int PRIMARY KEY, org int);
SELECT softdelete.enable('members');
INSERT INTO members VALUES ('sd_user', 1);
INSERT INTO papers VALUES (1, 1);
CREATE FUNCTION my_orgs() RETURNS SETOF int LANGUAGE sql STABLE AS
	'SELECT DISTINCT org FROM purge_by_others.members WHERE name = current_user';
ALTER TABLE papers ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON papers USING (org IN (SELECT o FROM purge_by_others.my_orgs() o));
GRANT SELECT ON members, papers TO sd_user;
DELETE FROM members;
SET SESSION AUTHORIZATION sd_user;
SET softdelete.visibility = 'all';
SELECT count(*) FROM purge_by_others.members;
SELECT count(*) FROM purge_by_others.papers;
