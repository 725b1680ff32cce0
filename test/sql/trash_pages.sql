-- trash() is as fast as a query by hand: one row by its key and a page by time
-- come by the table's indexes, in whatever query the call stands; and what it
-- shows is the same where the planner cannot put the query in its place.
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA trash_pages;
SET search_path = trash_pages;
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE TABLE "Leads" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "Name" text, org int);
SELECT softdelete.enable('"Leads"');
INSERT INTO "Leads" ("Name", org) SELECT 'n' || n, n % 7 FROM generate_series(1, 3000) n;
SET softdelete.actor = 'ann';
SET softdelete.reason = 'clean-up';
DELETE FROM "Leads" WHERE id <= 1000;
DELETE FROM "Leads" WHERE id = 1001;
VACUUM ANALYZE "Leads";

-- how a query reads the table
CREATE FUNCTION reads(query text) RETURNS TABLE (line text) LANGUAGE plpgsql AS $$
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line ~ 'Leads|kinds|Index Cond: \(\(a|Function Scan|Sort' THEN
			line := regexp_replace(line, '^[ >-]*', '');
			RETURN NEXT;
		END IF;
	END LOOP;
END $$;
SELECT * FROM reads($$ SELECT * FROM softdelete.trash('"Leads"') WHERE key = '{"id": 7}' $$);
SELECT * FROM reads($$ SELECT * FROM softdelete.trash('"Leads"') ORDER BY deleted_at DESC LIMIT 20 $$);
SELECT * FROM reads($$ SELECT * FROM softdelete.trash('"Leads"') WHERE deleted_at < now() - interval '1 day' ORDER BY deleted_at DESC LIMIT 20 $$);
SELECT * FROM reads($$ SELECT 1 WHERE EXISTS (SELECT FROM softdelete.trash('"Leads"') t WHERE jsonb_build_object('id', 7) = t.key) $$);
SELECT * FROM reads($$ WITH w AS MATERIALIZED (SELECT * FROM softdelete.trash('"Leads"') WHERE key = '{"id": 7}') SELECT * FROM w $$);
SELECT * FROM reads($$ SELECT l.* FROM "Leads" l LEFT JOIN softdelete.trash('"Leads"') t ON t.key ->> 'id' = l.id::text WHERE t.key = '{"id": 7}' $$);
SELECT * FROM reads($$ SELECT * FROM softdelete.trash() WHERE key = '{"id": 7}' $$);
SELECT * FROM reads($$ SELECT * FROM softdelete.trash('"Leads"') WITH ORDINALITY $$);
-- a prepared statement's, too, with both kinds of plan
PREPARE by_key (jsonb) AS SELECT target, key, deleted_by, actor, reason, days_left, row_data ->> 'Name' AS name FROM softdelete.trash('"Leads"') WHERE key = $1;
SET plan_cache_mode = force_generic_plan;
SELECT * FROM reads($$ EXECUTE by_key('{"id": 7}') $$);
EXECUTE by_key('{"id": 7}');
SET plan_cache_mode = force_custom_plan;
EXECUTE by_key('{"id": 1001}');
RESET plan_cache_mode;
PREPARE by_table (regclass) AS SELECT count(*) FROM softdelete.trash($1) WHERE key = '{"id": 7}';
EXECUTE by_table('"Leads"');
SET plan_cache_mode = force_generic_plan;
EXECUTE by_table('"Leads"');
RESET plan_cache_mode;

-- keys that no row has are no error, and equal numbers are equal
SELECT k.key, (SELECT count(*) FROM softdelete.trash('"Leads"') t WHERE t.key = k.key::jsonb) AS "by value"
  FROM (VALUES ('{"id": 7.0}'), ('{"id": 7.5}'), ('{"id": "7"}'), ('{"id": null}'), ('{"id": 1e30}'), ('{"id": 2000}'), ('{"ID": 7}'), ('[7]'), ('7')) k(key);
