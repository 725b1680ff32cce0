-- Deleted rows are hidden in every shape of query that Citus plans, and are all there is where only they are asked for
SET client_min_messages = warning;
SET ROLE shop_owner;
CREATE TABLE kinds (id int PRIMARY KEY, name text);
CREATE TABLE posts (tenant int, id int, author int, title text, PRIMARY KEY (tenant, id));
CREATE TABLE files (tenant int, id int, post int, size int, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, post) REFERENCES posts ON DELETE CASCADE);
SELECT create_reference_table('kinds');
SELECT create_distributed_table('posts', 'tenant');
SELECT create_distributed_table('files', 'tenant');
INSERT INTO kinds SELECT i, 'kind ' || i FROM generate_series(0, 9) i;
INSERT INTO posts SELECT t, i, (t * 7 + i) % 10, 'title ' || i FROM generate_series(1, 20) t, generate_series(1, 20) i;
INSERT INTO files SELECT t, 100 * i + j, i, i * j FROM generate_series(1, 20) t, generate_series(1, 20) i, generate_series(1, 3) j WHERE (t + i) % 3 > 0;
SELECT softdelete.enable('posts', cascade => true);
DELETE FROM posts WHERE (tenant + id) % 4 = 0;
DELETE FROM files WHERE size % 5 = 0;

-- twins that nothing manages, of what is to be seen
CREATE PROCEDURE twin(suffix text, seen text) LANGUAGE plpgsql AS $$
DECLARE
	t	text;
BEGIN
	PERFORM set_config('softdelete.visibility', seen, false);
	FOREACH t IN ARRAY '{posts,files}'::text[] LOOP
		EXECUTE format('CREATE TABLE %I (LIKE %I)', t || suffix, t);
		EXECUTE format('SELECT create_distributed_table(%L, ''tenant'', colocate_with => %L)', t || suffix, t);
		EXECUTE format('INSERT INTO %I SELECT * FROM %I', t || suffix, t);
	END LOOP;
END $$;
CALL twin('_live', 'live');
CALL twin('_deleted', 'only_deleted');
CALL twin('_all', 'with_deleted');
RESET softdelete.visibility;
SELECT (SELECT count(*) FROM posts_live), (SELECT count(*) FROM posts_deleted), (SELECT count(*) FROM posts_all),
	   (SELECT count(*) FROM files_live), (SELECT count(*) FROM files_deleted), (SELECT count(*) FROM files_all);

