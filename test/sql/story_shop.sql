-- A shop.  Some of its tables mark rows with is_deleted and deleted_at, one with
-- is_deleted alone, one with is_active, and one not at all.  Sessions are trimmed to
-- the newest four of a user; what is still really deleted can be listed; a table that
-- has no mark gets one later, and the application goes on as it is.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA story_shop;
SET search_path = story_shop;
SET client_min_messages = warning;
CREATE TABLE members (id int PRIMARY KEY, email text NOT NULL UNIQUE, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz);
CREATE TABLE addresses (id int PRIMARY KEY, member_id int NOT NULL REFERENCES members ON DELETE CASCADE, city text,
						is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz);
CREATE TABLE products (id int PRIMARY KEY, name text, is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz);
CREATE TABLE banners (id int PRIMARY KEY, product_id int REFERENCES products ON DELETE SET NULL,
					  is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz);
CREATE TABLE carts (id int PRIMARY KEY, member_id int NOT NULL REFERENCES members ON DELETE CASCADE);
CREATE TABLE cart_items (id int PRIMARY KEY, cart_id int NOT NULL REFERENCES carts ON DELETE CASCADE, product_id int REFERENCES products,
						 is_deleted boolean NOT NULL DEFAULT false);
CREATE TABLE cart_coupons (cart_id int REFERENCES carts, code text, PRIMARY KEY (cart_id, code));
CREATE TABLE device_sessions (id int PRIMARY KEY, member_id int NOT NULL REFERENCES members, is_active boolean NOT NULL DEFAULT true,
							  event_on_logout timestamptz, last_active timestamptz NOT NULL);
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
CREATE INDEX ON addresses (member_id);
CREATE INDEX ON banners (product_id);
CREATE INDEX ON carts (member_id);
CREATE INDEX ON cart_items (cart_id);
CREATE INDEX ON cart_items (product_id);
GRANT USAGE ON SCHEMA story_shop TO sd_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA story_shop TO sd_user;

INSERT INTO members (id, email) VALUES (1, 'ann@example.org'), (2, 'bob@example.org'), (3, 'eve@example.org');
INSERT INTO addresses (id, member_id, city) VALUES (1, 1, 'Lyon'), (2, 1, 'Kyiv'), (3, 2, 'Oslo');
INSERT INTO products (id, name) VALUES (1, 'pear'), (2, 'plum'), (3, 'fig');
INSERT INTO banners (id, product_id) VALUES (1, 1), (2, 2);
INSERT INTO carts VALUES (1, 1), (2, 2);
INSERT INTO cart_items (id, cart_id, product_id) VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3);
INSERT INTO cart_coupons VALUES (1, 'SPRING'), (1, 'TEN'), (2, 'TEN');

------------------------------------------------------------------------------
-- Every table by the mark that it has: one call for the members and what is
-- theirs, one for the products
------------------------------------------------------------------------------
-- some were marked by the application already
UPDATE products SET is_deleted = true, deleted_at = now() - interval '3 days' WHERE id = 3;
UPDATE cart_items SET is_deleted = true WHERE id = 3;
RESET client_min_messages;
SELECT softdelete.enable('cart_items', 'is_deleted');
SELECT softdelete.enable('members', 'is_deleted', cascade => true);
SELECT softdelete.enable('products', 'is_deleted'), softdelete.enable('banners', 'is_deleted');
SELECT target, marker, kind, live_predicate FROM softdelete.tables WHERE target::text ~ '^(members|addresses|products|banners|carts|cart_items)$' ORDER BY target::text;

-- the application, as it is
SET SESSION AUTHORIZATION sd_user;
SET search_path = story_shop;
DELETE FROM cart_items WHERE id = 2;
UPDATE banners SET is_deleted = true WHERE id = 2;			-- by its own mark
BEGIN;		-- one unit of work, many tables
DELETE FROM cart_items WHERE product_id = 1;
DELETE FROM banners WHERE product_id = 1;
DELETE FROM products WHERE id = 1;
COMMIT;
SELECT (SELECT array_agg(id ORDER BY id) FROM products) AS products, (SELECT array_agg(id ORDER BY id) FROM banners) AS banners,
	   (SELECT array_agg(id ORDER BY id) FROM cart_items) AS items;