SELECT count(*) FROM softdelete.trash('"Leads"') WHERE key = '{"id": 7.0}';
SELECT count(*) FROM softdelete.trash('"Leads"') WHERE key = '{"id": 7.5}';
SELECT count(*) FROM softdelete.trash('"Leads"') WHERE key = '{"id": "7"}';
SELECT count(*) FROM softdelete.trash('"Leads"') WHERE key = '{"id": 99999999999999999999999}';
SELECT count(*) FROM softdelete.trash('"Leads"') WHERE key = '{"id": 2000}';
SELECT count(*) FROM softdelete.trash('"Leads"') WHERE key = '[7]';
SELECT count(*) FROM softdelete.trash('"Leads"') WHERE key = '{"id": 7, "more": 1}';
SELECT count(*) FROM softdelete.trash('"Leads"') WHERE key = NULL;

-- whatever the key's types: those that JSON gives back exactly use the index
CREATE TABLE kinds (a text COLLATE "C", "B" uuid, c numeric, d date, e varchar(9), PRIMARY KEY (a, "B", c, d, e));
SELECT softdelete.enable('kinds');
INSERT INTO kinds VALUES ('it''s', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 1.50, '2030-01-02', 'x'), ('b', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 1, '2030-01-02', 'x');
DELETE FROM kinds;
SELECT key FROM softdelete.trash('kinds') WHERE key = '{"a": "it''s", "B": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "c": 1.5, "d": "2030-01-02", "e": "x"}';
SELECT key FROM softdelete.trash('kinds') WHERE key = '{"a": "b", "B": "not a uuid", "c": 1, "d": "no date", "e": "x"}';
SELECT * FROM reads($$ SELECT key FROM softdelete.trash('kinds') WHERE key = '{"a": "b", "B": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "c": 1, "d": "2030-01-02", "e": "x"}' $$);

-- the visibility that a session has set says nothing of the trash, nor the trash
-- of the tables beside it
SELECT (SELECT count(*) FROM softdelete.trash('"Leads"')) AS trash, (SELECT count(*) FROM "Leads") AS rows;
SET softdelete.visibility = 'all';
SELECT (SELECT count(*) FROM softdelete.trash('"Leads"')) AS trash, (SELECT count(*) FROM "Leads") AS rows;
SET softdelete.visibility = deleted;
SELECT (SELECT count(*) FROM softdelete.trash('"Leads"')) AS trash, (SELECT count(*) FROM "Leads") AS rows;
RESET softdelete.visibility;
SELECT count(*) FROM softdelete.trash('"Leads"') t JOIN "Leads" l ON l.org = (t.row_data ->> 'org')::int AND t.key = '{"id": 7}';
-- restoring while reading
SELECT sum(softdelete.restore('"Leads"', (key ->> 'id')::int)) FROM softdelete.trash('"Leads"') WHERE deleted_at <= now() AND key = '{"id": 7}';
SELECT count(*) FROM softdelete.trash('"Leads"') WHERE key = '{"id": 7}';
EXECUTE by_key('{"id": 7}');

-- it is the caller who reads, now and when the plan is kept
GRANT USAGE ON SCHEMA trash_pages TO sd_user;
CREATE VIEW bin AS SELECT key, deleted_by FROM softdelete.trash('trash_pages."Leads"');
GRANT SELECT ON bin TO sd_user;
CREATE FUNCTION seen() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM softdelete.trash('trash_pages."Leads"')); END $$;
SELECT seen();
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SELECT count(*) FROM softdelete.trash('trash_pages."Leads"');
SELECT count(*) FROM trash_pages.bin;
SELECT trash_pages.seen();
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_owner;
GRANT SELECT ON "Leads" TO sd_user;
ALTER TABLE "Leads" ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_org ON "Leads" TO sd_user USING (org = 1);
SELECT count(*) FROM softdelete.trash('"Leads"');
SET ROLE sd_owner;
SELECT seen();
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SELECT count(*) FROM softdelete.trash('trash_pages."Leads"') WHERE deleted_at IS NOT NULL;
SELECT count(*) FROM trash_pages.bin;
SELECT trash_pages.seen();
-- a condition that tells what it sees is asked of nobody else's rows
CREATE FUNCTION pg_temp.tell(row_data jsonb) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
	IF row_data ->> 'org' <> '1' THEN RAISE NOTICE 'leaked %', row_data; END IF;
	RETURN true;
