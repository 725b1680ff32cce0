-- Unique among live rows: a deleted row gives its key free, and upserts go on
-- as they were written.  Where a full constraint has to stay, the deleted row
-- still holds the key, and an upsert that meets it says so.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
SET client_min_messages = error;
CREATE SCHEMA unique_live;
SET search_path = unique_live;

------------------------------------------------------------------------------
-- Every kind of marker: delete, insert the same key again, delete again,
-- restore: right each time
------------------------------------------------------------------------------
CREATE TYPE stage AS ENUM ('draft', 'live', 'deleted');
CREATE FUNCTION life_of_a_key(name text, definition text, VARIADIC arguments text[]) RETURNS TABLE (step text, outcome text)
LANGUAGE plpgsql AS $$
DECLARE
	target	regclass;
	sql		text;
	n		int;
BEGIN
	EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, email text, CONSTRAINT %I UNIQUE (email), %s)',
				   name, name || '_email', definition);
	target := format('%I', name)::regclass;
	PERFORM softdelete.enable(target, arguments[1], arguments[2], "unique" => 'keep');
	step := 'index';
	outcome := pg_get_indexdef(softdelete.create_live_unique(target, 'email'));
	RETURN NEXT;
	FOREACH sql IN ARRAY ARRAY[
		'INSERT INTO % VALUES (1, ''a'')',
		'INSERT INTO % VALUES (2, ''a'')',			-- taken
		'DELETE FROM % WHERE email = ''a''',
		'INSERT INTO % VALUES (3, ''a'')',			-- free again
		'INSERT INTO % VALUES (4, ''a'')',			-- and taken
		'DELETE FROM % WHERE email = ''a''',
		'SELECT softdelete.restore(''%'', 1)',
		'SELECT softdelete.restore(''%'', 3)',		-- clashes with 1
		'INSERT INTO % VALUES (5, ''a'') ON CONFLICT (email) DO UPDATE SET email = ''b'' WHERE %.id = 1',
		'SELECT softdelete.restore(''%'', 3)',
		'UPDATE % SET email = ''a''',				-- 1 and 3
		'DELETE FROM %',
		'INSERT INTO % VALUES (6, ''a''), (7, ''b'')'] LOOP
		BEGIN
			step := replace(sql, '%', 't');
			EXECUTE replace(sql, '%', target::text);
			GET DIAGNOSTICS n = ROW_COUNT;
			outcome := n;
		EXCEPTION WHEN unique_violation THEN
			outcome := SQLSTATE;
		END;
		RETURN NEXT;
	END LOOP;
	step := 'live';
	EXECUTE format('SELECT string_agg(id || email, '' '' ORDER BY id) FROM %s', target) INTO outcome;
	RETURN NEXT;
	step := 'deleted';
	PERFORM set_config('softdelete.visibility', 'deleted', true);
	EXECUTE format('SELECT string_agg(id || email, '' '' ORDER BY id) FROM %s', target) INTO outcome;
	RETURN NEXT;
	PERFORM set_config('softdelete.visibility', 'live', true);
END $$;
SELECT * FROM life_of_a_key('by_time', 'deleted_at timestamptz', 'deleted_at', NULL);
CREATE TABLE lives AS
	SELECT 'time' AS kind, row_number() OVER () AS n, * FROM life_of_a_key('Without "Zone"', 'gone timestamp', 'gone', NULL) UNION ALL
	SELECT 'flag', row_number() OVER () AS n, * FROM life_of_a_key('by_flag', 'is_deleted boolean NOT NULL DEFAULT false', 'is_deleted', NULL) UNION ALL
	SELECT 'nullable flag', row_number() OVER () AS n, * FROM life_of_a_key('by_null_flag', 'is_deleted boolean', 'is_deleted', NULL) UNION ALL
	SELECT 'inverted flag', row_number() OVER () AS n, * FROM life_of_a_key('by_inverted', '"Is Active" boolean DEFAULT true', 'Is Active', 'false') UNION ALL
	SELECT 'text', row_number() OVER () AS n, * FROM life_of_a_key('by_text', 'status text DEFAULT ''new''', 'status', 'it''s gone') UNION ALL
	SELECT 'varchar', row_number() OVER () AS n, * FROM life_of_a_key('by_varchar', 'status varchar(10)', 'status', NULL) UNION ALL
	SELECT 'enum', row_number() OVER () AS n, * FROM life_of_a_key('by_enum', 'stage stage DEFAULT ''draft''', 'stage', NULL);