SELECT rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SET softdelete.visibility = with_deleted;
SELECT id, is_deleted, deleted_at IS NOT NULL AS dated FROM products ORDER BY id;
SELECT id, is_deleted, deleted_at IS NOT NULL AS dated FROM cart_items ORDER BY id;		-- got a deleted_at, too
RESET softdelete.visibility;
SELECT softdelete.restore('products', 1) AS rows;
SELECT (SELECT array_agg(id ORDER BY id) FROM products) AS products, (SELECT array_agg(id ORDER BY id) FROM banners) AS banners,
	   (SELECT array_agg(id ORDER BY id) FROM cart_items) AS items;
-- a product that was marked by hand comes back as well
SELECT softdelete.restore('products', 3) AS rows;
-- a closed account's address is free
DELETE FROM cart_coupons WHERE cart_id = 1;
DELETE FROM members WHERE email = 'ann@example.org' RETURNING id, is_deleted;
INSERT INTO members (id, email) VALUES (4, 'ann@example.org') ON CONFLICT (email) DO NOTHING;
SELECT m.id, m.email, count(a.id) AS addresses FROM members m LEFT JOIN addresses a ON a.member_id = m.id GROUP BY m.id ORDER BY m.id;
SELECT key, outcome, rows FROM softdelete.restore_many('members', '{1}'::int[]);
DELETE FROM members WHERE id = 4;
SELECT key, outcome, rows FROM softdelete.restore_many('members', '{1}'::int[]);

------------------------------------------------------------------------------
-- A coupon that is taken off a cart is really deleted: it has no mark
------------------------------------------------------------------------------
DELETE FROM cart_coupons WHERE cart_id = 2 AND code = 'TEN';
SET softdelete.visibility = with_deleted;
SELECT * FROM cart_coupons;
RESET softdelete.visibility;
INSERT INTO cart_coupons VALUES (1, 'SPRING'), (2, 'TEN');
-- it holds its cart, as any row does whose key does not cascade
\set VERBOSITY terse
DELETE FROM carts WHERE id = 1;
\set VERBOSITY default
-- a DELETE trigger of the cart's lets it go at once and for good, while the cart can come back
SET SESSION AUTHORIZATION sd_owner;
CREATE FUNCTION take_off_coupons() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM story_shop.cart_coupons WHERE cart_id = old.id;
	RETURN old;
END $$;
CREATE TRIGGER take_off_coupons BEFORE DELETE ON carts FOR EACH ROW EXECUTE FUNCTION take_off_coupons();
SET SESSION AUTHORIZATION sd_user;
DELETE FROM carts WHERE id = 1;
SELECT * FROM cart_coupons ORDER BY 1, 2;
SELECT softdelete.state('carts', 1);
SELECT softdelete.restore('carts', 1) AS rows;
SELECT count(*) AS coupons FROM cart_coupons WHERE cart_id = 1;

------------------------------------------------------------------------------
-- At most four active sessions a member: when a fifth is made, the oldest go for
-- good.  The owner says so once; the application asks for it after each login
------------------------------------------------------------------------------
SET SESSION AUTHORIZATION sd_owner;
SELECT softdelete.add_policy('four sessions', 'device_sessions', condition => 'is_active', keep => 4, per => '{member_id}',
							 order_by => 'last_active DESC', action => 'erase');
CREATE FUNCTION trim_sessions() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM softdelete.run_policy('four sessions');
	RETURN NULL;
END $$;
CREATE TRIGGER trim_sessions AFTER INSERT ON device_sessions FOR EACH STATEMENT EXECUTE FUNCTION trim_sessions();
SET SESSION AUTHORIZATION sd_user;
INSERT INTO device_sessions (id, member_id, last_active) SELECT n, 1, now() - (10 - n) * interval '1 minute' FROM generate_series(1, 4) n;
INSERT INTO device_sessions (id, member_id, last_active) VALUES (10, 2, now());
INSERT INTO device_sessions (id, member_id, is_active, event_on_logout, last_active) VALUES (11, 1, false, now(), now() - interval '1 hour');
SELECT member_id, array_agg(id ORDER BY id) FROM device_sessions GROUP BY 1 ORDER BY 1;
INSERT INTO device_sessions (id, member_id, last_active) VALUES (5, 1, now());
SELECT member_id, array_agg(id ORDER BY id) FROM device_sessions GROUP BY 1 ORDER BY 1;		-- logged out ones do not count
INSERT INTO device_sessions (id, member_id, last_active) SELECT n, 1, now() + n * interval '1 second' FROM generate_series(6, 9) n;
SELECT member_id, array_agg(id ORDER BY id) FROM device_sessions GROUP BY 1 ORDER BY 1;

