-- Policies: rows that go though nobody deletes them.  By a condition over the
-- table's columns and others' tables, or all but the newest so many of a group;
-- softly, logged under the policy's name, or for good in a table that keeps nothing.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA policy_rules;
GRANT USAGE ON SCHEMA policy_rules TO sd_user;
SET search_path = policy_rules;

-- A shop: carts are kept, the items of users who have not been seen for 90 days go.
CREATE TABLE users (id int PRIMARY KEY, last_active timestamptz);
CREATE TABLE carts (id int PRIMARY KEY, user_id int REFERENCES users);
CREATE TABLE "Cart item" (id int PRIMARY KEY, cart_id int REFERENCES carts, is_deleted boolean NOT NULL DEFAULT false);
CREATE TABLE note (id int PRIMARY KEY, item_id int REFERENCES "Cart item" ON DELETE CASCADE);
CREATE TABLE session (id int PRIMARY KEY, "user id" int, last_active timestamptz);
INSERT INTO users VALUES (1, now() - interval '100 days'), (2, now()), (3, NULL);
INSERT INTO carts SELECT i, i FROM generate_series(1, 3) i;
INSERT INTO "Cart item" SELECT i, (i - 1) % 3 + 1 FROM generate_series(1, 9) i;
INSERT INTO note SELECT i, i FROM generate_series(1, 9) i;
INSERT INTO session SELECT i, (i - 1) % 2, now() - i * interval '1 hour' FROM generate_series(1, 12) i;
SET client_min_messages = warning;
SELECT softdelete.enable('"Cart item"', 'is_deleted', cascade => true);
RESET client_min_messages;

SELECT softdelete.add_policy('items of inactive users', '"Cart item"', condition =>
	$$cart_id IN (SELECT c.id FROM carts c JOIN users u ON u.id = c.user_id
				   WHERE u.last_active < now() - interval '90 days')  -- unknown is not inactive$$);
SELECT softdelete.add_policy('newest four', 'session', keep => 4, per => '{"user id"}', order_by => 'last_active DESC', action => 'erase');
SELECT name, target, keep, per, order_by, action, last_run, last_rows, last_error FROM softdelete.policies ORDER BY name;

-- a dry run counts and changes nothing
SELECT softdelete.run_policy('items of inactive users', dry_run => true) AS items,
	   softdelete.run_policy('newest four', dry_run => true) AS sessions;
SELECT count(*) FROM "Cart item";
SELECT count(*) FROM session;
SELECT last_run IS NULL AS not_run FROM softdelete.policies;

-- It is run under the search_path that it was written under, and changes none of
-- the caller's settings.
SET search_path = pg_catalog;
SET softdelete.reason = 'spring cleaning';
SET softdelete.visibility = 'all';
SELECT softdelete.run_policy('items of inactive users') AS items, softdelete.run_policy('newest four') AS sessions;
SHOW search_path;
SHOW softdelete.reason;
SHOW softdelete.visibility;
RESET softdelete.visibility;
RESET softdelete.reason;
SET search_path = policy_rules;
SELECT cart_id, count(*) FROM "Cart item" GROUP BY 1 ORDER BY 1;
SELECT count(*) AS notes FROM note;
SELECT count(*) AS carts FROM carts;
SELECT "user id", count(*), min(id), max(id) FROM session GROUP BY 1 ORDER BY 1;
SELECT target, deleted_by, reason, rows FROM softdelete.deletions WHERE target = '"Cart item"'::regclass;
SELECT name, last_run = now() AS now, last_rows, last_error FROM softdelete.policies ORDER BY name;
-- nothing to do is no error
SELECT softdelete.run_policy('items of inactive users') AS items;
-- and all comes back
SELECT sum(softdelete.undo(id)) FROM softdelete.deletions WHERE reason = 'items of inactive users';

