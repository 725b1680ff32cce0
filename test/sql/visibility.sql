-- deleted rows are invisible to every shape of query.  Each is compared with
-- the same query on the twin tables below, with the condition written by hand.
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA visibility;
SET search_path = visibility;
-- costs that settings below add would compile each plan
SET jit = off;

CREATE TABLE posts (id int PRIMARY KEY, author int, title text, tags text[], score numeric);
CREATE TABLE notes (id int PRIMARY KEY, post int, body text, state text DEFAULT 'new');
CREATE TABLE "Users" (id int PRIMARY KEY, "Name" text, is_active boolean NOT NULL DEFAULT true);
CREATE TABLE plain (id int PRIMARY KEY, post int);
INSERT INTO posts SELECT g, g % 7, 'post ' || g, ARRAY['t' || g % 3], g * 1.5 FROM generate_series(1, 60) g;
INSERT INTO notes SELECT g, g % 70, 'note ' || g, CASE WHEN g % 9 = 0 THEN NULL ELSE 'new' END FROM generate_series(1, 200) g;
INSERT INTO "Users" SELECT g, 'user ' || g FROM generate_series(0, 8) g;
INSERT INTO plain SELECT g, g * 2 FROM generate_series(1, 40) g;
CREATE TABLE ref_posts AS TABLE posts;
CREATE TABLE ref_notes AS TABLE notes;
CREATE TABLE "ref_Users" AS TABLE "Users";
SELECT softdelete.enable('posts'), softdelete.enable('notes', 'state'), softdelete.enable('"Users"', 'is_active');
DELETE FROM posts WHERE id % 4 = 1;
DELETE FROM notes WHERE id % 5 = 2;
DELETE FROM "Users" WHERE id IN (2, 5);
ALTER TABLE ref_posts ADD COLUMN deleted boolean DEFAULT false;
ALTER TABLE ref_notes ADD COLUMN deleted boolean DEFAULT false;
ALTER TABLE "ref_Users" ADD COLUMN deleted boolean DEFAULT false;
UPDATE ref_posts SET deleted = true WHERE id % 4 = 1;
UPDATE ref_notes SET deleted = true WHERE id % 5 = 2;
UPDATE "ref_Users" SET deleted = true WHERE id IN (2, 5);
ANALYZE posts, notes, "Users", plain, ref_posts, ref_notes, "ref_Users";

