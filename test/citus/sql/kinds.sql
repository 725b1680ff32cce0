-- Every kind of table that Citus has: reference, local, sharded by schema, partitioned; managed first and then distributed
SET client_min_messages = warning;
SET ROLE shop_owner;

-- a reference table: the same id, time and mark on every node; a flag and a status as marks, rows that were marked before
CREATE TABLE cats (id int PRIMARY KEY, name text, is_deleted boolean NOT NULL DEFAULT false);
CREATE TABLE items (tenant int, id int, cat int REFERENCES cats ON DELETE CASCADE, status text NOT NULL DEFAULT 'active', PRIMARY KEY (tenant, id));
SELECT create_reference_table('cats');
SELECT create_distributed_table('items', 'tenant');
INSERT INTO cats SELECT i, 'cat ' || i FROM generate_series(1, 5) i;
INSERT INTO items SELECT t, i, 1 + i % 5 FROM generate_series(1, 8) t, generate_series(1, 10) i;
UPDATE cats SET is_deleted = true WHERE id = 5;
UPDATE items SET status = 'deleted' WHERE cat = 5;
SELECT softdelete.enable('items', 'status'), softdelete.enable('cats', 'is_deleted');
DELETE FROM cats WHERE id = 2;
SELECT id, target, rows, reason FROM softdelete.deletions ORDER BY id;
RESET ROLE;
CREATE FUNCTION replicas() RETURNS TABLE (nodes bigint, the_same boolean, cats text) LANGUAGE sql AS $$
	SELECT count(*), count(DISTINCT result) = 1, regexp_replace(max(result), '@[^ ]*', '', 'g') FROM run_command_on_placements('cats',
		$q$SELECT string_agg(format('%%s:%%s:%%s@%%s', id, is_deleted, deletion_id, extract(epoch FROM deleted_at)), ' ' ORDER BY id)
			 FROM %s WHERE softdelete.remote(deletion_id, 'v=2')$q$)
$$;
SELECT * FROM replicas();
SET ROLE shop_owner;
SELECT count(*), count(*) FILTER (WHERE cat = 2) FROM items;
SELECT softdelete.restore('cats', 2);
SELECT count(*), count(*) FILTER (WHERE cat = 2) FROM items;
SELECT status, count(*) FROM items GROUP BY 1;
SELECT softdelete.restore('items', 1, 4);
DELETE FROM items WHERE tenant = 1 AND id = 1;
SELECT softdelete.state('items', 1, 1), softdelete.restore('items', 1, 1);
SELECT status FROM items WHERE tenant = 1 AND id = 1;
SELECT softdelete.delete('cats', 3);
SELECT * FROM softdelete.purge_expired('cats', older_than => '0');
SELECT * FROM softdelete.purge_expired(older_than => '0');
SELECT id, target, rows, restored, purged FROM softdelete.deletions ORDER BY id;
RESET ROLE;
SELECT * FROM replicas();
SET ROLE shop_owner;
UPDATE cats SET is_deleted = true WHERE id = 4;
SELECT rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT softdelete.undo((SELECT max(id) FROM softdelete.deletions));
RESET ROLE;
SELECT * FROM replicas();
SET ROLE shop_owner;

-- a local table of the coordinator
CREATE TABLE notes (id int PRIMARY KEY, body text);
CREATE TABLE remarks (id int PRIMARY KEY, note int REFERENCES notes ON DELETE CASCADE);
SELECT citus_add_local_table_to_metadata('notes', cascade_via_foreign_keys => true);
SELECT softdelete.enable('notes', cascade => true);
INSERT INTO notes SELECT i, 'x' FROM generate_series(1, 7) i;
INSERT INTO remarks SELECT i, i FROM generate_series(1, 7) i;
DELETE FROM notes WHERE id = 1;
SELECT (SELECT count(*) FROM notes), (SELECT count(*) FROM remarks);
SELECT rows FROM softdelete.deletions WHERE target = 'notes'::regclass;
SELECT softdelete.restore('notes', 1);
PREPARE gone(int) AS DELETE FROM notes WHERE id = $1;
EXECUTE gone(1); EXECUTE gone(2); EXECUTE gone(3); EXECUTE gone(4); EXECUTE gone(5); EXECUTE gone(6); EXECUTE gone(7);
SELECT count(*), count(DISTINCT id), sum(total) FROM softdelete.deletions WHERE target = 'notes'::regclass AND restored = 0;
SELECT count(*), count(DISTINCT deletion_id) FROM softdelete.trash('notes');
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;
SELECT (SELECT count(*) FROM notes), (SELECT count(*) FROM remarks);
SELECT * FROM softdelete.purge_expired('remarks', older_than => '0');
SELECT * FROM softdelete.purge_expired('notes', older_than => '0');

