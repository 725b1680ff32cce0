SET ROLE shop_owner;
\echo live files without a live post:
SELECT count(*) FROM files f WHERE NOT EXISTS (SELECT FROM posts p WHERE p.tenant = f.tenant AND p.id = f.post);
SET softdelete.visibility = with_deleted;
\echo files without any post:
SELECT count(*) FROM files f WHERE NOT EXISTS (SELECT FROM posts p WHERE p.tenant = f.tenant AND p.id = f.post);
\echo marked rows without an id, or the other way round:
SELECT (SELECT count(*) FROM posts WHERE (deleted_at IS NULL) <> (deletion_id IS NULL)) + (SELECT count(*) FROM files WHERE (deleted_at IS NULL) <> (deletion_id IS NULL)) AS count;
CREATE TEMP TABLE there AS SELECT deletion_id AS id, deleted_at AS at FROM posts WHERE deletion_id IS NOT NULL;
INSERT INTO there SELECT deletion_id, deleted_at FROM files WHERE deletion_id IS NOT NULL;
\echo deletions of more than one time:
SELECT count(*) FROM (SELECT id FROM there GROUP BY id HAVING count(DISTINCT at) > 1) x;
\echo rows that the log does not know:
SELECT count(*) FROM there t WHERE NOT EXISTS (SELECT FROM softdelete.deletions d WHERE d.id = t.id);
-- Citus has no snapshot of the whole cluster, so a count may miss what was committed on one node just now
\echo deletions in a thousand whose log counts other rows than are there, whole ones:
SELECT (1000 * count(*) FILTER (WHERE d.total - d.restored - d.purged <> coalesce(t.n, 0)) / count(*))::int
  FROM softdelete.deletions d LEFT JOIN (SELECT id, count(*) AS n FROM there GROUP BY id) t USING (id);