SELECT kind, outcome FROM lives WHERE step = 'index' ORDER BY kind;
-- what happened is what happened to by_time
DROP TABLE by_time;
SELECT l.kind, l.step, l.outcome AS wrong, r.outcome AS "right" FROM lives l
  JOIN (SELECT row_number() OVER () AS n, * FROM life_of_a_key('by_time', 'deleted_at timestamptz', 'deleted_at', NULL)) r USING (n)
 WHERE l.step <> 'index' AND (l.step, l.outcome) IS DISTINCT FROM (r.step, r.outcome);

------------------------------------------------------------------------------
-- Upserts of every form, beside a native twin that deletes for good
------------------------------------------------------------------------------
CREATE SCHEMA unique_managed;
CREATE SCHEMA unique_native;
DO $$
DECLARE
	name	text;
BEGIN
	FOREACH name IN ARRAY ARRAY['unique_managed', 'unique_native'] LOOP
		PERFORM set_config('search_path', name, true);
		CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, "Shop" int, "Nick" text, hits int DEFAULT 1, UNIQUE ("Shop", "Nick"));
		INSERT INTO users VALUES (1, 'a', 1, 'x'), (2, 'b', 1, 'y'), (3, 'c', 2, 'x');
	END LOOP;
END $$;
SELECT softdelete.enable('unique_managed.users', "unique" => 'keep');
SELECT softdelete.create_live_unique('unique_managed.users', 'email'), softdelete.create_live_unique('unique_managed.users', 'Nick', 'Shop');
\set show 'SELECT id, email, "Shop", "Nick", hits FROM users ORDER BY email, id;'
-- on a live row: columns, expressions, with and without WHERE
\set run 'INSERT INTO users VALUES (11, \'a\') ON CONFLICT (email) DO UPDATE SET hits = users.hits + 1 RETURNING id, hits; INSERT INTO users VALUES (12, \'b\') ON CONFLICT (email) DO UPDATE SET hits = users.hits + excluded.id WHERE users.id = 2 RETURNING id, hits; INSERT INTO users VALUES (13, \'b\') ON CONFLICT (email) DO UPDATE SET hits = 99 WHERE users.id <> 2 RETURNING id; INSERT INTO users VALUES (14, \'b\'), (15, \'new\') ON CONFLICT (email) DO NOTHING RETURNING id; INSERT INTO users VALUES (16, \'b\') ON CONFLICT DO NOTHING RETURNING id;'
SET search_path = unique_managed; :run
SET search_path = unique_native; :run
-- where the row was deleted: a new one
\set run 'DELETE FROM users WHERE email IN (\'a\', \'b\'); INSERT INTO users VALUES (21, \'a\') ON CONFLICT (email) DO UPDATE SET hits = 99 RETURNING id, hits; INSERT INTO users VALUES (22, \'b\') ON CONFLICT (email) DO NOTHING RETURNING id; INSERT INTO users VALUES (23, \'b\') ON CONFLICT (email) DO UPDATE SET hits = users.hits + 1 RETURNING id, hits; DELETE FROM users WHERE id = 22; INSERT INTO users VALUES (24, \'b\') ON CONFLICT DO NOTHING RETURNING id;'
SET search_path = unique_managed; :run
SET search_path = unique_native; :run
SET search_path = unique_managed; :show
SET search_path = unique_native; :show
-- several columns, in any order; several rows; the same key twice
\set run 'INSERT INTO users VALUES (31, \'e\', 2, \'x\'), (32, \'f\', 2, \'z\') ON CONFLICT ("Shop", "Nick") DO UPDATE SET hits = users.hits + 1 RETURNING id, hits; DELETE FROM users WHERE "Nick" = \'x\'; INSERT INTO users VALUES (33, \'g\', 2, \'x\'), (34, \'h\', 2, \'z\') ON CONFLICT ("Nick", "Shop") DO UPDATE SET hits = users.hits + 1 RETURNING id, hits; INSERT INTO users VALUES (35, \'i\', 3, \'x\'), (36, \'j\', 3, \'x\') ON CONFLICT ("Nick", "Shop") DO UPDATE SET hits = 1;'
SET search_path = unique_managed; :run
SET search_path = unique_native; :run
-- prepared, over the life of the row; from a query; in a WITH query; in plpgsql
\set run 'PREPARE up(int, text) AS INSERT INTO users VALUES ($1, $2) ON CONFLICT (email) DO UPDATE SET hits = users.hits + 1 RETURNING id, hits; EXECUTE up(41, \'p\'); EXECUTE up(42, \'p\'); DELETE FROM users WHERE email = \'p\'; EXECUTE up(43, \'p\'); EXECUTE up(44, \'p\'); DEALLOCATE up; WITH n AS (INSERT INTO users SELECT 50 + n, \'p\' || n / 2 FROM generate_series(2, 4, 2) n ON CONFLICT (email) DO NOTHING RETURNING id) SELECT id FROM n ORDER BY id; DO \'BEGIN INSERT INTO users VALUES (60, \'\'p1\'\') ON CONFLICT (email) DO UPDATE SET hits = 7; END\'; SELECT id, hits FROM users WHERE email LIKE \'p%\' ORDER BY id;'
SET search_path = unique_managed; :run
SET search_path = unique_native; :run
-- primary keys and constraints by name, on live rows
\set run 'INSERT INTO users VALUES (60, \'q\'), (15, \'c\') ON CONFLICT (id) DO UPDATE SET hits = users.hits + 10 RETURNING id, hits; INSERT INTO users VALUES (60, \'r\') ON CONFLICT ON CONSTRAINT users_pkey DO UPDATE SET email = excluded.email RETURNING id, email; INSERT INTO users VALUES (60, \'s\') ON CONFLICT ON CONSTRAINT users_pkey DO NOTHING RETURNING id;'
SET search_path = unique_managed; :run
SET search_path = unique_native; :run
-- no such key, in both
\set run 'INSERT INTO users VALUES (99) ON CONFLICT (hits) DO NOTHING;'
SET search_path = unique_managed; :run
SET search_path = unique_native; :run
(SELECT id, email, "Shop", "Nick", hits FROM unique_managed.users EXCEPT TABLE unique_native.users) UNION ALL
(TABLE unique_native.users EXCEPT SELECT id, email, "Shop", "Nick", hits FROM unique_managed.users);
SET search_path = unique_managed;
-- an application that knows of the marker and says so
INSERT INTO users VALUES (71, 'b') ON CONFLICT (email) WHERE deleted_at IS NULL DO UPDATE SET hits = 71 RETURNING id, hits;
INSERT INTO users VALUES (72, 'new 72') ON CONFLICT (email) WHERE deleted_at IS NULL DO NOTHING RETURNING id;