------------------------------------------------------------------------------
-- Every 24 hours: inactive sessions whose logout is older than the cut-off, and
-- sessions that claim to be active but were last seen before it.  For good, both
-- counted
------------------------------------------------------------------------------
SET SESSION AUTHORIZATION sd_owner;
INSERT INTO device_sessions (id, member_id, is_active, event_on_logout, last_active) VALUES
	(21, 3, false, now() - interval '25 hours', now() - interval '26 hours'), (22, 3, false, now() - interval '30 hours', now() - interval '5 minutes'),
	(23, 3, false, now() - interval '23 hours', now() - interval '3 days'), (24, 3, true, NULL, now() - interval '2 days'),
	(25, 3, true, NULL, now() - interval '23 hours'), (26, 3, false, NULL, now() - interval '3 days');
SELECT softdelete.add_policy('logged out', 'device_sessions', $$NOT is_active AND event_on_logout < now() - interval '24 hours'$$, action => 'erase'),
	   softdelete.add_policy('not seen', 'device_sessions', $$is_active AND last_active < now() - interval '24 hours'$$, action => 'erase');
SELECT softdelete.run_policy('logged out', dry_run => true) AS logged_out, softdelete.run_policy('not seen', dry_run => true) AS not_seen;
SELECT coalesce(max(id), 0) AS before FROM softdelete.job_runs \gset
CALL softdelete.run_maintenance('device_sessions', dry_run => true);
CALL softdelete.run_maintenance('device_sessions');
SELECT job, target, status, purged FROM softdelete.job_runs WHERE id > :before AND job LIKE 'policy%' ORDER BY id;
SELECT name, last_rows, last_error FROM softdelete.policies WHERE target = 'device_sessions'::regclass ORDER BY name;
SELECT id FROM device_sessions WHERE member_id = 3 ORDER BY id;		-- 26: nobody knows when it logged out
-- again: nothing left, and no error
CALL softdelete.run_maintenance('device_sessions');
SELECT name, last_rows, last_error FROM softdelete.policies WHERE target = 'device_sessions'::regclass ORDER BY name;

------------------------------------------------------------------------------
-- A list of every place where rows are still really deleted: table, place, and
-- whether the table has a mark; and of the tables that have one
------------------------------------------------------------------------------
SELECT target, managed, path, object, problem FROM softdelete.hard_deletes
 WHERE target::text ~ '^(members|addresses|products|banners|carts|cart_items|cart_coupons|device_sessions|alembic_version)$'
 ORDER BY path, target::text, object;
SELECT target, marker FROM softdelete.tables WHERE target::text ~ '^(members|addresses|products|banners|carts|cart_items|cart_coupons|device_sessions)$' ORDER BY target::text;

------------------------------------------------------------------------------
-- The coupons get a mark later on, and the application is not touched
------------------------------------------------------------------------------
DROP TRIGGER take_off_coupons ON carts;
ALTER TABLE cart_coupons ADD is_deleted boolean NOT NULL DEFAULT false, ADD deleted_at timestamptz;
SELECT softdelete.enable('cart_coupons', 'is_deleted');
SET SESSION AUTHORIZATION sd_user;
DELETE FROM cart_coupons WHERE cart_id = 2 AND code = 'TEN';
SELECT * FROM cart_coupons;
SELECT key, deleted_by, row_data ->> 'is_deleted' AS is_deleted FROM softdelete.trash('cart_coupons');
INSERT INTO cart_coupons (cart_id, code) VALUES (2, 'TEN');			-- put on again, under the same key
DELETE FROM cart_coupons WHERE cart_id = 2;
SELECT softdelete.restore('cart_coupons', 2, 'TEN') AS rows;
SELECT * FROM cart_coupons;
SELECT count(*) AS listed FROM softdelete.hard_deletes WHERE target = 'cart_coupons'::regclass;
\set VERBOSITY terse
CALL softdelete.run_maintenance('device_sessions');			-- the owner's
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
SELECT softdelete.drop_policy(name) FROM softdelete.policies WHERE target = 'device_sessions'::regclass;
