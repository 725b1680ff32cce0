-- What the five stories pass over: a table that holds a deleted row's parent, keys put in
-- anew by upsert, rows marked by hand at a known time, statuses that are set by UPDATE.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
SET TimeZone = 'UTC';

------------------------------------------------------------------------------
-- 1. A shop.  Some models mark with is_deleted, some with deleted_at; one
--    unit of work deletes from all of them.  Sessions are trimmed to the
--    newest four of each user.
------------------------------------------------------------------------------
CREATE SCHEMA further_shop;
SET search_path = further_shop;
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL UNIQUE, is_deleted boolean NOT NULL DEFAULT false);
CREATE TABLE sessions (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users ON DELETE CASCADE,
					   created_at timestamptz NOT NULL, is_deleted boolean NOT NULL DEFAULT false);
CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users, total numeric, deleted_at timestamptz);
CREATE TABLE reviews (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE SET NULL, stars int);
CREATE INDEX ON sessions (user_id);
SELECT softdelete.enable('sessions', 'is_deleted', retention => '7 days');
SELECT softdelete.enable('users', 'is_deleted');
SELECT softdelete.enable('orders');
SELECT softdelete.set_retention('orders', NULL);
SELECT softdelete.create_live_unique('users', 'email');
SELECT target, marker, kind, live_predicate, retention FROM softdelete.tables
 WHERE target IN ('users'::regclass, 'sessions', 'orders') ORDER BY target::text;
INSERT INTO users (id, email) VALUES (1, 'ann@example.org'), (2, 'bob@example.org'), (3, 'eve@example.org');
INSERT INTO sessions (id, user_id, created_at)
	SELECT 10 * u + n, u, timestamptz '2024-01-01' + n * interval '1 day' FROM generate_series(1, 3) u, generate_series(1, 2 * u + 1) n;
INSERT INTO orders VALUES (1, 2, 9.99), (2, 3, 5);
INSERT INTO reviews VALUES (1, 1, 5), (2, 2, 4);
-- the nightly trim, as it stands in the application
DELETE FROM sessions WHERE id IN (
	SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY created_at DESC) AS newest FROM sessions) s
	 WHERE newest > 4);
SELECT user_id, count(*), min(id) AS oldest FROM sessions GROUP BY user_id ORDER BY user_id;
-- again: there is nothing left to trim, and no log row
DELETE FROM sessions WHERE id IN (
	SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY created_at DESC) AS newest FROM sessions) s
	 WHERE newest > 4);
SELECT total FROM softdelete.deletions WHERE target = 'sessions'::regclass ORDER BY id;
-- an account is closed, and opened again under the same address
DELETE FROM users WHERE email = 'ann@example.org' RETURNING id, is_deleted;
SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM sessions WHERE user_id = 1) AS sessions, (SELECT count(*) FROM reviews WHERE user_id = 1) AS reviews;
INSERT INTO users VALUES (4, 'ann@example.org');
\set VERBOSITY sqlstate
SELECT softdelete.restore('users', 1);
DELETE FROM users WHERE id = 2;		-- has orders
\set VERBOSITY default
DELETE FROM orders WHERE user_id = 2;
DELETE FROM users WHERE id = 2;
-- by flag, as older code does it: one and the same thing
UPDATE users SET is_deleted = true WHERE id = 3;	-- has orders, too
UPDATE users SET is_deleted = true WHERE id = 4;
SELECT id FROM users ORDER BY id;
SELECT softdelete.restore('users', 1);
SELECT u.id, count(s.id) AS sessions FROM users u LEFT JOIN sessions s ON s.user_id = u.id GROUP BY u.id ORDER BY u.id;
SET softdelete.visibility = 'all';
SELECT id, is_deleted, deleted_at IS NOT NULL AS dated, deletion_id IS NOT NULL AS stamped FROM users ORDER BY id;
RESET softdelete.visibility;

