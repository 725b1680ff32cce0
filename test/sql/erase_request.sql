-- Erasure on request: a row, live or deleted, goes at once and for good, with what
-- hangs on it; the log says that rows were erased, and keeps no personal value.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA erase_request;
GRANT USAGE ON SCHEMA erase_request TO sd_user;
SET search_path = erase_request;
CREATE TABLE person (id int PRIMARY KEY, name text);
CREATE TABLE callback (id int PRIMARY KEY, person_id int REFERENCES person ON DELETE CASCADE);
CREATE TABLE invoice (id int PRIMARY KEY, person_id int REFERENCES person);
SET client_min_messages = warning;
SELECT softdelete.enable('person', cascade => true, retention => '1 year');
RESET client_min_messages;
INSERT INTO person SELECT i, 'person ' || i FROM generate_series(1, 6) i;
INSERT INTO callback SELECT i, (i - 1) % 6 + 1 FROM generate_series(1, 12) i;
INSERT INTO invoice VALUES (1, 4);
GRANT SELECT, DELETE ON person TO sd_user;

-- a live one, with its callbacks, one of which was deleted before; and a deleted one
DELETE FROM callback WHERE id = 1;
DELETE FROM person WHERE id = 2;
SET softdelete.actor = 'clerk';
SET softdelete.reason = 'Jane Doe <jane@example.org> asked for it';
SELECT softdelete.erase('person', 1);
SELECT softdelete.erase('person', 2);
RESET softdelete.actor;
RESET softdelete.reason;
SET softdelete.visibility = 'with_deleted';
SELECT array_agg(id ORDER BY id) AS persons FROM person;
SELECT array_agg(id ORDER BY id) AS callbacks FROM callback;
RESET softdelete.visibility;
SELECT count(*) FILTER (WHERE d::text ~* 'jane|person 1') AS personal, max(total) FILTER (WHERE reason = 'erased') AS total,
	   max(purged) FILTER (WHERE reason = 'erased') AS purged
  FROM softdelete.deletions d WHERE target = 'person'::regclass;
SELECT softdelete.erase('person', 1);

-- What refuses a DELETE refuses this, and so does a hold; nothing is changed then.
SELECT softdelete.erase('person', 4);
SELECT softdelete.hold_row('person', 'case', 5);
SELECT softdelete.erase('person', 5);
SELECT softdelete.release_row('person', 5);
SELECT array_agg(id ORDER BY id) AS persons FROM person;
SELECT softdelete.erase('person', 5);

-- the owner's to do
SET SESSION AUTHORIZATION sd_user;
SELECT softdelete.erase('erase_request.person', 6);
DELETE FROM erase_request.person WHERE id = 6;
SELECT softdelete.erase('erase_request.person', 6);
SET SESSION AUTHORIZATION sd_owner;

-- redact(): who and why leave the log
SET softdelete.actor = 'Jane Doe';
SET softdelete.reason = 'I want to be forgotten';
DELETE FROM person WHERE id = 3;
SELECT softdelete.restore('person', 3);
RESET softdelete.actor;
RESET softdelete.reason;
SELECT id, actor, reason FROM softdelete.deletions WHERE target = 'person'::regclass AND actor = 'Jane Doe' \gset
SET SESSION AUTHORIZATION sd_user;
SELECT softdelete.redact(:id);
SET SESSION AUTHORIZATION sd_owner;
SELECT softdelete.redact(:id);
SELECT target, deleted_by, actor, reason, total, restored FROM softdelete.deletions WHERE id = :id;
SELECT actor, reason, rows FROM softdelete.restores WHERE deletion_id = :id;
\set VERBOSITY sqlstate
SELECT softdelete.redact(-1);
\set VERBOSITY terse

-- a row that has made room for a new one with its key, too: nothing is left of either
INSERT INTO person VALUES (7, 'Jane Doe');
DELETE FROM person WHERE id = 7;
INSERT INTO person VALUES (7, 'Jane Doe again');
SELECT count(*) FROM softdelete.trash('person') t WHERE t.key = '{"id": 7}';
SELECT softdelete.erase('person', 7);
SELECT count(*) FROM softdelete.trash('person') t WHERE t.key = '{"id": 7}';

-- A policy that erases rows of a managed table, too.
INSERT INTO person SELECT i, 'guest' FROM generate_series(10, 14) i;
INSERT INTO callback SELECT i + 100, i FROM generate_series(10, 14) i;
SELECT softdelete.add_policy('guests', 'person', condition => $$name = 'guest'$$, action => 'erase');
SELECT * FROM softdelete.policy_step('guests', 3);
SELECT softdelete.run_policy('guests');
SET softdelete.visibility = 'with_deleted';
SELECT count(*) AS guests FROM person WHERE name = 'guest';
SELECT count(*) AS callbacks FROM callback WHERE id > 100;
RESET softdelete.visibility;
SELECT softdelete.drop_policy('guests');
