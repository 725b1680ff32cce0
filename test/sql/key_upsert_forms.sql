-- Upserts of every form, on tables with a partial unique index that somebody
-- made by hand, for every kind of marker: what comes of them is what comes of
-- them on a native twin with a full index, from which the deleted rows are gone.
-- Then constraints of other kinds.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
SET client_min_messages = error;
CREATE SCHEMA upsert_forms;
SET search_path = upsert_forms;
CREATE TYPE stage AS ENUM ('draft', 'live', 'deleted');

-- the statements: %1$s is the table, %2$s the index predicate with its WHERE, or nothing
CREATE TABLE forms (n int GENERATED ALWAYS AS IDENTITY, sql text);
INSERT INTO forms (sql) VALUES
	-- of the rows a is live, b and c are deleted, d is in none
	('INSERT INTO %1$s (id, email) VALUES (11, ''a''), (12, ''b''), (14, ''d'') ON CONFLICT (email) DO NOTHING'),
	('INSERT INTO %1$s (id, email) VALUES (11, ''a''), (12, ''b''), (14, ''d'') ON CONFLICT DO NOTHING'),
	('INSERT INTO %1$s (id, email) VALUES (11, ''a''), (12, ''b''), (14, ''d'') ON CONFLICT (email) DO UPDATE SET n = %1$s.n + 1'),
	('INSERT INTO %1$s (id, email) VALUES (11, ''a''), (12, ''b''), (14, ''d'') ON CONFLICT (email) %2$s DO NOTHING'),
	('INSERT INTO %1$s (id, email) VALUES (11, ''a''), (12, ''b''), (14, ''d'') ON CONFLICT (email) %2$s DO UPDATE SET n = excluded.id'),
	('INSERT INTO %1$s AS x (id, email) VALUES (11, ''a''), (12, ''b'') ON CONFLICT (email) DO UPDATE SET n = x.n + 1 WHERE x.n > 0'),
	('INSERT INTO %1$s AS x (id, email) VALUES (11, ''a''), (12, ''b'') ON CONFLICT (email) DO UPDATE SET n = x.n + 1 WHERE x.n < 0'),
	('INSERT INTO %1$s AS x (id, email) VALUES (11, ''a''), (12, ''b'') ON CONFLICT (email) %2$s DO UPDATE SET n = x.n + 1 WHERE excluded.id > 11'),
	('INSERT INTO %1$s AS x (id, email) VALUES (11, ''a'') ON CONFLICT (email) DO UPDATE SET (n, id) = (SELECT count(*), 99 FROM %1$s)'),
	-- from a query, of the very table, too, which does not see deleted rows
	('INSERT INTO %1$s (id, email, n) SELECT 10 + g, chr(96 + g), g FROM generate_series(1, 4) g ON CONFLICT (email) DO UPDATE SET n = excluded.n'),
	('INSERT INTO %1$s (id, email, n) SELECT id + 10, email, n FROM %1$s ON CONFLICT (email) DO UPDATE SET n = excluded.n + 5'),
	-- what it returns
	('WITH r AS (INSERT INTO %1$s (id, email) VALUES (11, ''a''), (12, ''b'') ON CONFLICT (email) DO UPDATE SET n = 7 RETURNING id, email, n) INSERT INTO returned SELECT id || email || n FROM r'),
	('WITH r AS (INSERT INTO %1$s (id, email) VALUES (11, ''a''), (12, ''b'') ON CONFLICT (email) DO NOTHING RETURNING id, email, n) INSERT INTO returned SELECT id || email || n FROM r'),
	-- the primary key, by column and by name, on a live row
	('INSERT INTO %1$s (id, email) VALUES (1, ''x''), (14, ''d'') ON CONFLICT (id) DO UPDATE SET email = excluded.email'),
	('INSERT INTO %1$s (id, email) VALUES (1, ''x''), (14, ''d'') ON CONFLICT ON CONSTRAINT %3$s DO UPDATE SET email = excluded.email WHERE %1$s.n = 1'),
	('INSERT INTO %1$s (id, email) VALUES (1, ''x''), (14, ''d'') ON CONFLICT ON CONSTRAINT %3$s DO NOTHING'),
	-- by an expression, a collation
	('INSERT INTO %1$s (id, email) VALUES (11, ''A''), (12, ''B'') ON CONFLICT (lower(email)) DO UPDATE SET n = %1$s.n + 1'),
	('INSERT INTO %1$s (id, email) VALUES (11, ''A''), (12, ''B'') ON CONFLICT (lower(email)) %2$s DO NOTHING'),
	('INSERT INTO %1$s (id, email) VALUES (11, ''a''), (12, ''b'') ON CONFLICT (email COLLATE "default") DO UPDATE SET n = 8'),
	('INSERT INTO %1$s (id, email) VALUES (11, ''a''), (12, ''b'') ON CONFLICT (email text_ops) DO UPDATE SET n = 8'),
	-- through a view, in functions, prepared
	('INSERT INTO %1$s_view (id, email) VALUES (11, ''a''), (12, ''b''), (14, ''d'') ON CONFLICT (email) DO UPDATE SET n = excluded.id'),
	('INSERT INTO returned SELECT upsert_plpgsql(''%1$s'', u) FROM unnest(''{a,b,d,a}''::text[]) u'),
	('INSERT INTO returned SELECT upsert_%1$s(20 + o::int, u) FROM unnest(''{a,b,d,a}''::text[]) WITH ORDINALITY v(u, o)'),
	-- errors: the same key twice, no such index, another index in the way
	('INSERT INTO %1$s (id, email) VALUES (12, ''b''), (13, ''b'') ON CONFLICT (email) DO UPDATE SET n = 9'),
	('INSERT INTO %1$s (id, email) VALUES (12, ''b''), (13, ''b'') ON CONFLICT (email) DO NOTHING'),
	('INSERT INTO %1$s (id, email) VALUES (12, ''b'') ON CONFLICT (n) DO NOTHING'),
	('INSERT INTO %1$s (id, email) VALUES (12, ''b'') ON CONFLICT (email, n) DO UPDATE SET n = 9'),
	('INSERT INTO %1$s (id, email) VALUES (1, ''b'') ON CONFLICT (email) DO UPDATE SET n = 9'),
	('INSERT INTO %1$s (id, email) VALUES (12, ''a'') ON CONFLICT (id) DO UPDATE SET n = 9'),
	('INSERT INTO %1$s (id, email) VALUES (1, ''x'') ON CONFLICT (id) DO UPDATE SET email = ''e'''),
	-- no upserts, the same rules
	('INSERT INTO %1$s (id, email) VALUES (11, ''a'')'),
	('INSERT INTO %1$s (id, email) VALUES (12, ''b'')'),
	('UPDATE %1$s SET email = ''b'' WHERE id = 1'),
	('UPDATE %1$s SET email = ''e'' WHERE id = 1');