------------------------------------------------------------------------------
-- 2. A job that clears the cart items of users who have been inactive for 90
--    days, and keeps their carts
------------------------------------------------------------------------------
CREATE SCHEMA further_cart;
SET search_path = further_cart;
CREATE TABLE users (id int PRIMARY KEY, last_seen timestamptz);
CREATE TABLE carts (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users ON DELETE CASCADE);
CREATE TABLE cart_items (cart_id int REFERENCES carts ON DELETE CASCADE, product text, quantity int NOT NULL CHECK (quantity > 0), PRIMARY KEY (cart_id, product));
SELECT softdelete.enable('cart_items', retention => '14 days');
INSERT INTO users SELECT n, now() - n * interval '31 days' FROM generate_series(1, 5) n;
INSERT INTO carts SELECT n, n FROM generate_series(1, 5) n;
INSERT INTO cart_items SELECT c, p, c FROM generate_series(1, 5) c, unnest('{apple,pear}'::text[]) p;
SET softdelete.actor = 'cart job';
SET softdelete.reason = 'inactive for 90 days';
WITH cleared AS (
	DELETE FROM cart_items i USING carts c JOIN users u ON u.id = c.user_id
	 WHERE i.cart_id = c.id AND u.last_seen < now() - interval '90 days' RETURNING i.cart_id)
SELECT cart_id, count(*) FROM cleared GROUP BY cart_id ORDER BY cart_id;
RESET softdelete.actor;
RESET softdelete.reason;
SELECT c.id, count(i.product) AS items FROM carts c LEFT JOIN cart_items i ON i.cart_id = c.id GROUP BY c.id ORDER BY c.id;
-- one comes back and asks for the cart: all of it, or one thing
SET softdelete.visibility = deleted;
UPDATE cart_items SET deleted_at = NULL WHERE cart_id = 4;
RESET softdelete.visibility;
SELECT softdelete.restore('cart_items', 5, 'pear');
SELECT cart_id, product, quantity FROM cart_items WHERE cart_id > 3 ORDER BY 1, 2;
-- what was cleared is put into the cart anew: the key is that of the old row
INSERT INTO cart_items VALUES (5, 'apple', 1) ON CONFLICT (cart_id, product)
	DO UPDATE SET quantity = 1, deleted_at = NULL RETURNING product, quantity;
-- the users are really deleted, with carts, but not while live items hang on them
\set VERBOSITY sqlstate
DELETE FROM users WHERE id = 3;
DELETE FROM users WHERE id = 4;
\set VERBOSITY default
SELECT id FROM users ORDER BY id;
SELECT actor, reason, total, restored FROM softdelete.deletions WHERE target = 'cart_items'::regclass;

------------------------------------------------------------------------------
-- 3. A forum.  Posts take their attachments along; is_active says whether a
--    row lives and deleted_at since when not
------------------------------------------------------------------------------
CREATE SCHEMA further_forum;
SET search_path = further_forum;
CREATE TABLE posts (id int PRIMARY KEY, title text, is_active boolean NOT NULL DEFAULT true, deleted_at timestamp);
CREATE TABLE attachments (id int PRIMARY KEY, post_id int NOT NULL REFERENCES posts ON DELETE CASCADE, file text,
						  is_active boolean NOT NULL DEFAULT true, deleted_at timestamp);
CREATE INDEX ON attachments (post_id);
-- some were deleted before, by hand
INSERT INTO posts (id, title, is_active, deleted_at) VALUES
	(1, 'first', true, NULL), (2, 'second', true, NULL), (3, 'third', false, '2024-05-05 05:05'), (4, 'fourth', false, NULL);
