-- RETURNING shows a deleted row as it was: the application that reads the
-- marker's column sees what it would have seen
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA delete_returning;
SET search_path = delete_returning;
CREATE TABLE orders (id int PRIMARY KEY, status text NOT NULL DEFAULT 'new', is_new boolean GENERATED ALWAYS AS (status = 'new') STORED);
CREATE TABLE users (id int PRIMARY KEY, is_active boolean NOT NULL DEFAULT true);
SELECT softdelete.enable('orders', 'status'), softdelete.enable('users', 'is_active');
INSERT INTO orders (id, status) VALUES (1, 'new'), (2, 'paid'), (3, 'sent');
INSERT INTO users VALUES (1), (2);
DELETE FROM orders WHERE id = 1 RETURNING id, status;
DELETE FROM orders WHERE id = 2 RETURNING id, upper(status), is_new;
WITH d AS (DELETE FROM orders WHERE id = 3 RETURNING *) SELECT id, status FROM d;
DELETE FROM users RETURNING id, is_active;
SELECT softdelete.restore('orders', g) FROM generate_series(1, 3) g;
SELECT id, status FROM orders ORDER BY id;