-- In batches: more says whether to go on.  Written down together, as one run.
SELECT softdelete.add_policy('batches', '"Cart item"', condition => 'id > 2');
SELECT * FROM softdelete.policy_step('batches', 5);
SELECT last_rows FROM softdelete.policies WHERE name = 'batches';
SELECT * FROM softdelete.policy_step('batches', 5);
SELECT last_rows FROM softdelete.policies WHERE name = 'batches';
SELECT * FROM softdelete.policy_step('batches', 5);
SELECT last_rows FROM softdelete.policies WHERE name = 'batches';

-- One that fails says so and is an error to nobody but whoever runs it by hand.
ALTER TABLE "Cart item" RENAME id TO number;
\set VERBOSITY terse
SELECT * FROM softdelete.policy_step('batches', 5);
SELECT last_rows, last_error FROM softdelete.policies WHERE name = 'batches';
SELECT softdelete.run_policy('batches');
ALTER TABLE "Cart item" RENAME number TO id;

------------------------------------------------------------------------------
-- What is refused, and how it is said
------------------------------------------------------------------------------
\set VERBOSITY default
SELECT softdelete.add_policy('wrong', '"Cart item"', condition => 'cart = 1');
SELECT softdelete.add_policy('wrong', '"Cart item"', condition => 'cart_id + 1');
SELECT softdelete.add_policy('wrong', '"Cart item"', condition => 'true); DELETE FROM carts; SELECT (true');
SELECT softdelete.add_policy('wrong', 'session', keep => 4, order_by => 'last_seen DESC', action => 'erase');
SELECT softdelete.add_policy('wrong', 'session', keep => 4, per => '{user}', order_by => 'id', action => 'erase');
SELECT softdelete.add_policy('wrong', 'session', keep => 4, action => 'erase');
SELECT softdelete.add_policy('wrong', 'session', keep => -1, order_by => 'id', action => 'erase');
SELECT softdelete.add_policy('wrong', 'session', condition => 'true', order_by => 'id', action => 'erase');
SELECT softdelete.add_policy('wrong', 'session', action => 'erase');
SELECT softdelete.add_policy('wrong', 'session', condition => 'true');
SELECT softdelete.add_policy('wrong', 'session', condition => 'true', action => 'hide');
SELECT softdelete.add_policy('', 'session', condition => 'true', action => 'erase');
SELECT softdelete.add_policy('newest four', 'session', condition => 'true', action => 'erase');
SELECT softdelete.run_policy('no such');
SELECT softdelete.drop_policy('no such');
SELECT count(*) AS carts FROM carts;

-- A policy is its table's owner's: nobody else sees, makes, runs or ends it.
SET SESSION AUTHORIZATION sd_user;
SELECT softdelete.add_policy('mine', 'policy_rules.session', condition => 'true', action => 'erase');
SELECT count(*) FROM softdelete.policies;
SELECT softdelete.run_policy('newest four');
SELECT softdelete.drop_policy('newest four');
INSERT INTO softdelete.policy (name, target, condition, action, path) VALUES ('mine', 'policy_rules.session', 'true', 'erase', '');
SELECT softdelete.run_as_owner('policy_rules.session', '', '', 'DELETE FROM policy_rules.session');

-- A superuser runs it as the owner: what the owner wrote has the owner's rights.
SET SESSION AUTHORIZATION sd_owner;
CREATE FUNCTION whoami() RETURNS text LANGUAGE sql AS 'SELECT current_user::text';
SELECT softdelete.add_policy('who', 'session', condition => $$whoami() = 'sd_owner' AND id = 1$$, action => 'erase');
SET SESSION AUTHORIZATION DEFAULT;
SELECT softdelete.run_policy('who');
SET SESSION AUTHORIZATION sd_owner;

-- No deletion where the table has been handed back meanwhile: it would erase.
SELECT softdelete.drop_policy(name) FROM softdelete.policies WHERE name <> 'batches';
SELECT softdelete.disable('note');
SET client_min_messages = error;
SELECT softdelete.disable('"Cart item"');
RESET client_min_messages;
SELECT softdelete.run_policy('batches');
SELECT softdelete.drop_policy('batches');
SELECT count(*) FROM softdelete.policies;