CREATE TABLE returned (what text);
CREATE FUNCTION upsert_plpgsql(target text, new_email text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result	text;
BEGIN
	EXECUTE format('INSERT INTO %I (id, email) VALUES (ascii($1), $1) ON CONFLICT (email) DO UPDATE SET n = 3 RETURNING id || email || n', target)
		INTO result USING new_email;
	RETURN result;
END $$;

-- what comes of a statement on one of the twins; it is rolled back
CREATE FUNCTION outcome(target text, predicate text, statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	n		bigint;
	live	text;
BEGIN
	EXECUTE format(statement, target, predicate, target || '_pkey');
	GET DIAGNOSTICS n = ROW_COUNT;
	EXECUTE format('SELECT string_agg(id || email || n, '' '' ORDER BY id) FROM %I', target) INTO live;
	RAISE SQLSTATE 'ZZ000' USING MESSAGE = format('%s rows; %s; returned %s', n, live, (SELECT string_agg(what, ' ' ORDER BY what) FROM returned));
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
	RETURN SQLERRM;
WHEN others THEN
	RETURN SQLSTATE;
END $$;

-- all statements on a table with that marker and index, beside the native twin
CREATE FUNCTION compare(marker name, definition text, deleted_value text, predicate text)
	RETURNS TABLE (column_and_predicate text, same bigint, difference text)
LANGUAGE plpgsql AS $$
DECLARE
	name	text;
BEGIN
	FOREACH name IN ARRAY ARRAY['native', 'managed'] LOOP
		EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, email text, n int DEFAULT 1)', name);
		IF name = 'managed' THEN
			EXECUTE format('ALTER TABLE managed ADD COLUMN %I %s', marker, definition);
			EXECUTE format('CREATE UNIQUE INDEX ON managed (email) WHERE %s', predicate);
			EXECUTE format('CREATE UNIQUE INDEX ON managed (lower(email)) WHERE %s', predicate);
			PERFORM softdelete.enable('managed', marker, deleted_value, "unique" => 'keep');
		ELSE
			CREATE UNIQUE INDEX ON native (email);
			CREATE UNIQUE INDEX ON native (lower(email));
		END IF;
		EXECUTE format('INSERT INTO %I VALUES (1, ''a''), (2, ''b''), (3, ''c''), (4, ''b2''), (5, ''e'')', name);
		EXECUTE format('DELETE FROM %I WHERE id IN (2, 3, 4)', name);
		EXECUTE format('CREATE VIEW %I AS SELECT id, email, n FROM %I', name || '_view', name);
		EXECUTE format('CREATE FUNCTION %I(int, text) RETURNS text LANGUAGE sql AS $f$ INSERT INTO %I (id, email) VALUES ($1, $2)
						ON CONFLICT (email) DO UPDATE SET n = 3 RETURNING id || email || n $f$', 'upsert_' || name, name);
	END LOOP;
	RETURN QUERY
		SELECT format('%s %s, %s', marker, definition, predicate), count(*) FILTER (WHERE a = b),
			   string_agg(format('%s: native %s, managed %s', sql, a, b), '; ' ORDER BY f.n) FILTER (WHERE a <> b)
		  FROM forms f, outcome('native', '', sql) a, outcome('managed', 'WHERE ' || predicate, sql) b;
	DROP TABLE native, managed CASCADE;
	DROP FUNCTION upsert_native, upsert_managed;
END $$;
SET client_min_messages = warning;
SELECT count(*) AS forms FROM forms;
SELECT * FROM compare('deleted_at', 'timestamptz', NULL, 'deleted_at IS NULL');
SELECT * FROM compare('Gone At', 'timestamp', NULL, '"Gone At" IS NULL');
SELECT * FROM compare('is_deleted', 'boolean NOT NULL DEFAULT false', NULL, 'NOT is_deleted');
SELECT * FROM compare('is_deleted', 'boolean NOT NULL DEFAULT false', NULL, 'is_deleted = false');
SELECT * FROM compare('is_deleted', 'boolean', NULL, 'is_deleted IS NOT TRUE');
SELECT * FROM compare('is_active', 'boolean NOT NULL DEFAULT true', NULL, 'is_active');
SELECT * FROM compare('is_active', 'boolean DEFAULT true', NULL, 'is_active IS NOT FALSE');
SELECT * FROM compare('status', 'text NOT NULL DEFAULT ''new''', NULL, 'status <> ''deleted''');
SELECT * FROM compare('status', 'varchar(20)', 'it''s gone', 'status IS NULL OR status <> ''it''''s gone''');
SELECT * FROM compare('stage', 'stage NOT NULL DEFAULT ''draft''', NULL, 'stage <> ''deleted''');
SELECT * FROM compare('stage', 'stage DEFAULT ''draft''', 'deleted', 'stage IS NULL OR stage <> ''deleted''');
-- an index with another predicate that holds for live rows has to be named, as ever
CREATE TABLE flags (id int PRIMARY KEY, email text, is_deleted boolean NOT NULL DEFAULT false);
CREATE UNIQUE INDEX ON flags (email) WHERE is_deleted IS FALSE;
SELECT softdelete.enable('flags', 'is_deleted', "unique" => 'keep');
INSERT INTO flags VALUES (1, 'a'), (2, 'b');
DELETE FROM flags WHERE id = 2;
INSERT INTO flags VALUES (3, 'b') ON CONFLICT (email) WHERE is_deleted IS FALSE DO NOTHING RETURNING id;
INSERT INTO flags VALUES (4, 'b') ON CONFLICT (email) WHERE is_deleted IS FALSE DO UPDATE SET id = 40 RETURNING id;

------------------------------------------------------------------------------
-- A statement that was prepared, over the life of the index: a full one first,
-- which meets deleted rows, then one among live rows
------------------------------------------------------------------------------
CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, n int DEFAULT 1);
SELECT softdelete.enable('users', "unique" => 'keep');
INSERT INTO users VALUES (1, 'a'), (2, 'b');
DELETE FROM users WHERE id = 2;
SET plan_cache_mode = force_generic_plan;
PREPARE up(int, text) AS INSERT INTO users VALUES ($1, $2) ON CONFLICT (email) DO UPDATE SET n = users.n + 1 RETURNING id, n;
EXECUTE up(11, 'a');
EXECUTE up(12, 'b');
SELECT softdelete.create_live_unique('users', 'email');
EXECUTE up(12, 'b');
EXECUTE up(13, 'b');
SELECT softdelete.restore('users', 2);
DELETE FROM users WHERE id = 12;
SELECT softdelete.restore('users', 2);
EXECUTE up(14, 'b');
DROP INDEX users_email_key;
EXECUTE up(15, 'b');
RESET plan_cache_mode;

------------------------------------------------------------------------------
-- INCLUDE: the columns that come along are not part of the key
------------------------------------------------------------------------------
CREATE TABLE included (id int PRIMARY KEY, email text, name text, deleted_at timestamptz);
CREATE UNIQUE INDEX "Included Key" ON included (email) INCLUDE (name) WHERE deleted_at IS NULL;
SELECT softdelete.enable('included', "unique" => 'keep');
INSERT INTO included VALUES (1, 'a', 'x'), (2, 'b', 'y');
DELETE FROM included WHERE id = 2;
INSERT INTO included VALUES (3, 'b', 'z') ON CONFLICT (email) DO UPDATE SET name = 'w' RETURNING id, name;
INSERT INTO included VALUES (4, 'b', 'z') ON CONFLICT (email) DO UPDATE SET name = 'w' RETURNING id, name;
SELECT softdelete.restore('included', 2);

------------------------------------------------------------------------------
-- Exclusion constraints: a full one is in the way of deleted rows' keys, one
-- among live rows is not
------------------------------------------------------------------------------
CREATE TABLE booking (id int PRIMARY KEY, during int4range, CONSTRAINT "No Overlap" EXCLUDE USING gist (during WITH &&));
SELECT softdelete.enable('booking', "unique" => 'keep');
INSERT INTO booking VALUES (1, '[1,5)'), (2, '[5,9)');
DELETE FROM booking WHERE id = 2;
INSERT INTO booking VALUES (3, '[6,7)');
INSERT INTO booking VALUES (3, '[6,7)') ON CONFLICT DO NOTHING RETURNING id;
ALTER TABLE booking DROP CONSTRAINT "No Overlap", ADD CONSTRAINT "No Overlap" EXCLUDE USING gist (during WITH &&) WHERE (deleted_at IS NULL);
INSERT INTO booking VALUES (3, '[6,7)');
INSERT INTO booking VALUES (4, '[6,7)') ON CONFLICT ON CONSTRAINT "No Overlap" DO NOTHING RETURNING id;
INSERT INTO booking VALUES (4, '[6,7)');
SELECT softdelete.restore('booking', 2);
DELETE FROM booking WHERE id = 3;
SELECT softdelete.restore('booking', 2);
SELECT id, during FROM booking ORDER BY id;

------------------------------------------------------------------------------
-- Deferrable constraints: checked at the commit, and never a target
------------------------------------------------------------------------------
CREATE TABLE seat (id int PRIMARY KEY, "No" int UNIQUE DEFERRABLE, place int UNIQUE DEFERRABLE INITIALLY DEFERRED);
SELECT softdelete.enable('seat', "unique" => 'keep');
INSERT INTO seat VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3);
UPDATE seat SET place = 4 - place, "No" = "No" % 3 + 1;
SELECT * FROM seat ORDER BY id;
INSERT INTO seat VALUES (9, 9, 1) ON CONFLICT (place) DO NOTHING;
INSERT INTO seat VALUES (9, 1, 9) ON CONFLICT ("No") DO UPDATE SET place = 9;
DELETE FROM seat WHERE id = 1;
-- the deleted row still holds both keys, until it is gone
INSERT INTO seat VALUES (9, 2, 9);
BEGIN;
INSERT INTO seat VALUES (9, 9, 3);
COMMIT;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO seat VALUES (9, 2, 3);
SELECT softdelete.purge('seat', 1);
COMMIT;
SELECT id, "No", place FROM seat ORDER BY id;
-- a key that is taken while a row is deleted: restored, and checked at the commit
DELETE FROM seat WHERE id = 9;
BEGIN;
UPDATE seat SET place = 3 WHERE id = 2;
SELECT softdelete.restore('seat', 9);
COMMIT;
SELECT softdelete.restore('seat', 9);

