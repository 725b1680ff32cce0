-- what one role does to its own tables cannot keep others from their work
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA robust;
SET search_path = robust;
GRANT USAGE, CREATE ON SCHEMA robust TO sd_user;
CREATE TABLE good (id int PRIMARY KEY);
SELECT softdelete.enable('good', retention => '0');
INSERT INTO good VALUES (1);
DELETE FROM good;

-- a trigger by hand makes no table managed, and is nobody else's concern
SET SESSION AUTHORIZATION sd_user;
SET search_path = robust;
CREATE TABLE mine (id int, n int);
CREATE TRIGGER by_hand AFTER UPDATE OF n ON mine FOR EACH ROW EXECUTE FUNCTION softdelete.mark('timestamp', '');
SET SESSION AUTHORIZATION sd_owner;
SET search_path = robust;
SELECT target FROM softdelete.tables WHERE target IN ('good'::regclass, 'mine'::regclass);
SET client_min_messages = warning;		-- other tests' tables
SELECT target, purged FROM softdelete.purge_expired() WHERE target = 'good'::regclass;
RESET client_min_messages;
SELECT count(*) FROM softdelete.trash() WHERE target = 'good'::regclass;

-- the label that says "deleted" cannot be renamed away from under a managed table
CREATE TYPE state AS ENUM ('live', 'deleted');
CREATE TABLE t (id int PRIMARY KEY, s state);
SELECT softdelete.enable('t', 's');
INSERT INTO t VALUES (1, 'live'), (2, 'live');
DELETE FROM t WHERE id = 1;
\set VERBOSITY sqlstate
ALTER TYPE state RENAME VALUE 'deleted' TO 'gone';
\set VERBOSITY default
ALTER TYPE state RENAME VALUE 'live' TO 'alive';
SELECT id, s FROM t;
-- the type itself can be
ALTER TYPE state RENAME TO "New state";
SELECT softdelete.live_predicate('t');
SELECT softdelete.create_live_index('t', 'id');
DELETE FROM t WHERE id = 2;
SELECT softdelete.restore('t', 1);
SELECT id, s FROM t;
SELECT softdelete.disable('t');