-- same(sql): the rows of the query, and of the same query where each managed
-- table is written as (SELECT ... WHERE NOT deleted), must be the same both ways
CREATE FUNCTION same(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    reference text := query;
    n bigint;
    d bigint;
BEGIN
    reference := regexp_replace(reference, '\mposts\M', '(SELECT id, author, title, tags, score FROM ref_posts WHERE NOT deleted)', 'g');
    reference := regexp_replace(reference, '\mnotes\M', '(SELECT id, post, body, state FROM ref_notes WHERE NOT deleted)', 'g');
    reference := regexp_replace(reference, '"Users"', '(SELECT id, "Name", is_active FROM "ref_Users" WHERE NOT deleted)', 'g');
    EXECUTE format('SELECT count(*) FROM (%s) q', query) INTO n;
    EXECUTE format('WITH q AS MATERIALIZED (%s), r AS MATERIALIZED (%s)
                    SELECT count(*) FROM ((TABLE q EXCEPT ALL TABLE r) UNION ALL (TABLE r EXCEPT ALL TABLE q)) d',
                   query, reference) INTO d;
    RETURN n || ' rows' || CASE WHEN d > 0 THEN format(', DIFFERENT in %s', d) ELSE '' END;
END $$;
CREATE TABLE shapes (n int GENERATED ALWAYS AS IDENTITY, what text, query text);
INSERT INTO shapes (what, query) VALUES
('scan', 'SELECT p.id, p.title FROM posts p'),
('scan by key', 'SELECT p.id FROM posts p WHERE p.id IN (1, 2, 3, 4, 5)'),
('condition', 'SELECT p.id FROM posts p WHERE p.title LIKE ''post 1%'' OR p.score > 50'),
('in, with limit', 'SELECT p.id FROM posts p WHERE p.id IN (SELECT q.id FROM posts q ORDER BY q.id LIMIT 3)'),
('inner join', 'SELECT p.id, n.id AS note FROM posts p JOIN notes n ON n.post = p.id'),
('left join', 'SELECT p.id, n.id AS note, n.body FROM posts p LEFT JOIN notes n ON n.post = p.id'),
('left join, condition on the right', 'SELECT p.id, n.id AS note FROM posts p LEFT JOIN notes n ON n.post = p.id AND n.id < 100'),
('right join', 'SELECT p.id, n.id AS note FROM posts p RIGHT JOIN notes n ON n.post = p.id'),
('full join', 'SELECT p.id, n.id AS note FROM posts p FULL JOIN notes n ON n.post = p.id'),
('full join of three', 'SELECT p.id, n.id AS note, u.id AS u FROM posts p FULL JOIN notes n ON n.post = p.id FULL JOIN "Users" u ON u.id = p.author'),
('outer join with an unmanaged table', 'SELECT x.id, p.id AS p, p.title FROM plain x LEFT JOIN posts p ON p.id = x.post'),
('outer join, anti by hand', 'SELECT x.id FROM plain x LEFT JOIN posts p ON p.id = x.post WHERE p.id IS NULL'),
('outer join under outer join', 'SELECT x.id, p.id AS p, u."Name" FROM plain x LEFT JOIN (posts p LEFT JOIN "Users" u ON u.id = p.author) ON p.id = x.post'),
('cross join', 'SELECT p.id, u.id AS u FROM posts p CROSS JOIN "Users" u'),
('natural join', 'SELECT * FROM (SELECT p.id FROM posts p) a NATURAL JOIN (SELECT n.id FROM notes n) b'),
('self join', 'SELECT p.id, q.id AS q FROM posts p JOIN posts q ON q.author = p.author AND q.id > p.id'),
('join whose right side is unused', 'SELECT x.id FROM plain x LEFT JOIN posts p ON p.id = x.post'),
('exists', 'SELECT u.id FROM "Users" u WHERE EXISTS (SELECT FROM posts p WHERE p.author = u.id)'),
('not exists', 'SELECT u.id FROM "Users" u WHERE NOT EXISTS (SELECT FROM posts p WHERE p.author = u.id AND p.id > 50)'),
('in', 'SELECT x.id FROM plain x WHERE x.post IN (SELECT p.id FROM posts p)'),
('not in', 'SELECT x.id FROM plain x WHERE x.post NOT IN (SELECT p.id FROM posts p)'),
('any, all', 'SELECT p.id FROM posts p WHERE p.score >= ALL (SELECT q.score FROM posts q WHERE q.author = p.author) AND p.id > ANY (SELECT n.post FROM notes n)'),
('scalar sub-select', 'SELECT u.id, (SELECT count(*) FROM posts p WHERE p.author = u.id) AS c FROM "Users" u'),
('array sub-select', 'SELECT u.id, ARRAY(SELECT p.id FROM posts p WHERE p.author = u.id ORDER BY 1) AS a FROM "Users" u'),
('sub-select in from', 'SELECT s.author, s.c FROM (SELECT p.author, count(*) AS c FROM posts p GROUP BY p.author) s WHERE s.c > 6'),
('sub-select with limit', 'SELECT * FROM (SELECT p.id FROM posts p ORDER BY p.id LIMIT 10 OFFSET 3) s'),
('lateral', 'SELECT u.id, l.id AS p FROM "Users" u CROSS JOIN LATERAL (SELECT p.id FROM posts p WHERE p.author = u.id ORDER BY p.id LIMIT 2) l'),
('left lateral', 'SELECT u.id, l.id AS p FROM "Users" u LEFT JOIN LATERAL (SELECT p.id FROM posts p WHERE p.author = u.id AND p.id > 55 ORDER BY p.id LIMIT 1) l ON true'),
('union', 'SELECT p.id FROM posts p UNION SELECT n.id FROM notes n'),
('union all', 'SELECT p.id FROM posts p UNION ALL SELECT n.id FROM notes n UNION ALL SELECT x.id FROM plain x'),
('union all in from', 'SELECT s.id, s.t FROM (SELECT p.id, p.title AS t FROM posts p UNION ALL SELECT n.id, n.body FROM notes n) s WHERE s.id < 20'),
('union all of a table with itself', 'SELECT s.id FROM (SELECT p.id FROM posts p WHERE p.id < 10 UNION ALL SELECT p.id FROM posts p WHERE p.id > 5) s'),
('union all under a join', 'SELECT u.id, s.id AS s FROM "Users" u JOIN (SELECT p.author AS a, p.id FROM posts p UNION ALL SELECT x.id, x.post FROM plain x) s ON s.a = u.id'),
('union all, min and max', 'SELECT min(s.id), max(s.id) FROM (SELECT p.id FROM posts p UNION ALL SELECT n.id FROM notes n) s'),
('intersect', 'SELECT p.id FROM posts p INTERSECT SELECT n.post FROM notes n'),
('except', 'SELECT n.post FROM notes n EXCEPT SELECT p.id FROM posts p'),
('except all', 'SELECT n.post FROM notes n EXCEPT ALL SELECT p.id FROM posts p'),
('count', 'SELECT count(*), count(DISTINCT p.author), sum(p.score) FROM posts p'),
('min, max', 'SELECT min(p.id), max(p.id) FROM posts p'),
('min with a condition', 'SELECT min(p.id) FROM posts p WHERE p.id >= 57'),
('group by, having', 'SELECT p.author, count(*), max(p.id) FROM posts p GROUP BY p.author HAVING count(*) > 6'),
('grouping sets', 'SELECT p.author, p.tags, count(*) FROM posts p GROUP BY GROUPING SETS ((p.author), (p.tags), ())'),
('distinct', 'SELECT DISTINCT p.author FROM posts p WHERE p.id < 6'),
('distinct on', 'SELECT DISTINCT ON (p.author) p.author, p.id FROM posts p ORDER BY p.author, p.id'),
('aggregate with filter and order', 'SELECT array_agg(p.id ORDER BY p.id DESC) FILTER (WHERE p.author = 1), string_agg(p.title, '','' ORDER BY p.id) FROM posts p'),
('window', 'SELECT p.id, row_number() OVER w, lag(p.id) OVER w, count(*) OVER () FROM posts p WINDOW w AS (PARTITION BY p.author ORDER BY p.id)'),
('with', 'WITH a AS (SELECT p.id, p.author FROM posts p), b AS MATERIALIZED (SELECT n.post FROM notes n) SELECT a.id, b.post FROM a JOIN b ON b.post = a.id'),
('with recursive', 'WITH RECURSIVE r AS (SELECT p.id FROM posts p WHERE p.id = 3 UNION SELECT q.id FROM r JOIN posts q ON q.id IN (r.id + 1, r.id + 3)) SELECT r.id FROM r'),
('fetch first, with ties', 'SELECT p.id FROM posts p ORDER BY p.id FETCH FIRST 7 ROWS WITH TIES'),
('array condition', 'SELECT p.id FROM posts p WHERE p.tags @> ARRAY[''t1'']'),
('nulls in the mark', 'SELECT n.id, n.state FROM notes n WHERE n.state IS NULL'),
('whole row', 'SELECT count(p.*), count(p) FROM posts p'),
('values join', 'SELECT v.i, p.title FROM (VALUES (1), (2), (3)) v(i) LEFT JOIN posts p ON p.id = v.i'),
('function scan join', 'SELECT g, p.title FROM generate_series(1, 8) g LEFT JOIN posts p ON p.id = g'),
('everything at once', 'SELECT u."Name", (SELECT max(n.id) FROM notes n WHERE n.post = p.id) AS m FROM "Users" u LEFT JOIN posts p ON p.author = u.id AND EXISTS (SELECT FROM notes n WHERE n.post = p.id) WHERE u.id NOT IN (SELECT x.id FROM plain x JOIN posts q ON q.id = x.post WHERE x.id > 5)');
SELECT n, what, same(query) FROM shapes ORDER BY n;
-- under every kind of plan
CREATE FUNCTION all_same() RETURNS TABLE (what text, result text) LANGUAGE sql AS
    'SELECT what, r FROM (SELECT n, what, same(query) AS r FROM shapes) s WHERE r ~ ''DIFFERENT'' ORDER BY n';
SET enable_seqscan = off;
SELECT * FROM all_same();
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT * FROM all_same();
RESET enable_hashjoin;
SET enable_nestloop = off;
SET enable_hashjoin = off;
RESET enable_mergejoin;
SELECT * FROM all_same();
RESET enable_seqscan;
RESET enable_nestloop;
RESET enable_hashjoin;
SET join_collapse_limit = 1;
SET from_collapse_limit = 1;
SET geqo_threshold = 2;
SELECT * FROM all_same();
RESET join_collapse_limit;
RESET from_collapse_limit;
RESET geqo_threshold;
-- in parallel
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET min_parallel_index_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT count(*) FROM posts;
SELECT * FROM all_same();
SELECT set_config(name, 'on', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT * FROM all_same();
SELECT set_config(name, 'off', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET min_parallel_index_scan_size;
RESET max_parallel_workers_per_gather;
-- deleted ones alone, and all
SET softdelete.visibility = deleted;
SELECT count(*), count(*) FILTER (WHERE id % 4 = 1) AS expected FROM posts;
SELECT count(*), count(*) FILTER (WHERE id % 5 = 2) AS expected FROM notes;
SET softdelete.visibility = 'all';
SELECT (SELECT count(*) FROM posts) = (SELECT count(*) FROM ref_posts) AS posts, (SELECT count(*) FROM notes) = (SELECT count(*) FROM ref_notes) AS notes;
RESET softdelete.visibility;

-- the plan is the one of the hand-written condition: partial indexes are used
CREATE INDEX by_author ON posts (author) WHERE deleted_at IS NULL;
CREATE INDEX by_tags ON posts USING gin (tags) WHERE deleted_at IS NULL;
CREATE INDEX by_title ON posts (lower(title)) WHERE deleted_at IS NULL;
SELECT softdelete.create_live_index('notes', 'post');
SELECT softdelete.create_live_index('"Users"', 'Name');
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM posts WHERE tags @> ARRAY['t1'];
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM posts WHERE author = 3;
EXPLAIN (COSTS OFF) SELECT id FROM posts WHERE lower(title) = 'post 3';
EXPLAIN (COSTS OFF) SELECT id FROM notes WHERE post = 3;
EXPLAIN (COSTS OFF) SELECT id FROM "Users" WHERE "Name" = 'user 3';
EXPLAIN (COSTS OFF) SELECT s.id FROM (SELECT id, author FROM posts UNION ALL SELECT id, post FROM notes) s WHERE author = 3;
EXPLAIN (COSTS OFF) DELETE FROM posts WHERE author = 3;
-- the clean-up index finds the others
SET softdelete.visibility = deleted;
EXPLAIN (COSTS OFF) SELECT id FROM posts WHERE deleted_at < now();
RESET softdelete.visibility;
EXPLAIN (COSTS OFF) SELECT author FROM posts WHERE author > 3;
SELECT author, count(*) FROM posts WHERE author > 3 GROUP BY author ORDER BY author;
RESET enable_seqscan;
RESET enable_bitmapscan;
-- unmanaged tables' plans have nothing added
EXPLAIN (COSTS OFF) SELECT * FROM ref_notes;

-- views, of all sorts
CREATE VIEW v AS SELECT p.id, p.title, u."Name" FROM posts p LEFT JOIN "Users" u ON u.id = p.author;
CREATE VIEW v_barrier WITH (security_barrier) AS SELECT id, author FROM posts WHERE author < 5;
CREATE VIEW v_invoker WITH (security_invoker) AS SELECT * FROM posts;
CREATE MATERIALIZED VIEW mat AS SELECT p.id, p.author FROM posts p;
CREATE TABLE copied AS SELECT p.id FROM posts p;
CREATE RECURSIVE VIEW v_rec (id) AS SELECT p.id FROM posts p WHERE p.id = 3 UNION SELECT p.id FROM v_rec r JOIN posts p ON p.id = r.id + 1;
CREATE VIEW live AS SELECT id, author, title FROM ref_posts WHERE NOT deleted;
SELECT count(*) FROM (SELECT id FROM v EXCEPT ALL SELECT id FROM live) d;
SELECT count(*), count(*) FILTER (WHERE "Name" IS NULL) AS without_author FROM v;
SELECT (SELECT count(*) FROM v_barrier) = (SELECT count(*) FROM live WHERE author < 5) AS barrier,
       (SELECT count(*) FROM v_invoker) = (SELECT count(*) FROM live) AS invoker,
       (SELECT count(*) FROM mat) = (SELECT count(*) FROM live) AS mat,
       (SELECT count(*) FROM copied) = (SELECT count(*) FROM live) AS copied;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM v_rec;
DELETE FROM posts WHERE id = 4;
SELECT count(*) FROM mat WHERE id = 4;
REFRESH MATERIALIZED VIEW mat;
SELECT count(*) FROM mat WHERE id = 4;
SELECT softdelete.restore('posts', 4);
-- a security barrier keeps its place: no leak of what it hides, nor of deleted rows
CREATE FUNCTION leak(int) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$;
SELECT count(*) FROM (SELECT id FROM v_barrier WHERE id < 12 AND leak(id) ORDER BY id) s;

-- functions: LANGUAGE sql, inlined or not, plpgsql, in every place
CREATE FUNCTION f_inlined() RETURNS SETOF posts LANGUAGE sql STABLE AS 'SELECT * FROM visibility.posts';
CREATE FUNCTION f_inlined_arg(int) RETURNS TABLE (id int) LANGUAGE sql STABLE AS 'SELECT id FROM visibility.posts WHERE author = $1';
CREATE FUNCTION f_scalar(int) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM visibility.posts WHERE author = $1';
CREATE FUNCTION f_not_inlined() RETURNS SETOF posts LANGUAGE sql VOLATILE AS 'SELECT * FROM visibility.posts';
CREATE FUNCTION f_atomic() RETURNS SETOF int LANGUAGE sql STABLE BEGIN ATOMIC SELECT id FROM posts; END;
CREATE FUNCTION f_definer() RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = visibility AS 'SELECT id FROM posts';
CREATE FUNCTION f_plpgsql() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM visibility.posts); END';
EXPLAIN (COSTS OFF) SELECT count(*) FROM f_inlined();
SELECT (SELECT count(*) FROM f_inlined()) AS inlined, (SELECT count(*) FROM f_not_inlined()) AS not_inlined,
       (SELECT count(*) FROM f_atomic()) AS atomic, (SELECT count(*) FROM f_definer()) AS definer, f_plpgsql() AS plpgsql, (SELECT count(*) FROM live) AS expected;
SELECT u.id, l.c, f_scalar(u.id) FROM "Users" u LEFT JOIN LATERAL (SELECT count(*) AS c FROM f_inlined_arg(u.id)) l ON true ORDER BY 1;
SELECT count(*) FROM "Users" u JOIN f_inlined() f ON f.author = u.id;

-- locking clauses, and UPDATE of a hidden row
BEGIN;
SELECT id FROM posts WHERE id < 6 ORDER BY id FOR UPDATE;
SELECT p.id, u.id FROM posts p JOIN "Users" u ON u.id = p.author WHERE p.id < 8 ORDER BY 1 FOR NO KEY UPDATE OF p FOR KEY SHARE OF u;
SELECT id FROM posts WHERE id IN (1, 2) FOR SHARE SKIP LOCKED;
\set QUIET off
UPDATE posts SET title = 'x' WHERE id = 1;
UPDATE posts SET title = 'x' WHERE id IN (1, 2) RETURNING id;
UPDATE posts p SET title = n.body FROM notes n WHERE n.post = p.id AND n.id < 20;
UPDATE plain SET post = p.id FROM posts p WHERE p.id = plain.id AND plain.id < 8;
UPDATE posts SET score = (SELECT count(*) FROM notes n WHERE n.post = posts.id) WHERE id = 2;
INSERT INTO plain SELECT id + 1000, id FROM posts WHERE id < 10;
\set QUIET on
ROLLBACK;
BEGIN;
\set QUIET off
INSERT INTO plain SELECT id + 1000, id FROM posts WHERE id < 10;
CREATE TABLE made AS TABLE posts;
\set QUIET on
ROLLBACK;

-- softdelete.visibility: switched at once, in cached plans, too
PREPARE q AS SELECT count(*) FROM posts;
PREPARE q1(int) AS SELECT count(*) FROM posts WHERE id = $1;
CREATE FUNCTION counted() RETURNS bigint LANGUAGE plpgsql AS 'DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM visibility.posts; RETURN n; END';
SET plan_cache_mode = force_generic_plan;
EXECUTE q;
EXECUTE q1(1);
SELECT counted();
SET softdelete.visibility = deleted;
EXECUTE q;
EXECUTE q1(1);
SELECT counted();
SET softdelete.visibility = 'all';
EXECUTE q;
EXECUTE q1(1);
SELECT counted(), (SELECT count(*) FROM f_inlined()), (SELECT count(*) FROM v), (SELECT count(*) FROM f_atomic());
RESET softdelete.visibility;
-- the names that need no quotes; the older ones mean the same
SET softdelete.visibility = with_deleted;
SELECT counted();
SET softdelete.visibility = only_deleted;
SELECT counted();
SET softdelete.visibility = "all";
SHOW softdelete.visibility;
RESET softdelete.visibility;
EXECUTE q;
EXECUTE q1(1);
SELECT counted();
RESET plan_cache_mode;
-- SET LOCAL ends with the transaction, or the savepoint; a function's SET with the function
BEGIN;
SET LOCAL softdelete.visibility = 'all';
EXECUTE q;
SAVEPOINT s;
SET LOCAL softdelete.visibility = deleted;
EXECUTE q;
ROLLBACK TO s;
EXECUTE q;
COMMIT;
EXECUTE q;
CREATE FUNCTION counted_all() RETURNS bigint LANGUAGE sql SET softdelete.visibility = 'all' AS 'SELECT count(*) FROM visibility.posts';
SELECT counted_all(), (SELECT count(*) FROM posts), counted();
SELECT set_config('softdelete.visibility', 'deleted', false);
EXECUTE q;
DISCARD PLANS;
EXECUTE q;
DISCARD ALL;
SET jit = off;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = visibility;
SHOW softdelete.visibility;
SELECT count(*) FROM posts;
-- one statement sees one setting: it is taken as the statement is planned
SELECT count(*) FROM posts WHERE set_config('softdelete.visibility', 'all', false) IS NOT NULL;
SELECT count(*) FROM posts;
RESET softdelete.visibility;
-- a bad value
SET softdelete.visibility = everything;
\set VERBOSITY sqlstate
SET softdelete.visibility = everything;
SET softdelete.no_such_setting = 1;
\set VERBOSITY default
-- an open cursor goes on as it began
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM posts ORDER BY id;
FETCH 1 FROM c;
SET LOCAL softdelete.visibility = 'all';
FETCH 2 FROM c;
ROLLBACK;

-- row_security = off hides nothing, so that dumps are whole
BEGIN;
SET LOCAL row_security = off;
SELECT count(*) FROM posts;
DELETE FROM posts WHERE id IN (1, 2);
SELECT count(*) FILTER (WHERE deleted_at IS NOT NULL) AS deleted, count(*) FROM posts;
ROLLBACK;
SELECT count(*) FROM posts;
PREPARE rs AS SELECT count(*) FROM posts;
EXECUTE rs;
SET row_security = off;
EXECUTE rs;
RESET row_security;
EXECUTE rs;
COPY (SELECT id, "Name" FROM "Users") TO STDOUT;

-- a table that is enabled, or disabled, while a plan is cached
CREATE TABLE late (id int PRIMARY KEY, deleted_at timestamptz);
INSERT INTO late VALUES (1, NULL), (2, now());
PREPARE l AS SELECT id FROM late ORDER BY id;
SET plan_cache_mode = force_generic_plan;
EXECUTE l;
SELECT softdelete.enable('late', build_index => false);
EXECUTE l;
SELECT softdelete.disable('late');
EXECUTE l;
RESET plan_cache_mode;

-- constraints and indexes are made over all rows, rewrites keep them all
CREATE TABLE kept (id int PRIMARY KEY, n int, "Note" text);
SELECT softdelete.enable('kept');
INSERT INTO kept VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 3, 'c');
DELETE FROM kept WHERE id IN (1, 3);
\set VERBOSITY sqlstate
ALTER TABLE kept ADD CHECK (id <> 1);
ALTER TABLE kept ADD CONSTRAINT later CHECK (id <> 1) NOT VALID;
ALTER TABLE kept VALIDATE CONSTRAINT later;
ALTER TABLE kept DROP CONSTRAINT later;
SET softdelete.visibility = with_deleted;
ALTER TABLE kept ADD UNIQUE (n);
CREATE UNIQUE INDEX ON kept (n);
RESET softdelete.visibility;
UPDATE kept SET "Note" = NULL;
ALTER TABLE kept ALTER COLUMN n SET NOT NULL;
\set VERBOSITY default
CREATE UNIQUE INDEX ON kept (n) WHERE deleted_at IS NULL;
ALTER TABLE kept ALTER COLUMN n TYPE text, ADD COLUMN extra int DEFAULT random() * 10;
CLUSTER kept USING kept_pkey;
VACUUM FULL kept;
REINDEX TABLE kept;
SELECT id, n, "Note" FROM kept ORDER BY id;
SELECT softdelete.restore('kept', 3);
SELECT id, n, "Note" FROM kept ORDER BY id;
SET softdelete.visibility = 'all';
SELECT id, n, "Note" FROM kept ORDER BY id;
