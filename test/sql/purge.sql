-- purge_expired() erases for good what has been deleted for longer than its
-- retention, children first, and nothing else: not a row before its time, none
-- on hold, none that something still needs; and one that cannot go stalls none
-- of the others.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA purge;
SET search_path = purge;
SET TimeZone = 'UTC';

-- remaining('t'): the ids that are still there, deleted ones in parentheses
CREATE FUNCTION remaining(target regclass) RETURNS text
LANGUAGE plpgsql SET softdelete.visibility = 'all' AS $$
DECLARE
	result	text;
BEGIN
	EXECUTE format('SELECT string_agg(CASE WHEN %s THEN id::text ELSE format(''(%%s)'', id) END, '' '' ORDER BY id) FROM %s',
				   softdelete.live_predicate(target), target) INTO result;
	RETURN coalesce(result, 'none');
END $$;
-- backdate('t', interval, ids): as if those rows had been deleted so long ago
CREATE FUNCTION backdate(target regclass, ago interval, VARIADIC ids int[] DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET softdelete.visibility = 'deleted' AS $$
BEGIN
	EXECUTE format('UPDATE %s SET deleted_at = now() - $1 WHERE $2 IS NULL OR id = ANY ($2)', target) USING ago, ids;
END $$;

------------------------------------------------------------------------------
-- Exactly at the boundary: deleted_at + retention <= now()
------------------------------------------------------------------------------
CREATE TABLE items (id int PRIMARY KEY);
INSERT INTO items SELECT generate_series(1, 9);
SELECT softdelete.enable('items', retention => '30 days');
DELETE FROM items WHERE id <= 6;
SELECT * FROM softdelete.purge_expired('items');
BEGIN;
SELECT backdate('items', '30 days' - interval '1 microsecond', 1), backdate('items', '30 days', 2),
	   backdate('items', '30 days 1 microsecond', 3), backdate('items', '31 days', 4), backdate('items', '29 days', 5), backdate('items', '-1 day', 6);
-- a dry run tells what would go, by doing it, and changes nothing
SELECT * FROM softdelete.purge_expired('items', dry_run => true);
SELECT remaining('items');
SELECT * FROM softdelete.purge_expired('items');
SELECT remaining('items');
SELECT * FROM softdelete.purge_expired('items', dry_run => true);
-- older_than in place of the table's retention
SELECT * FROM softdelete.purge_expired('items', older_than => '29 days');
SELECT remaining('items');
-- at once: even what has been deleted just now; not what is yet to come
SELECT * FROM softdelete.purge_expired('items', older_than => '0');
SELECT remaining('items');
COMMIT;
-- live rows are never touched
SELECT * FROM softdelete.purge_expired('items', older_than => '0');

------------------------------------------------------------------------------
-- Months have no fixed length, and days have none where clocks are changed
------------------------------------------------------------------------------
CREATE TABLE calendar (id int PRIMARY KEY, deleted_at timestamptz);
SELECT softdelete.enable('calendar');
-- what a purge takes is what is expired as PostgreSQL itself reckons, for every
-- day of a year, in a zone that changes its clocks, and for ends of months
CREATE FUNCTION purges_right(retention interval) RETURNS text
LANGUAGE plpgsql SET softdelete.visibility = 'all' SET TimeZone = 'America/New_York' AS $$
DECLARE
	wanted	int[];
	there	int[];
	result	record;
BEGIN
	INSERT INTO calendar SELECT n, now() - retention + (n - 4) * interval '25 hours' FROM generate_series(1, 6) n;
	INSERT INTO calendar SELECT 100 + n, now() - retention + (n - 3) * interval '30 minutes' FROM generate_series(1, 5) n;
	wanted := (SELECT array_agg(id ORDER BY id) FROM calendar WHERE deleted_at + retention > now());
	SELECT * INTO result FROM softdelete.purge_expired('calendar', older_than => retention);
	there := (SELECT array_agg(id ORDER BY id) FROM calendar);
	UPDATE calendar SET deleted_at = '2000-01-01';
	PERFORM softdelete.purge_expired('calendar', older_than => '0');
	RETURN CASE WHEN wanted = there AND result.expired = 11 - cardinality(wanted) AND result.purged = result.expired
			AND result.kept = 0 THEN 'right'
		   ELSE format('wrong after %s: %s, left %s, wanted %s', retention, result, there, wanted) END;
END $$;
SELECT DISTINCT purges_right(n * interval '1 day') FROM generate_series(0, 366) n;
SELECT DISTINCT purges_right(n * interval '1 hour') FROM generate_series(0, 24) n;

------------------------------------------------------------------------------
-- Retention: NULL keeps for ever, zero keeps nothing; nonsense is refused
------------------------------------------------------------------------------
CREATE TABLE "For Ever" (id int PRIMARY KEY);
INSERT INTO "For Ever" SELECT generate_series(1, 3);
SELECT softdelete.enable('"For Ever"');
SELECT softdelete.set_retention('"For Ever"', NULL);
DELETE FROM "For Ever" WHERE id = 1;
SELECT backdate('"For Ever"', '100 years');
SELECT * FROM softdelete.purge_expired('"For Ever"');
SET client_min_messages = warning;		-- other tests' tables
SELECT * FROM softdelete.purge_expired() WHERE target = '"For Ever"'::regclass;
RESET client_min_messages;
SELECT remaining('"For Ever"');
SELECT softdelete.set_retention('"For Ever"', '0');
DELETE FROM "For Ever" WHERE id = 2;
SELECT * FROM softdelete.purge_expired('"For Ever"');
SELECT remaining('"For Ever"');
\set VERBOSITY sqlstate
SELECT softdelete.set_retention('"For Ever"', '-1 day');
SELECT softdelete.set_retention('"For Ever"', '1 month -40 days');
SELECT * FROM softdelete.purge_expired('"For Ever"', older_than => '-1 second');
SELECT * FROM softdelete.purge_expired('"For Ever"', 0);
SELECT * FROM softdelete.purge_expired('"For Ever"', -1);
SELECT * FROM softdelete.purge_expired('"For Ever"', NULL);
SELECT * FROM softdelete.purge_expired('pg_class');
CREATE TABLE unmanaged (id int PRIMARY KEY);
SELECT * FROM softdelete.purge_expired('unmanaged');
SELECT softdelete.purge('unmanaged', 1);
SELECT softdelete.set_retention('unmanaged', '1 day');
SELECT softdelete.purge('"For Ever"', 3);		-- live
SELECT softdelete.purge('"For Ever"', 99);		-- none
\set VERBOSITY default
SELECT softdelete.set_retention('"For Ever"', '-1 day');
SELECT softdelete.purge('"For Ever"', 3);
-- (from 17 on there are infinite intervals)
DO $$ BEGIN
	PERFORM softdelete.set_retention('"For Ever"', 'infinity');
	RAISE 'an infinite retention was taken';
EXCEPTION WHEN invalid_datetime_format OR invalid_parameter_value THEN
	NULL;
END $$;

------------------------------------------------------------------------------
-- Batches of any size come to the same
------------------------------------------------------------------------------
CREATE TABLE many (id int PRIMARY KEY);
SELECT softdelete.enable('many');
CREATE FUNCTION in_batches_of(size int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	dry		record;
	done	record;
BEGIN
	INSERT INTO many SELECT generate_series(1, 300);
	DELETE FROM many WHERE id % 3 = 0;
	PERFORM backdate('many', '1 year');
	DELETE FROM many WHERE id % 3 = 1;
	SELECT * INTO dry FROM softdelete.purge_expired('many', size, true);
	SELECT * INTO done FROM softdelete.purge_expired('many', size);
	DELETE FROM many;
	PERFORM softdelete.purge_expired('many', older_than => '0');
	RETURN format('%s %s', done, CASE WHEN dry = done THEN 'as foretold' END);
END $$;
SELECT n, in_batches_of(n) FROM unnest('{1,7,99,100,100000}'::int[]) n;

------------------------------------------------------------------------------
-- Children first, each by its own retention; a parent waits for its children, and
-- what was deleted with a row of theirs for that one
------------------------------------------------------------------------------
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY, up int REFERENCES parents ON DELETE CASCADE);
CREATE TABLE grandchildren (id int PRIMARY KEY, up int REFERENCES children ON DELETE CASCADE);
INSERT INTO parents SELECT generate_series(1, 4);
INSERT INTO children SELECT n, n FROM generate_series(1, 4) n;
INSERT INTO grandchildren SELECT n, n FROM generate_series(1, 4) n;
SELECT softdelete.enable('parents', cascade => true);
DELETE FROM parents WHERE id <= 3;
SELECT backdate('parents', '40 days'), backdate('children', '40 days'), backdate('grandchildren', '40 days');
SELECT softdelete.set_retention('children', '60 days');
CREATE FUNCTION purge_all(dry boolean DEFAULT false) RETURNS TABLE (target regclass, expired bigint, purged bigint, kept bigint)
LANGUAGE sql SET client_min_messages = warning AS $$
	SELECT p.target, p.expired, p.purged, p.kept FROM softdelete.purge_expired(dry_run => dry) p
	 WHERE p.target IN ('parents'::regclass, 'children'::regclass, 'grandchildren'::regclass)
$$;
SELECT * FROM purge_all(true);
SELECT * FROM purge_all();
SELECT remaining('parents'), remaining('children'), remaining('grandchildren');
-- a table alone: its rows still have children
SELECT * FROM softdelete.purge_expired('parents');
SELECT softdelete.set_retention('children', '39 days');
SELECT backdate('children', '10 days', 2);
SELECT * FROM purge_all(true);
SELECT * FROM purge_all();
SELECT remaining('parents'), remaining('children'), remaining('grandchildren');
SELECT backdate('children', '40 days');
SELECT * FROM purge_all();
SELECT remaining('parents'), remaining('children'), remaining('grandchildren');

------------------------------------------------------------------------------
-- By key: with its cascade, whatever its age; live and held rows stay
------------------------------------------------------------------------------
INSERT INTO parents SELECT generate_series(11, 13);
INSERT INTO children VALUES (11, 11), (12, 11), (13, 12);
INSERT INTO grandchildren SELECT n, n FROM generate_series(11, 13) n;
DELETE FROM parents WHERE id = 11;
SELECT softdelete.purge('parents', 11);
SELECT remaining('parents'), remaining('children'), remaining('grandchildren');
SELECT total, purged FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT softdelete.purge('parents', 11);
SELECT softdelete.purge('parents', 12);

------------------------------------------------------------------------------
-- Hold and release
------------------------------------------------------------------------------
CREATE TABLE cases (id int PRIMARY KEY, closed boolean);
INSERT INTO cases SELECT generate_series(1, 6);
SELECT softdelete.enable('cases');
DELETE FROM cases WHERE id IN (1, 2);
SELECT max(id) AS held FROM softdelete.deletions \gset
DELETE FROM cases WHERE id IN (3, 4);
SELECT backdate('cases', '1 year');
SELECT softdelete.hold(:held, 'court order 7');
SELECT held, held_by, held_why, held_at IS NOT NULL AS "when" FROM softdelete.deletions WHERE id = :held;
SELECT * FROM softdelete.purge_expired('cases', dry_run => true);
SELECT * FROM softdelete.purge_expired('cases');
SELECT remaining('cases');
\set VERBOSITY sqlstate
SELECT softdelete.purge('cases', 1);
\set VERBOSITY default
-- restoring is no harm
SELECT softdelete.restore('cases', 1);
SELECT softdelete.release(:held);
SELECT held, held_by, held_why FROM softdelete.deletions WHERE id = :held;
SELECT * FROM softdelete.purge_expired('cases');
SELECT remaining('cases');
-- one row was restored, the other purged: nothing is left to hold
\set VERBOSITY sqlstate
SELECT softdelete.hold(:held);
\set VERBOSITY default
-- and goes with no parent
CREATE TABLE nodes_held (id int PRIMARY KEY, up int REFERENCES nodes_held ON DELETE CASCADE);
INSERT INTO nodes_held VALUES (1, NULL), (2, 1);
SELECT softdelete.enable('nodes_held');
DELETE FROM nodes_held WHERE id = 2;
SELECT max(id) AS held FROM softdelete.deletions \gset
DELETE FROM nodes_held WHERE id = 1;
SELECT softdelete.hold(:held);
SELECT expired, purged, kept FROM softdelete.purge_expired('nodes_held', older_than => '0');
\set VERBOSITY terse
SELECT softdelete.purge('nodes_held', 1);
\set VERBOSITY default
SELECT remaining('nodes_held');
SELECT softdelete.release(:held);
SELECT softdelete.purge('nodes_held', 1);
SELECT softdelete.hold(-1, 'x');
SELECT softdelete.release(-1);

------------------------------------------------------------------------------
-- RESTRICT and NO ACTION: a parent stays while rows refer to it, and stalls
-- none of the others
------------------------------------------------------------------------------
CREATE TABLE products (id int PRIMARY KEY);
CREATE TABLE sold (id int PRIMARY KEY, product int REFERENCES products ON DELETE RESTRICT);
CREATE TABLE rated (id int PRIMARY KEY, product int REFERENCES products);
INSERT INTO products SELECT generate_series(1, 8);
INSERT INTO sold VALUES (1, 1), (2, 2), (3, 7);
INSERT INTO rated VALUES (3, 3), (4, 2);
SELECT softdelete.enable('products'), softdelete.enable('sold'), softdelete.enable('rated', retention => '1 year');
DELETE FROM sold WHERE id <= 2;
DELETE FROM rated;
DELETE FROM products WHERE id <= 5;
SELECT backdate('products', '60 days'), backdate('sold', '60 days'), backdate('rated', '60 days');
SELECT * FROM softdelete.purge_expired('products', 2);
SELECT remaining('products'), remaining('sold'), remaining('rated');
SET client_min_messages = warning;		-- other tests' tables
SELECT * FROM softdelete.purge_expired(dry_run => true) WHERE target IN ('products'::regclass, 'sold', 'rated');
SELECT * FROM softdelete.purge_expired() WHERE target IN ('products'::regclass, 'sold', 'rated');
RESET client_min_messages;
SELECT remaining('products'), remaining('sold'), remaining('rated');

------------------------------------------------------------------------------
-- SET NULL and SET DEFAULT are carried out now
------------------------------------------------------------------------------
CREATE TABLE teams (id int PRIMARY KEY);
CREATE TABLE players (id int PRIMARY KEY, team int REFERENCES teams ON DELETE SET NULL, backup int DEFAULT 9 REFERENCES teams ON DELETE SET DEFAULT);
INSERT INTO teams SELECT generate_series(1, 9);
INSERT INTO players VALUES (1, 1, 2), (2, 2, 1), (3, 3, 3);
SELECT softdelete.enable('teams'), softdelete.enable('players');
DELETE FROM players WHERE id = 2;
DELETE FROM teams WHERE id IN (1, 2);
SELECT id, team, backup FROM players ORDER BY id;
SELECT backdate('teams', '60 days');
SELECT expired, purged, kept FROM softdelete.purge_expired('teams');
SET softdelete.visibility = 'all';
SELECT id, team, backup FROM players ORDER BY id;
RESET softdelete.visibility;
-- where the default is not there, the row is kept and the others go
DELETE FROM teams WHERE id = 9;
SELECT softdelete.purge('teams', 9) IS NOT NULL AS done;
INSERT INTO players VALUES (4, NULL, 4);
DELETE FROM teams WHERE id IN (3, 4, 5);
SELECT backdate('teams', '60 days');
SELECT expired, purged, kept FROM softdelete.purge_expired('teams');
SELECT remaining('teams');

------------------------------------------------------------------------------
-- Rows that refer to each other: chains and cycles, within a table and across
------------------------------------------------------------------------------
CREATE TABLE nodes (id int PRIMARY KEY, up int REFERENCES nodes ON DELETE CASCADE);
CREATE TABLE strict (id int PRIMARY KEY, up int REFERENCES strict);
INSERT INTO nodes SELECT n, nullif(n - 1, 0) FROM generate_series(1, 200) n;
INSERT INTO strict SELECT n, nullif(n - 1, 0) FROM generate_series(1, 50) n;
SELECT softdelete.enable('nodes'), softdelete.enable('strict');
DELETE FROM nodes WHERE id = 1;
DELETE FROM strict;
SELECT backdate('nodes', '60 days'), backdate('strict', '60 days');
SELECT * FROM softdelete.purge_expired('nodes', 7, true);
SELECT * FROM softdelete.purge_expired('nodes', 7);
SELECT * FROM softdelete.purge_expired('strict', older_than => '1 day', dry_run => true);
SELECT * FROM softdelete.purge_expired('strict');
SELECT remaining('nodes'), remaining('strict');
-- only a part is expired: the root, but not what hangs on it
INSERT INTO nodes VALUES (1, NULL), (2, 1), (3, 2), (4, 4), (5, 6), (6, 5);
DELETE FROM nodes WHERE id IN (1, 4, 5);
SELECT backdate('nodes', '60 days', 1, 3, 4, 5, 6);
SELECT * FROM softdelete.purge_expired('nodes');
SELECT remaining('nodes');
CREATE TABLE x (id int PRIMARY KEY, y int);
CREATE TABLE y (id int PRIMARY KEY, x int REFERENCES x ON DELETE CASCADE);
ALTER TABLE x ADD FOREIGN KEY (y) REFERENCES y ON DELETE CASCADE;
INSERT INTO x SELECT generate_series(1, 3);
INSERT INTO y SELECT n, n FROM generate_series(1, 3) n;
UPDATE x SET y = id % 3 + 1;
SELECT softdelete.enable('x', cascade => true);
DELETE FROM x WHERE id = 1;
SELECT remaining('x'), remaining('y');
SELECT softdelete.purge('x', 1);
SELECT remaining('x'), remaining('y');

------------------------------------------------------------------------------
-- Every kind of marker, times with and without zone, partitions
------------------------------------------------------------------------------
CREATE TABLE by_zone (id int PRIMARY KEY, gone timestamp);
CREATE TABLE by_flag (id int PRIMARY KEY, is_active boolean DEFAULT true, deleted_at timestamp);
CREATE TABLE by_status (id int PRIMARY KEY, "Status" text DEFAULT 'new');
CREATE TABLE by_part (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE by_part_1 PARTITION OF by_part FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE by_part_2 (deleted_at timestamptz, at date NOT NULL, id int NOT NULL);
INSERT INTO by_zone SELECT generate_series(1, 4);
INSERT INTO by_flag SELECT generate_series(1, 4);
INSERT INTO by_status SELECT generate_series(1, 4);
SELECT softdelete.enable('by_zone', 'gone'), softdelete.enable('by_flag', 'is_active'), softdelete.enable('by_status', 'Status'), softdelete.enable('by_part');
ALTER TABLE by_part_2 ADD deletion_id bigint;
ALTER TABLE by_part ATTACH PARTITION by_part_2 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO by_part SELECT n, date '2024-06-01' + 365 * (n % 2) FROM generate_series(1, 4) n;
DELETE FROM by_zone WHERE id <= 3;
DELETE FROM by_flag WHERE id <= 3;
DELETE FROM by_status WHERE id <= 3;
DELETE FROM by_part WHERE id <= 3;
-- local times count in the zone of the session
BEGIN;
SET LOCAL TimeZone = 'Asia/Tokyo';
SET LOCAL softdelete.visibility = deleted;
UPDATE by_zone SET gone = now() - interval '30 days' + (id - 2) * interval '1 second';
SET LOCAL softdelete.visibility = live;
SELECT * FROM softdelete.purge_expired('by_zone');
ROLLBACK;
SET softdelete.visibility = deleted;
UPDATE by_zone SET gone = now() - interval '31 days' WHERE id <> 2;
UPDATE by_flag SET deleted_at = now() - interval '31 days' WHERE id <> 2;
UPDATE by_status SET deleted_at = now() - interval '31 days' WHERE id <> 2;
UPDATE by_part SET deleted_at = now() - interval '31 days' WHERE id <> 2;
RESET softdelete.visibility;
SET client_min_messages = warning;
SELECT * FROM softdelete.purge_expired(dry_run => true) WHERE target::text LIKE 'by_%' ORDER BY target::text;
SELECT * FROM softdelete.purge_expired() WHERE target::text LIKE 'by_%' ORDER BY target::text;
RESET client_min_messages;
SELECT remaining('by_zone'), remaining('by_flag'), remaining('by_status'), remaining('by_part');

------------------------------------------------------------------------------
-- Rows that a user's trigger keeps, one by one
------------------------------------------------------------------------------
CREATE FUNCTION keep_odd() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF old.id % 2 = 1 THEN
		RAISE EXCEPTION 'row % must stay', old.id;
	END IF;
	RETURN old;
END $$;
SELECT softdelete.enable('many', triggers => 'update');
INSERT INTO many SELECT generate_series(1, 9);
CREATE TRIGGER keep_odd BEFORE DELETE ON many FOR EACH ROW EXECUTE FUNCTION keep_odd();
DELETE FROM many;
SELECT backdate('many', '1 year');
SELECT * FROM softdelete.purge_expired('many', 4, true);
SELECT * FROM softdelete.purge_expired('many', 4);
SELECT remaining('many');
SELECT softdelete.purge('many', 1);

------------------------------------------------------------------------------
-- Who may: the owner, and whom the setting hard_delete was granted to
------------------------------------------------------------------------------
DELETE FROM "For Ever" WHERE id = 3;
SELECT max(id) AS id FROM softdelete.deletions \gset
GRANT USAGE ON SCHEMA purge TO sd_user;
GRANT ALL ON "For Ever", many TO sd_user;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SET search_path = purge;
\set VERBOSITY terse
SELECT * FROM softdelete.purge_expired('"For Ever"', older_than => '0');
SELECT softdelete.purge('"For Ever"', 3);
SET client_min_messages = error;
SELECT count(*) FROM softdelete.purge_expired(older_than => '0') WHERE target = '"For Ever"'::regclass;
RESET client_min_messages;
SELECT softdelete.set_retention('"For Ever"', '0');
SELECT softdelete.hold(:id, 'mine');
SELECT softdelete.release(:id);
SET softdelete.hard_delete = on;
RESET SESSION AUTHORIZATION;
GRANT SET ON PARAMETER softdelete.hard_delete TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = purge;
SET softdelete.hard_delete = on;
SELECT softdelete.purge('"For Ever"', 3);
RESET SESSION AUTHORIZATION;
REVOKE SET ON PARAMETER softdelete.hard_delete FROM sd_user;