INSERT INTO attachments (id, post_id, file, is_active) SELECT n, (n + 1) / 2, n || '.png', n NOT IN (1, 5, 6, 7, 8) FROM generate_series(1, 8) n;
SELECT softdelete.enable('attachments', 'is_active');
SELECT softdelete.enable('posts', 'is_active');
SELECT total, reason FROM softdelete.deletions WHERE target IN ('posts'::regclass, 'attachments') ORDER BY id;
SELECT (SELECT count(*) FROM posts) AS posts, (SELECT count(*) FROM attachments) AS attachments;
DELETE FROM posts WHERE id IN (1, 2);
SET softdelete.visibility = 'all';
SELECT id, post_id, is_active, deleted_at IS NOT NULL AS dated FROM attachments ORDER BY id;
SELECT id, is_active, deleted_at = '2024-05-05 05:05' AS "then" FROM posts WHERE id > 2 ORDER BY id;
RESET softdelete.visibility;
SELECT softdelete.restore('posts', 1);
-- the one that was deleted before the post stays deleted
SELECT p.id, a.id AS attachment FROM posts p LEFT JOIN attachments a ON a.post_id = p.id ORDER BY 1, 2;
SELECT softdelete.restore('posts', 3);
SELECT id, title, is_active, deleted_at FROM posts ORDER BY id;
-- the application that sets is_active itself
UPDATE posts SET is_active = false WHERE id = 1;
SELECT count(*) FROM attachments WHERE post_id = 1;
SELECT rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SET softdelete.visibility = 'all';
UPDATE posts SET is_active = true WHERE id = 1 RETURNING id, is_active, deleted_at, deletion_id;
RESET softdelete.visibility;
SELECT count(*) FROM attachments WHERE post_id = 1;

------------------------------------------------------------------------------
-- 4. A service for items whose status is active, inactive, pending or deleted.
--    It tells "not found" from "already deleted", and a restored item has the
--    status that it had.
------------------------------------------------------------------------------
CREATE SCHEMA further_items;
SET search_path = further_items;
CREATE TYPE status AS ENUM ('active', 'inactive', 'pending', 'deleted');
CREATE TABLE items (id uuid PRIMARY KEY, name text, status status NOT NULL DEFAULT 'pending', changed int DEFAULT 0);
SELECT softdelete.enable('items', 'status');
INSERT INTO items SELECT format('00000000-0000-0000-0000-00000000000%s', n)::uuid, 'item ' || n, s::status
  FROM unnest('{active,inactive,pending}'::text[]) WITH ORDINALITY u(s, n);
-- the service's own answer, by SQLSTATE
CREATE FUNCTION answer(what text, id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	ignored	bigint;
BEGIN
	EXECUTE format('SELECT softdelete.%I(''further_items.items'', $1)', what) INTO ignored USING id;
	RETURN '200 done';
EXCEPTION
	WHEN no_data_found THEN RETURN '404 ' || SQLERRM;
	WHEN object_not_in_prerequisite_state THEN RETURN '409 ' || SQLERRM;
	WHEN invalid_text_representation THEN RETURN '400 ' || SQLERRM;
END $$;
SELECT answer('delete', '00000000-0000-0000-0000-000000000002');
SELECT answer('delete', '00000000-0000-0000-0000-000000000002');
SELECT answer('delete', '00000000-0000-0000-0000-000000000009');
SELECT answer('delete', 'nonsense');
SELECT answer('restore', '00000000-0000-0000-0000-000000000001');
SELECT answer('restore', '00000000-0000-0000-0000-000000000009');
\set VERBOSITY default
SELECT softdelete.delete('items', '00000000-0000-0000-0000-000000000009');
SELECT name, status FROM items ORDER BY name;
DELETE FROM items;
SET softdelete.visibility = deleted;
SELECT name, status, former_status FROM items ORDER BY name;
RESET softdelete.visibility;
SELECT answer('restore', '00000000-0000-0000-0000-000000000001'), answer('restore', '00000000-0000-0000-0000-000000000002'),
	   answer('restore', '00000000-0000-0000-0000-000000000003'), answer('restore', '00000000-0000-0000-0000-000000000003');
SELECT name, status, former_status FROM items ORDER BY name;
-- through the status itself; and a restored item may be given another one
UPDATE items SET status = 'deleted' WHERE name = 'item 1' RETURNING name, status, former_status;
UPDATE items SET status = 'active' WHERE name = 'item 1';
SET softdelete.visibility = deleted;
UPDATE items SET status = 'pending' WHERE name = 'item 1' RETURNING name, status, former_status, deletion_id;
RESET softdelete.visibility;
SELECT name, status FROM items ORDER BY name;
-- a value that the column cannot hold
\set VERBOSITY sqlstate
CREATE TABLE others (id int PRIMARY KEY, status varchar(5));
SELECT softdelete.enable('others', 'status');
SELECT softdelete.enable('others', 'status', 'gone');
\set VERBOSITY default
