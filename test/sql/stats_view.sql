-- What an operator sees at a glance: for each managed table how many rows are live,
-- deleted, past their retention and on hold, and when the next one expires.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA stats_view;
GRANT USAGE ON SCHEMA stats_view TO sd_user;
SET search_path = stats_view;
SET TimeZone = 'UTC';
SET client_min_messages = warning;
CREATE TABLE "Lead" (id int PRIMARY KEY, name text);
CREATE TABLE item (id int, status text NOT NULL DEFAULT 'active', PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE item_1 PARTITION OF item FOR VALUES FROM (0) TO (100);
CREATE TABLE item_2 PARTITION OF item FOR VALUES FROM (100) TO (200);
CREATE TABLE kept_for_ever (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT false);
SELECT softdelete.enable('"Lead"', retention => '30 days');
SELECT softdelete.enable('item', 'status', retention => '7 days');
SELECT softdelete.enable('kept_for_ever', 'is_deleted');
SELECT softdelete.set_retention('kept_for_ever', NULL);
RESET client_min_messages;
INSERT INTO "Lead" SELECT i, 'lead ' || i FROM generate_series(1, 10) i;
INSERT INTO item SELECT i FROM generate_series(1, 199) i;
INSERT INTO kept_for_ever SELECT i FROM generate_series(1, 5) i;
DELETE FROM "Lead" WHERE id <= 4;
DELETE FROM item WHERE id % 20 = 0;
DELETE FROM kept_for_ever WHERE id = 1;
-- two of them long ago
SET softdelete.visibility = 'only_deleted';
UPDATE "Lead" SET deleted_at = now() - interval '40 days' WHERE id <= 2;
UPDATE item SET deleted_at = now() - interval '6 days' WHERE id = 20;
RESET softdelete.visibility;
SELECT softdelete.hold_row('"Lead"', 'case', 1);
ANALYZE "Lead", item, kept_for_ever;

SELECT target, live, deleted, expired, held, date_trunc('day', now() - oldest_deleted_at) AS oldest,
	   date_trunc('day', next_expiry - now()) AS next, deleted_bytes > 0 AS bytes, last_purge, last_error
  FROM softdelete.stats WHERE target IN ('"Lead"'::regclass, 'item'::regclass, 'kept_for_ever'::regclass) ORDER BY target::text;
-- counted, the same
SELECT live, deleted, expired, held FROM softdelete.stats_exact('"Lead"');
SELECT live, deleted, expired, held FROM softdelete.stats_exact('item');
-- for whoever may read the table
SET SESSION AUTHORIZATION sd_user;
SELECT count(*) FROM softdelete.stats WHERE target::text LIKE 'stats_view.%';
SELECT * FROM softdelete.stats_exact('stats_view."Lead"');
SET SESSION AUTHORIZATION sd_owner;
SELECT * FROM softdelete.stats_exact('pg_class');

-- estimates, where the index is large: no count of deleted rows
CREATE TABLE large (id int PRIMARY KEY, pad text);
SET client_min_messages = warning;
SELECT softdelete.enable('large', retention => '1 day');
RESET client_min_messages;
INSERT INTO large SELECT i, 'x' FROM generate_series(1, 60000) i;
DELETE FROM large WHERE id <= 50000;
VACUUM ANALYZE large;
SELECT live BETWEEN 9000 AND 11000 AS live, deleted BETWEEN 45000 AND 55000 AS deleted, expired, held FROM softdelete.stats WHERE target = 'large'::regclass;
SET softdelete.visibility = 'only_deleted';
UPDATE large SET deleted_at = now() - interval '2 days' WHERE id <= 25000;
RESET softdelete.visibility;
VACUUM ANALYZE large;
SELECT expired BETWEEN 20000 AND 30000 AS expired FROM softdelete.stats WHERE target = 'large'::regclass;
SELECT live, deleted, expired FROM softdelete.stats_exact('large');
SELECT softdelete.release_row('"Lead"', 1);