END $$;
SELECT count(*) FROM softdelete.trash('trash_pages."Leads"') WHERE pg_temp.tell(row_data);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_owner;
ALTER TABLE "Leads" DISABLE ROW LEVEL SECURITY;

-- the page for administrators of doc/trash.md: what was deleted itself, page by
-- page, with what stands in the way of its restore
CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE, slug text, title text);
CREATE TABLE images (id int PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE);
SELECT softdelete.enable('users', cascade => true);
INSERT INTO users VALUES (1), (2);
INSERT INTO posts SELECT n, n % 2 + 1, 's' || n, 't' || n FROM generate_series(1, 9) n;
INSERT INTO images SELECT n, n FROM generate_series(1, 9) n;
DELETE FROM posts WHERE id < 4;
SET softdelete.actor = 'bob';
DELETE FROM posts WHERE id = 4;
DELETE FROM users WHERE id = 2;
DELETE FROM posts WHERE id = 6;
INSERT INTO posts VALUES (10, 1, 's4', 'a twin');
PREPARE page (timestamptz, bigint, jsonb) AS
SELECT t.key, t.row_data ->> 'title' AS title, t.days_left, coalesce(t.actor, t.deleted_by) AS who, t.reason,
       d.total - 1 AS along, d.held,
       CASE WHEN NOT EXISTS (SELECT FROM users u WHERE u.id = (t.row_data ->> 'author')::int) THEN 'its author is deleted'
            WHEN EXISTS (SELECT FROM posts p WHERE p.slug = t.row_data ->> 'slug') THEN 'its slug is taken'
       END AS blocked_by,
       t.deleted_at, t.deletion_id
  FROM softdelete.trash('posts') t
 CROSS JOIN LATERAL (SELECT d.total, d.held, d.target FROM softdelete.deletions d WHERE d.id = t.deletion_id LIMIT 1) d
 WHERE d.target = t.target
   AND (t.deleted_at, t.deletion_id, t.key) < ($1, $2, $3)
 ORDER BY t.deleted_at DESC, t.deletion_id DESC, t.key DESC
 LIMIT 3;
CREATE TEMP TABLE page_1 AS EXECUTE page('infinity', 0, '{}');
SELECT key, title, days_left, who, along, held, blocked_by FROM page_1;
CREATE FUNCTION next_page() RETURNS text LANGUAGE sql AS
	'SELECT format(''EXECUTE page(%L, %L, %L)'', deleted_at, deletion_id, key) FROM page_1 ORDER BY deleted_at, deletion_id, key LIMIT 1';
SELECT next_page() AS next_page \gset
CREATE TEMP TABLE page_2 AS :next_page;
SELECT key, title, days_left, who, along, held, blocked_by FROM page_2;

-- partitions, other markers, whole rows; a table that is not managed any more
CREATE TABLE parted (id int, k int, "is_deleted" boolean NOT NULL DEFAULT false, PRIMARY KEY (k, id)) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
SELECT softdelete.enable('parted', 'is_deleted');
INSERT INTO parted SELECT n, n % 3 FROM generate_series(1, 9) n;
DELETE FROM parted WHERE id > 3;
SELECT key, row_data ->> 'is_deleted' AS deleted FROM softdelete.trash('parted') WHERE key = '{"k": 1, "id": 4}';
SELECT count(*) FROM softdelete.trash('parted_1');
SELECT count(t), count(DISTINCT t.*) FROM softdelete.trash('parted') t;
PREPARE all_of AS SELECT count(*) FROM softdelete.trash('parted');
EXECUTE all_of;
SELECT softdelete.disable('parted');
EXECUTE all_of;