-- a schema a tenant
SET citus.enable_schema_based_sharding = on;
CREATE SCHEMA tenant1;
CREATE SCHEMA tenant2;
RESET citus.enable_schema_based_sharding;
CREATE TABLE tenant1.accounts (id int PRIMARY KEY, email text UNIQUE);
CREATE TABLE tenant1.orders (id int PRIMARY KEY, account int REFERENCES tenant1.accounts ON DELETE CASCADE);
SET client_min_messages = notice;
SELECT softdelete.enable('tenant1.accounts', cascade => true);
INSERT INTO tenant1.accounts SELECT i, i || '@example.com' FROM generate_series(1, 5) i;
INSERT INTO tenant1.orders SELECT i, 1 + i % 5 FROM generate_series(1, 20) i;
DELETE FROM tenant1.accounts WHERE id = 1 RETURNING id, email;
SELECT rows FROM softdelete.deletions WHERE target = 'tenant1.accounts'::regclass;
INSERT INTO tenant1.accounts VALUES (7, '1@example.com');
SELECT softdelete.restore('tenant1.accounts', 1);
UPDATE tenant1.accounts SET email = '7@example.com' WHERE id = 7;
SELECT softdelete.restore('tenant1.accounts', 1);
INSERT INTO tenant1.accounts VALUES (8, '7@example.com') ON CONFLICT (email) DO UPDATE SET email = '8@example.com' RETURNING id, email;
SELECT * FROM softdelete.delete_many('tenant1.accounts', ARRAY[1, 2, 9]);
SELECT * FROM softdelete.restore_many('tenant1.accounts', ARRAY[1, 2, 3, 9]);
SELECT softdelete.undo((SELECT max(id) FROM softdelete.deletions));
SELECT softdelete.disable('tenant1.accounts');

-- partitioned and distributed
SET client_min_messages = warning;
CREATE TABLE events (tenant int, at date, n int, PRIMARY KEY (tenant, at, n)) PARTITION BY RANGE (at);
CREATE TABLE events1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
SELECT create_distributed_table('events', 'tenant');
SELECT softdelete.enable('events');
INSERT INTO events SELECT t, '2026-01-20'::date + i, i FROM generate_series(1, 5) t, generate_series(1, 20) i;
DELETE FROM events WHERE n % 2 = 0;
SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM events1), (SELECT count(*) FROM softdelete.trash('events'));
SELECT softdelete.restore('events', 1, '2026-01-22', 2);
SELECT softdelete.undo(max(id)) FROM softdelete.deletions WHERE target = 'events'::regclass;
DELETE FROM events1 WHERE n = 1;
SELECT rows, restored FROM softdelete.deletions WHERE target = 'events'::regclass ORDER BY id;
SELECT * FROM softdelete.purge_expired('events', older_than => '0');
CREATE TABLE events3 PARTITION OF events FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
INSERT INTO events VALUES (1, '2026-03-03', 1), (2, '2026-03-03', 2);
DELETE FROM events WHERE at > '2026-03-01';
SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM softdelete.trash('events'));

-- managed before it is distributed, at once and concurrently
CREATE TABLE first (id int PRIMARY KEY);
CREATE TABLE second (id int PRIMARY KEY);
SELECT softdelete.enable('first'), softdelete.enable('second');
INSERT INTO first SELECT i FROM generate_series(1, 50) i;
INSERT INTO second SELECT i FROM generate_series(1, 50) i;
DELETE FROM first WHERE id <= 10;
DELETE FROM second WHERE id <= 10;
SELECT create_distributed_table('first', 'id');
SELECT create_distributed_table_concurrently('second', 'id');
SELECT (SELECT count(*) FROM first), (SELECT count(*) FROM softdelete.trash('first')), (SELECT count(*) FROM second), (SELECT count(*) FROM softdelete.trash('second'));
DELETE FROM first WHERE id = 11;
INSERT INTO first VALUES (11);
SELECT softdelete.undo(id) FROM (SELECT id FROM softdelete.deletions WHERE target IN ('first'::regclass, 'second'::regclass) ORDER BY id) x;
SELECT (SELECT count(*) FROM first), (SELECT count(*) FROM second);
SELECT target, retention FROM softdelete.tables WHERE target IN ('first'::regclass, 'second'::regclass) ORDER BY target::text;
SELECT softdelete.disable('first', true);
\d first