------------------------------------------------------------------------------
-- Partitioned: the key includes the partition key
------------------------------------------------------------------------------
CREATE TABLE event (id int, day int, name text, "Hits" int DEFAULT 1, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (10);
CREATE TABLE event_2 ("Hits" int DEFAULT 1, name text, day int NOT NULL, id int NOT NULL);
ALTER TABLE event ATTACH PARTITION event_2 FOR VALUES FROM (10) TO (20);
ALTER TABLE event ADD UNIQUE (name, day);
SELECT softdelete.enable('event', "unique" => 'keep');
SELECT softdelete.create_live_unique('event', 'name', 'day');
INSERT INTO event VALUES (1, 1, 'a'), (2, 2, 'b'), (11, 11, 'a'), (12, 12, 'b');
DELETE FROM event WHERE id IN (1, 11);
INSERT INTO event VALUES (3, 1, 'a'), (13, 11, 'a'), (4, 2, 'b') ON CONFLICT (name, day) DO UPDATE SET "Hits" = event."Hits" + 1 RETURNING id, "Hits";
INSERT INTO event_2 (id, day, name) VALUES (14, 11, 'a'), (15, 12, 'x') ON CONFLICT (name, day) DO UPDATE SET "Hits" = event_2."Hits" + 1 RETURNING id, "Hits";
INSERT INTO event VALUES (11, 11, 'c') ON CONFLICT (id, day) DO UPDATE SET name = 'c';
SELECT softdelete.restore('event', 11, 11);
SELECT id, day, name, "Hits" FROM event ORDER BY id;