------------------------------------------------------------------------------
-- A full key leads to a row that is deleted: never a silent change
------------------------------------------------------------------------------
DELETE FROM users WHERE id = 72;
INSERT INTO users VALUES (72, 'z') ON CONFLICT (id) DO UPDATE SET hits = 1;
INSERT INTO users VALUES (72, 'z') ON CONFLICT ON CONSTRAINT users_pkey DO UPDATE SET hits = 1 WHERE users.hits > 100;
\set VERBOSITY sqlstate
INSERT INTO users VALUES (73, 'z'), (72, 'z') ON CONFLICT (id) DO UPDATE SET hits = 1;
INSERT INTO users VALUES (72, 'z');
\set VERBOSITY default
SELECT id FROM users WHERE id IN (72, 73);
-- DO NOTHING does nothing, as in native PostgreSQL on any conflict
INSERT INTO users VALUES (72, 'z') ON CONFLICT (id) DO NOTHING RETURNING id;
INSERT INTO users VALUES (72, 'z') ON CONFLICT DO NOTHING RETURNING id;
-- an upsert that sets the mark itself knows what it does: it restores
INSERT INTO users VALUES (72, 'z') ON CONFLICT (id) DO UPDATE SET deleted_at = NULL, email = excluded.email RETURNING id, email, deleted_at, deletion_id;
SELECT total, restored FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
-- with everything visible it is an ordinary upsert
DELETE FROM users WHERE id = 72;
SET softdelete.visibility = 'all';
INSERT INTO users VALUES (72, 'z') ON CONFLICT (id) DO UPDATE SET hits = 5 RETURNING id, hits, deleted_at IS NULL AS live;
RESET softdelete.visibility;
SELECT count(*) FROM users WHERE id = 72;
-- a key of several columns, with quotes in names and values
CREATE TABLE "It's ""T""" ("a b" text, "C" int, v int, PRIMARY KEY ("C", "a b"));
SELECT softdelete.enable('"It''s ""T"""', "unique" => 'keep');
INSERT INTO "It's ""T""" VALUES ('x''y', 1, 1);
DELETE FROM "It's ""T""";
INSERT INTO "It's ""T""" VALUES ('x''y', 1, 1) ON CONFLICT ("a b", "C") DO UPDATE SET v = 2;
-- in a partition
CREATE TABLE parted (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
INSERT INTO parted VALUES (1, 1), (2, 2);
SELECT softdelete.enable('parted', "unique" => 'keep');
DELETE FROM parted WHERE id = 1;
INSERT INTO parted VALUES (2, 2) ON CONFLICT (id) DO UPDATE SET v = parted.v + 1 RETURNING id, v;
\set VERBOSITY sqlstate
INSERT INTO parted VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET v = 2;
INSERT INTO parted_1 VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET v = 2;
\set VERBOSITY default

------------------------------------------------------------------------------
-- NULLs: distinct, or not, as the constraint had them
------------------------------------------------------------------------------
SET search_path = unique_live;
CREATE TABLE slots (id int PRIMARY KEY, room text, hour int, UNIQUE NULLS NOT DISTINCT (room, hour));
CREATE TABLE loose (id int PRIMARY KEY, room text, hour int, UNIQUE (room, hour));
SELECT softdelete.enable('slots', "unique" => 'keep'), softdelete.enable('loose', "unique" => 'keep');
SELECT pg_get_indexdef(softdelete.create_live_unique('slots', 'room', 'hour'));
SELECT pg_get_indexdef(softdelete.create_live_unique('loose', 'room', 'hour'));
INSERT INTO slots VALUES (1, 'a', NULL);
INSERT INTO slots VALUES (2, 'a', NULL);
DELETE FROM slots WHERE id = 1;
INSERT INTO slots VALUES (2, 'a', NULL);
INSERT INTO slots VALUES (3, 'a', NULL) ON CONFLICT (room, hour) DO UPDATE SET room = 'b' RETURNING id, room;
INSERT INTO loose VALUES (1, 'a', NULL), (2, 'a', NULL);
SELECT count(*) FROM loose;

------------------------------------------------------------------------------
-- What create_live_unique() takes the place of, and what it refuses
------------------------------------------------------------------------------
CREATE TABLE accounts (id int PRIMARY KEY, login text, code text, mail text, phone text,
					   CONSTRAINT "Login" UNIQUE (login), UNIQUE (code), UNIQUE (mail) DEFERRABLE INITIALLY DEFERRED);
CREATE UNIQUE INDEX "Phone Index" ON accounts (phone) INCLUDE (mail);
CREATE TABLE badges (id int PRIMARY KEY, code text CONSTRAINT "Badge Code" REFERENCES accounts (code));
SELECT softdelete.enable('accounts', "unique" => 'keep');
SELECT softdelete.create_live_unique('accounts', 'login'), softdelete.create_live_unique('accounts', 'phone');
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'accounts'::regclass AND indisunique
 ORDER BY indexrelid::regclass::text COLLATE "C";
SELECT softdelete.create_live_unique('accounts', 'code');
INSERT INTO accounts (id, code) VALUES (9, 'nine');
DELETE FROM accounts WHERE id = 9;
INSERT INTO accounts (id, code) VALUES (10, 'nine') ON CONFLICT (code) DO UPDATE SET login = 'x';
INSERT INTO accounts (id, code) VALUES (10, 'nine') ON CONFLICT (code) DO NOTHING RETURNING id;
SELECT softdelete.create_live_unique('accounts', 'id');
SELECT softdelete.create_live_unique('accounts', 'nothing');
SELECT softdelete.create_live_unique('accounts', 'ctid');
SELECT softdelete.create_live_unique('accounts', VARIADIC '{}');
SELECT softdelete.create_live_unique('badges', 'code');
SELECT softdelete.create_live_unique('accounts', 'login', 'nothing');
-- live rows that are not unique: refused, and the table is as it was
INSERT INTO accounts (id, code) VALUES (1, 'same'), (2, 'other');
ALTER TABLE accounts ADD "Team" int DEFAULT 1;
SELECT softdelete.create_live_unique('accounts', 'Team');
DELETE FROM accounts WHERE id = 1;
SELECT softdelete.create_live_unique('accounts', 'Team');
RESET SESSION AUTHORIZATION;
GRANT USAGE ON SCHEMA unique_live TO sd_user;
GRANT ALL ON unique_live.accounts TO sd_user;
SET SESSION AUTHORIZATION sd_user;
SELECT softdelete.create_live_unique('unique_live.accounts', 'mail');
SELECT softdelete.create_live_index('unique_live.accounts', 'mail');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = unique_live;

------------------------------------------------------------------------------
-- create_live_index(): and queries use both
------------------------------------------------------------------------------
SELECT pg_get_indexdef(softdelete.create_live_index('accounts', 'mail', 'Team'));
INSERT INTO accounts (id, login, code, mail, "Team")
	SELECT n, 'login ' || n, 'code ' || n, 'mail ' || n, n FROM generate_series(1001, 3000) n;
ANALYZE accounts;
EXPLAIN (COSTS OFF) SELECT * FROM accounts WHERE mail = 'x' AND "Team" = 1;
EXPLAIN (COSTS OFF) SELECT * FROM accounts WHERE login = 'x';
SET softdelete.visibility = 'all';
EXPLAIN (COSTS OFF) SELECT id FROM accounts WHERE login = 'x';
RESET softdelete.visibility;

------------------------------------------------------------------------------
-- Names that are long, quoted, or taken
------------------------------------------------------------------------------
CREATE SCHEMA "Unique ""Names""";
CREATE TABLE "Unique ""Names"""."Größen, die sehr lang sind: 63 Bytes, und nicht weniger, ja" (id int PRIMARY KEY, "Größe" text, "a""b" text);
SELECT softdelete.enable('"Unique ""Names"""."Größen, die sehr lang sind: 63 Bytes, und nicht weniger, ja"', build_index => false, "unique" => 'keep');
SELECT softdelete.create_live_unique('"Unique ""Names"""."Größen, die sehr lang sind: 63 Bytes, und nicht weniger, ja"', 'Größe'),
	   softdelete.create_live_unique('"Unique ""Names"""."Größen, die sehr lang sind: 63 Bytes, und nicht weniger, ja"', 'a"b', 'Größe'),
	   softdelete.create_live_index('"Unique ""Names"""."Größen, die sehr lang sind: 63 Bytes, und nicht weniger, ja"', 'a"b', 'Größe');
SELECT c.relname, octet_length(c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE c.relnamespace = '"Unique ""Names"""'::regnamespace AND NOT i.indisprimary ORDER BY c.relname COLLATE "C";