CREATE TABLE shapes (n int GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO shapes (query) VALUES
	('SELECT tenant, id, title FROM posts WHERE tenant = 3'),
	('SELECT tenant, id, title FROM posts WHERE tenant = 3 AND id = 5'),
	('SELECT tenant, id FROM posts'),
	('SELECT count(*), sum(id), count(DISTINCT author) FROM posts'),
	('SELECT author, count(*) FROM posts GROUP BY author HAVING count(*) > 10'),
	('SELECT tenant, author, count(*) FROM posts WHERE tenant = 3 GROUP BY GROUPING SETS ((tenant), (author), ())'),
	('SELECT p.id, f.id AS f FROM posts p JOIN files f ON f.tenant = p.tenant AND f.post = p.id'),
	('SELECT p.id, f.id AS f FROM posts p LEFT JOIN files f ON f.tenant = p.tenant AND f.post = p.id'),
	('SELECT p.id, f.id AS f FROM posts p RIGHT JOIN files f ON f.tenant = p.tenant AND f.post = p.id'),
	('SELECT p.id, f.id AS f FROM posts p FULL JOIN files f ON f.tenant = p.tenant AND f.post = p.id'),
	('SELECT p.id, f.id AS f, g.id AS g FROM posts p LEFT JOIN (files f JOIN posts g ON g.tenant = f.tenant AND g.id = f.size) ON f.tenant = p.tenant AND f.post = p.id'),
	('SELECT id FROM posts p WHERE EXISTS (SELECT FROM files f WHERE f.tenant = p.tenant AND f.post = p.id)'),
	('SELECT id FROM posts p WHERE NOT EXISTS (SELECT FROM files f WHERE f.tenant = p.tenant AND f.post = p.id)'),
	('SELECT id FROM posts WHERE (tenant, id) IN (SELECT tenant, post FROM files WHERE size > 20)'),
	('SELECT id FROM posts WHERE id IN (SELECT size FROM files ORDER BY tenant, id LIMIT 50)'),
	('SELECT id, (SELECT count(*) FROM files f WHERE f.tenant = p.tenant AND f.post = p.id) FROM posts p'),
	('WITH c AS (SELECT tenant, post, count(*) AS n FROM files GROUP BY 1, 2) SELECT p.id, c.n FROM posts p JOIN c ON c.tenant = p.tenant AND c.post = p.id'),
	('WITH c AS MATERIALIZED (SELECT author, count(*) AS n FROM posts GROUP BY 1) SELECT p.id, c.n FROM posts p JOIN c USING (author)'),
	('SELECT tenant, id FROM posts UNION SELECT tenant, id FROM files'),
	('SELECT tenant, id FROM posts UNION ALL SELECT tenant, size FROM files'),
	('SELECT tenant, id FROM posts INTERSECT SELECT tenant, size FROM files'),
	('SELECT tenant, id FROM posts EXCEPT SELECT tenant, size FROM files'),
	('SELECT p.id, l.id AS l FROM posts p, LATERAL (SELECT f.id FROM files f WHERE f.tenant = p.tenant AND f.post = p.id ORDER BY f.size LIMIT 1) l'),
	('SELECT tenant, id, row_number() OVER (PARTITION BY tenant ORDER BY id) FROM posts'),
	('SELECT id, rank() OVER (ORDER BY author, tenant, id) FROM posts'),
	('SELECT DISTINCT author FROM posts'),
	('SELECT DISTINCT ON (tenant) tenant, id FROM posts ORDER BY tenant, id'),
	('SELECT tenant, id FROM posts ORDER BY id, tenant LIMIT 7 OFFSET 3'),
	('SELECT p.id, k.name FROM posts p JOIN kinds k ON k.id = p.author'),
	('SELECT k.id, p.id AS p FROM kinds k LEFT JOIN posts p ON p.author = k.id AND p.tenant = 4'),
	('SELECT a.id, b.id AS b FROM posts a JOIN posts b ON a.tenant = b.tenant AND a.author = b.author'),
	('SELECT a.id, b.tenant FROM posts a JOIN posts b ON a.tenant = b.id WHERE a.id < 4'),
	('SELECT a.id, b.tenant FROM posts a JOIN files b ON a.author = b.size WHERE a.id < 4'),
	('SELECT x.n FROM (SELECT tenant, count(*) AS n FROM posts GROUP BY tenant) x WHERE x.n > 3'),
	('SELECT p.id FROM posts p JOIN (VALUES (1), (5), (9)) v(id) ON v.id = p.id');
SET citus.enable_repartition_joins = on;
SET citus.enable_single_hash_repartition_joins = on;

-- what differs: nothing
CREATE FUNCTION differing(suffix text, seen text) RETURNS TABLE (n int, query text, managed text, twin text) LANGUAGE plpgsql AS $$
DECLARE
	s		record;
	same	constant text := 'SELECT count(*) || '' '' || coalesce(md5(string_agg(x::text, '','' ORDER BY x::text)), ''-'') FROM (%s) x';
BEGIN
	FOR s IN SELECT * FROM shapes ORDER BY shapes.n LOOP
		n := s.n; query := s.query;
		PERFORM set_config('softdelete.visibility', seen, false);
		EXECUTE format(same, s.query) INTO managed;
		PERFORM set_config('softdelete.visibility', 'live', false);
		EXECUTE format(same, regexp_replace(s.query, '\m(posts|files)\M', '\1' || suffix, 'g')) INTO twin;
		CONTINUE WHEN managed = twin;
		RETURN NEXT;
	END LOOP;
END $$;
SELECT count(*) AS shapes FROM shapes;
SELECT * FROM differing('_live', 'live');
SELECT * FROM differing('_deleted', 'only_deleted');
SELECT * FROM differing('_all', 'with_deleted');

-- by themselves, not within another query
SET softdelete.visibility = live;
SELECT count(*), sum(id) FROM posts;
SELECT count(*), sum(id) FROM posts_live;
PREPARE p(int) AS SELECT count(*) FROM posts WHERE tenant = $1;
EXECUTE p(1); EXECUTE p(1); EXECUTE p(1); EXECUTE p(1); EXECUTE p(1); EXECUTE p(1); EXECUTE p(1);
SET softdelete.visibility = only_deleted;
EXECUTE p(1);
SELECT count(*) FROM posts_deleted WHERE tenant = 1;
SET softdelete.visibility = with_deleted;
EXECUTE p(1);
RESET softdelete.visibility;
EXECUTE p(1);
SELECT count(*) FROM (SELECT id FROM posts WHERE tenant = 1 FOR UPDATE) x;

EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT id FROM posts WHERE tenant = 1 AND id < 8;
SELECT count(*) FROM posts_live WHERE tenant = 1 AND id < 8;

-- into tables
CREATE TABLE copied (LIKE posts_live);
SELECT create_distributed_table('copied', 'tenant');
INSERT INTO copied SELECT * FROM posts;
INSERT INTO copied (tenant, id, author) SELECT id, tenant, author FROM posts;
INSERT INTO copied (tenant, id, author) SELECT author, count(*), 0 FROM posts GROUP BY author;
SELECT (SELECT count(*) FROM copied), (SELECT 2 * count(*) + count(DISTINCT author) FROM posts_live) AS expected;
CREATE TABLE local AS SELECT * FROM posts;
CREATE MATERIALIZED VIEW seen AS SELECT * FROM posts;
CREATE VIEW looked AS SELECT * FROM posts;
SELECT (SELECT count(*) FROM local), (SELECT count(*) FROM seen), (SELECT count(*) FROM looked), (SELECT count(*) FROM posts_live) AS expected;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM posts WHERE tenant = 1 ORDER BY id;
FETCH ALL FROM c;
COMMIT;
SELECT count(*) FROM posts_live WHERE tenant = 1;

-- an UPDATE changes live rows only
UPDATE posts SET title = 'changed';
SET softdelete.visibility = with_deleted;
SELECT title = 'changed' AS changed, deleted_at IS NULL AS live, count(*) FROM posts GROUP BY 1, 2;
RESET softdelete.visibility;

-- a table whose deleted rows are not hidden
SELECT softdelete.enable('files', hide => false);
SELECT (SELECT count(*) FROM files), (SELECT count(*) FROM files_all) AS expected;
SELECT softdelete.enable('files', hide => true);
SELECT (SELECT count(*) FROM files), (SELECT count(*) FROM files_live) AS expected;
