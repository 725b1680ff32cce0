-- A shop's daily clean-up: cart items of users who have not been active for 90 days go,
-- their carts stay.  The owner says so once, as a policy; the application's role reads
-- what was done.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA story_cart;
SET search_path = story_cart;
SET client_min_messages = warning;
CREATE TABLE users (id int PRIMARY KEY, last_active timestamptz);
CREATE TABLE carts (id int PRIMARY KEY, user_id int NOT NULL UNIQUE REFERENCES users);
CREATE TABLE cart_items (id int PRIMARY KEY, cart_id int NOT NULL REFERENCES carts ON DELETE CASCADE, product text,
						 created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON cart_items (cart_id);
-- what is configured: the owner changes it, the policy reads it
CREATE TABLE settings (name text PRIMARY KEY, value interval NOT NULL);
INSERT INTO settings VALUES ('inactive after', '90 days');
SELECT softdelete.enable('cart_items', retention => '14 days');
RESET client_min_messages;
GRANT USAGE ON SCHEMA story_cart TO sd_user;
-- 1: today, 2: at 89 days, 3: 91 days, 4: 200 days, 5: unknown; two things in each cart, none in that of 6
INSERT INTO users VALUES (1, now()), (2, now() - interval '89 days'), (3, now() - interval '91 days'), (4, now() - interval '200 days'), (5, NULL),
	(6, now() - interval '400 days');
INSERT INTO carts SELECT 10 * n, n FROM generate_series(1, 6) n;
INSERT INTO cart_items (id, cart_id, product, created_at)
	SELECT 2 * c + p, 10 * c, (ARRAY['pear', 'plum'])[p], now() - interval '50 days' * p FROM generate_series(1, 5) c, generate_series(1, 2) p;
CREATE VIEW cart AS SELECT c.user_id, count(i.id) AS items FROM carts c LEFT JOIN cart_items i ON i.cart_id = c.id GROUP BY 1 ORDER BY 1;
GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA story_cart TO sd_user;

------------------------------------------------------------------------------
-- The rule: items by way of the cart; who is not known to be inactive is not
------------------------------------------------------------------------------
SELECT softdelete.add_policy('inactive carts', 'cart_items', condition => $$
	cart_id IN (SELECT c.id FROM carts c JOIN users u ON u.id = c.user_id
				 WHERE u.last_active < now() - (SELECT value FROM settings WHERE name = 'inactive after'))$$);
-- what it would do, and that it did nothing
SELECT softdelete.run_policy('inactive carts', dry_run => true) AS would_delete;
SELECT * FROM cart;

------------------------------------------------------------------------------
-- Daily.  Items of inactive users go, carts stay, active users' items are untouched
------------------------------------------------------------------------------
SELECT coalesce(max(id), 0) AS before FROM softdelete.job_runs \gset
CALL softdelete.run_maintenance('cart_items');
SELECT * FROM cart;
SELECT count(*) AS carts, count(DISTINCT user_id) AS users FROM carts;
-- statistics: how many items, of how many users
SELECT job, status, expired, purged, batches, error FROM softdelete.job_runs WHERE id > :before AND job LIKE 'policy%';
SELECT last_rows, last_error FROM softdelete.policies WHERE name = 'inactive carts';
SELECT d.reason, d.deleted_by, d.rows ->> 'cart_items' AS items,
	   (SELECT count(DISTINCT c.user_id) FROM softdelete.trash('cart_items') t JOIN carts c ON c.id = (t.row_data ->> 'cart_id')::int
		 WHERE t.deletion_id = d.id) AS users
  FROM softdelete.deletions d WHERE d.target = 'cart_items'::regclass;

------------------------------------------------------------------------------
-- Nothing to do is no error, and says so
------------------------------------------------------------------------------
SELECT max(id) AS before FROM softdelete.job_runs \gset
CALL softdelete.run_maintenance('cart_items');
SELECT job, status, purged FROM softdelete.job_runs WHERE id > :before ORDER BY id;
SELECT last_rows, last_error FROM softdelete.policies WHERE name = 'inactive carts';
SELECT count(*) AS deletions FROM softdelete.deletions WHERE target = 'cart_items'::regclass;

------------------------------------------------------------------------------
-- By hand, with the time that is configured now
------------------------------------------------------------------------------
UPDATE settings SET value = '30 days' WHERE name = 'inactive after';
SELECT softdelete.run_policy('inactive carts', dry_run => true) AS would_delete, softdelete.run_policy('inactive carts') AS deleted;
SELECT * FROM cart;
-- a user who comes back gets the cart back
SELECT softdelete.undo(max(id)) AS rows FROM softdelete.deletions WHERE target = 'cart_items'::regclass;
SELECT * FROM cart;

------------------------------------------------------------------------------
-- Without last_active: by the item's own age
------------------------------------------------------------------------------
SELECT softdelete.drop_policy('inactive carts');
SELECT softdelete.add_policy('old items', 'cart_items', condition => $$created_at < now() - interval '90 days'$$);
SELECT softdelete.run_policy('old items') AS deleted;
SELECT id, cart_id, product FROM cart_items ORDER BY id;
SELECT softdelete.run_policy('old items') AS deleted;
-- an application's own statement does as well, and tells how many
SET SESSION AUTHORIZATION sd_user;
SET search_path = story_cart;
WITH gone AS (DELETE FROM cart_items i USING carts c JOIN users u ON u.id = c.user_id
			   WHERE i.cart_id = c.id AND u.last_active < now() - interval '80 days' RETURNING c.user_id)
SELECT count(*) AS items, count(DISTINCT user_id) AS users FROM gone;
SELECT * FROM cart;
-- it is not its policy
\set VERBOSITY terse
SELECT softdelete.drop_policy('old items');
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
SELECT softdelete.drop_policy('old items');
