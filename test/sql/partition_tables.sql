-- partitioned tables: DELETE through the root or a leaf, rows that move,
-- partitions that come and go, foreign keys on either side, restore and purge
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA partitions;
SET search_path = partitions;

-- by range, with sub-partitions by list and by hash, and a default; the
-- partitions have their columns in an order of their own
CREATE TABLE posts (id int, day int, lang text, title text, PRIMARY KEY (id, day, lang)) PARTITION BY RANGE (day);
CREATE TABLE posts_1 PARTITION OF posts FOR VALUES FROM (0) TO (10);
CREATE TABLE posts_2 PARTITION OF posts FOR VALUES FROM (10) TO (20) PARTITION BY LIST (lang);
CREATE TABLE posts_2_en (title text, junk int, lang text NOT NULL, day int NOT NULL, id int NOT NULL);
ALTER TABLE posts_2_en DROP COLUMN junk;
ALTER TABLE posts_2 ATTACH PARTITION posts_2_en FOR VALUES IN ('en');
CREATE TABLE posts_2_rest PARTITION OF posts_2 DEFAULT PARTITION BY HASH (id);
CREATE TABLE posts_2_rest_0 PARTITION OF posts_2_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE posts_2_rest_1 PARTITION OF posts_2_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE "Posts default" PARTITION OF posts DEFAULT;
INSERT INTO posts SELECT g, g, (ARRAY['en', 'de', 'fr'])[g % 3 + 1], 'p' || g FROM generate_series(1, 24) g;
CREATE TABLE native (LIKE posts INCLUDING ALL);
INSERT INTO native SELECT * FROM posts;
-- what native and posts differ in
CREATE VIEW diff AS
    (SELECT id, day, lang, title FROM native EXCEPT ALL SELECT id, day, lang, title FROM posts)
    UNION ALL (SELECT id, day, lang, title FROM posts EXCEPT ALL SELECT id, day, lang, title FROM native);

SELECT softdelete.enable('posts');
-- the root is what is managed; each partition carries the row triggers
SELECT target, marker FROM softdelete.tables WHERE target IN (SELECT relid FROM pg_partition_tree('posts'));
SELECT tgrelid::regclass AS partition, count(*) AS triggers FROM pg_trigger
 WHERE tgrelid IN (SELECT relid FROM pg_partition_tree('posts')) AND tgname LIKE '~softdelete%'
 GROUP BY tgrelid ORDER BY tgrelid::regclass::text COLLATE "C";
-- a partition is not managed by itself
\set VERBOSITY sqlstate
SELECT softdelete.enable('posts_1');
SELECT softdelete.disable('posts_1');
\set VERBOSITY default

-- through the root, the middle and the leaves
\set QUIET off
DELETE FROM posts WHERE id IN (1, 11, 12, 13, 22);
DELETE FROM posts_1 WHERE id = 2 RETURNING id, title;
DELETE FROM posts_2 WHERE id = 14 RETURNING id, title;
DELETE FROM posts_2_en WHERE id = 15 RETURNING id, title;
DELETE FROM posts_2_rest WHERE id = 16;
DELETE FROM "Posts default" WHERE id = 20;
DELETE FROM ONLY posts WHERE id = 5;
DELETE FROM posts_2_rest_0 WHERE id IN (17, 19) RETURNING id;
DELETE FROM posts_2_rest_1 WHERE id IN (17, 19) RETURNING id;
\set QUIET on
DELETE FROM native WHERE id IN (1, 11, 12, 13, 22, 2, 14, 15, 16, 20, 17, 19);
SELECT * FROM diff;
-- they are hidden from every door
SELECT count(*) FROM posts;
SELECT tableoid::regclass AS partition, string_agg(id::text, ' ' ORDER BY id) AS ids FROM posts GROUP BY tableoid ORDER BY tableoid::regclass::text COLLATE "C";
SELECT (SELECT count(*) FROM posts_1) AS posts_1, (SELECT count(*) FROM posts_2) AS posts_2, (SELECT count(*) FROM posts_2_en) AS posts_2_en,
       (SELECT count(*) FROM posts_2_rest_0) + (SELECT count(*) FROM posts_2_rest_1) AS rest, (SELECT count(*) FROM "Posts default") AS "default";
SELECT count(*) FROM posts p JOIN posts_1 q USING (id);
SELECT count(*) FROM (SELECT id FROM posts_1 UNION ALL SELECT id FROM posts_2_en) u;
SELECT min(id), max(id) FROM posts;
SET enable_partitionwise_join = on;
SET enable_partitionwise_aggregate = on;
SELECT count(*) FROM posts p JOIN posts q USING (id, day, lang);
SELECT day, count(*) FROM posts GROUP BY day HAVING day BETWEEN 9 AND 12 ORDER BY day;
RESET enable_partitionwise_join;
RESET enable_partitionwise_aggregate;
SET softdelete.visibility = deleted;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts_2_en;
RESET softdelete.visibility;
-- the log names the root, whichever door was used
SELECT target, rows FROM softdelete.deletions WHERE rows ? 'posts' ORDER BY id;
-- pruning goes on
SET enable_indexscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT title FROM posts WHERE day = 3 AND id = 3 AND lang = 'de';
EXPLAIN (COSTS OFF) DELETE FROM posts WHERE day = 12;
RESET enable_indexscan;
RESET enable_bitmapscan;

-- restore: by key through the root, by id, by UPDATE through a leaf
SELECT softdelete.restore('posts', 15, 15, 'en');
SELECT softdelete.undo(min(id)) FROM softdelete.deletions WHERE target = 'posts'::regclass;
BEGIN;
SET LOCAL softdelete.visibility = deleted;
UPDATE posts_1 SET deleted_at = NULL;
UPDATE posts SET deleted_at = NULL WHERE id > 15;
COMMIT;
SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts;
SELECT count(*) FROM posts WHERE num_nonnulls(deleted_at, deletion_id) > 0;
SELECT softdelete.restore('posts', 14, 14, 'fr');
SELECT total, restored FROM softdelete.deletions WHERE target = 'posts'::regclass ORDER BY id;
DELETE FROM native;
INSERT INTO native SELECT g, g, (ARRAY['en', 'de', 'fr'])[g % 3 + 1], 'p' || g FROM generate_series(1, 24) g;
SELECT * FROM diff;

-- the strict call
SELECT softdelete.delete('posts', 3, 3, 'en') > 0 AS deleted;
\set VERBOSITY sqlstate
SELECT softdelete.delete('posts', 3, 3, 'en');
SELECT softdelete.delete('posts', 3, 4, 'en');
SELECT softdelete.restore('posts', 4, 4, 'de');
\set VERBOSITY default
SELECT softdelete.restore('posts', 3, 3, 'en');

-- an UPDATE that moves a row to another partition is no delete, and erases nothing
UPDATE posts SET day = 21 WHERE id = 1;
UPDATE posts SET day = 12, lang = 'en' WHERE id = 21;
UPDATE posts SET lang = 'it' WHERE id = 12;
SELECT tableoid::regclass AS partition, id, day, lang, deleted_at FROM posts WHERE id IN (1, 12, 21) ORDER BY id;
SELECT count(*) FROM posts;
SELECT count(*) FROM softdelete.deletions WHERE target = 'posts'::regclass AND restored = 0;
-- a moved row is deleted and restored like any other
DELETE FROM posts WHERE id IN (1, 21);
SELECT id FROM posts WHERE id IN (1, 21);
SELECT softdelete.restore('posts', 21, 12, 'en');
SELECT id FROM posts WHERE id IN (1, 21);
-- and a deleted row can move, too: it stays deleted and remains restorable
SET softdelete.visibility = deleted;
UPDATE posts SET day = 5 WHERE id = 1;
SELECT tableoid::regclass AS partition, id, deleted_at IS NOT NULL AS deleted, deletion_id IS NOT NULL AS stamped FROM posts;
RESET softdelete.visibility;
SELECT count(*) FROM posts WHERE id = 1;
SELECT softdelete.restore('posts', 1, 5, 'de');
SELECT tableoid::regclass AS partition, id FROM posts WHERE id = 1;

-- a new partition is managed from the start
CREATE TABLE archive (LIKE posts INCLUDING DEFAULTS INCLUDING INDEXES);
ALTER TABLE posts DETACH PARTITION "Posts default";
CREATE TABLE posts_3 PARTITION OF posts FOR VALUES FROM (30) TO (40);
INSERT INTO posts VALUES (30, 30, 'en', 'p30'), (31, 31, 'en', 'p31');
DELETE FROM posts_3 WHERE id = 30;
DELETE FROM posts WHERE id = 31;
SELECT id FROM posts_3;
SELECT count(*) FROM softdelete.trash('posts');
-- what is attached with marked rows is hidden at once
INSERT INTO archive (id, day, lang, title) VALUES (40, 40, 'en', 'p40'), (41, 41, 'en', 'p41');
INSERT INTO archive (id, day, lang, title, deleted_at) VALUES (42, 42, 'en', 'p42', now());
ALTER TABLE posts ATTACH PARTITION archive FOR VALUES FROM (40) TO (50);
SELECT id FROM archive ORDER BY id;
SELECT id FROM posts WHERE day >= 40 ORDER BY id;
DELETE FROM archive WHERE id = 40;
SELECT id FROM posts WHERE day >= 40 ORDER BY id;
SELECT softdelete.restore('posts', 40, 40, 'en');
SELECT softdelete.restore('posts', 42, 42, 'en');
SELECT id, deleted_at, deletion_id FROM archive ORDER BY id;
-- a detached one is an ordinary table
DELETE FROM archive WHERE id = 41;
ALTER TABLE posts DETACH PARTITION archive;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'archive'::regclass AND tgname LIKE '~softdelete%';
SELECT id, deleted_at IS NOT NULL AS deleted FROM archive ORDER BY id;
SELECT id, deleted_at IS NOT NULL AS deleted FROM "Posts default" ORDER BY id;
DELETE FROM archive WHERE id = 40;
SELECT id, deleted_at IS NOT NULL AS deleted FROM archive ORDER BY id;
-- it cannot come back managed by itself, and is managed again once it is back
SELECT softdelete.enable('archive');
\set VERBOSITY sqlstate
ALTER TABLE posts ATTACH PARTITION archive FOR VALUES FROM (40) TO (50);
\set VERBOSITY default
SELECT softdelete.disable('archive');
ALTER TABLE posts ATTACH PARTITION archive FOR VALUES FROM (40) TO (50);
SELECT id FROM archive ORDER BY id;
SELECT softdelete.restore('posts', 41, 41, 'en');
SELECT id FROM posts WHERE day >= 40 ORDER BY id;

-- TRUNCATE is refused for the root and for every partition
TRUNCATE posts_1;
\set VERBOSITY sqlstate
TRUNCATE posts;
TRUNCATE posts_1;
TRUNCATE posts_2;
TRUNCATE posts_2_rest_0;
\set VERBOSITY default
-- DROP TABLE of a partition goes on: whole partitions are dropped on purpose
DROP TABLE posts_3;

-- prepared statements follow the partitions
PREPARE del(int) AS DELETE FROM posts WHERE id = $1 RETURNING tableoid::regclass, id;
SET plan_cache_mode = force_generic_plan;
EXECUTE del(3);
CREATE TABLE posts_3 PARTITION OF posts FOR VALUES FROM (30) TO (40);
INSERT INTO posts VALUES (35, 35, 'en', 'p35');
EXECUTE del(35);
RESET plan_cache_mode;
SELECT key->>'id' AS id FROM softdelete.trash('posts') ORDER BY 1;

-- purge: through the root, all partitions; leaves nothing behind
SELECT expired, purged, kept FROM softdelete.purge_expired('posts', older_than => '0', dry_run => true);
SELECT expired, purged, kept FROM softdelete.purge_expired('posts', older_than => '0', batch_size => 1);
SET softdelete.visibility = deleted;
SELECT count(*) FROM posts;
RESET softdelete.visibility;
DELETE FROM posts WHERE id = 4;
SELECT softdelete.purge('posts', 4, 4, 'de');
SELECT string_agg(id::text, ' ' ORDER BY id) FROM posts;

-- foreign keys to a partitioned table, from an ordinary and from a partitioned one
CREATE TABLE accounts (id int PRIMARY KEY, name text) PARTITION BY HASH (id);
CREATE TABLE accounts_0 PARTITION OF accounts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE accounts_1 PARTITION OF accounts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE plain_child (id int PRIMARY KEY, account int REFERENCES accounts ON DELETE CASCADE);
CREATE TABLE part_child (id int, account int REFERENCES accounts ON DELETE CASCADE, kind text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE part_child_a PARTITION OF part_child FOR VALUES IN ('a');
CREATE TABLE part_child_b (kind text NOT NULL, account int, id int NOT NULL);
ALTER TABLE part_child ATTACH PARTITION part_child_b FOR VALUES IN ('b');
CREATE TABLE restrict_child (id int PRIMARY KEY, account int REFERENCES accounts ON DELETE RESTRICT) PARTITION BY RANGE (id);
CREATE TABLE restrict_child_1 PARTITION OF restrict_child FOR VALUES FROM (0) TO (100);
CREATE TABLE grandchild (id int PRIMARY KEY, child int, kind text, FOREIGN KEY (child, kind) REFERENCES part_child ON DELETE CASCADE);
SELECT softdelete.enable('accounts');
SELECT softdelete.enable('accounts', cascade => true);
SELECT target FROM softdelete.tables JOIN pg_class ON pg_class.oid = target
 WHERE relnamespace = 'partitions'::regnamespace AND relname ~ 'child|accounts' ORDER BY target::text;
INSERT INTO accounts SELECT g, 'a' || g FROM generate_series(1, 6) g;
INSERT INTO plain_child SELECT g, g FROM generate_series(1, 6) g;
INSERT INTO part_child SELECT g, g, CASE g % 2 WHEN 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 6) g;
INSERT INTO grandchild SELECT id, id, kind FROM part_child;
INSERT INTO restrict_child VALUES (1, 6);
DELETE FROM accounts WHERE id IN (1, 2);
DELETE FROM accounts_1 WHERE id = 3;
DELETE FROM accounts_0 WHERE id = 3;
CREATE VIEW ids AS SELECT
    (SELECT string_agg(id::text, ' ' ORDER BY id) FROM accounts) AS accounts,
    (SELECT string_agg(id::text, ' ' ORDER BY id) FROM plain_child) AS plain_child,
    (SELECT string_agg(id::text, ' ' ORDER BY id) FROM part_child) AS part_child,
    (SELECT string_agg(id::text, ' ' ORDER BY id) FROM grandchild) AS grandchild;
SELECT * FROM ids;
SELECT rows FROM softdelete.deletions WHERE target = 'accounts'::regclass ORDER BY id;
-- RESTRICT holds, on the root and on the leaf; the child is deleted: it holds no more
DELETE FROM accounts WHERE id = 6;
\set VERBOSITY sqlstate
DELETE FROM accounts WHERE id = 6;
DELETE FROM accounts_0 WHERE id = 6;
DELETE FROM accounts_1 WHERE id = 6;
\set VERBOSITY default
SELECT * FROM ids;
SELECT softdelete.enable('restrict_child');
DELETE FROM restrict_child;
DELETE FROM accounts WHERE id = 6;
SELECT * FROM ids;
-- children of deleted parents are refused with the code of a missing parent
\set VERBOSITY sqlstate
INSERT INTO plain_child VALUES (10, 1);
INSERT INTO part_child VALUES (10, 2, 'a');
UPDATE part_child SET account = 3 WHERE id = 4;
SELECT softdelete.restore('part_child', 1, 'b');
\set VERBOSITY default
-- restore brings the tree back, and only what went with it
DELETE FROM plain_child WHERE id = 4;
DELETE FROM accounts WHERE id = 4;
SELECT softdelete.restore('accounts', 4);
SELECT softdelete.restore('accounts', 3);
SELECT softdelete.undo((SELECT min(id) FROM softdelete.deletions WHERE target = 'accounts'::regclass));
SELECT * FROM ids;
-- restored by an UPDATE of a leaf
SET softdelete.visibility = deleted;
UPDATE accounts_1 SET deleted_at = NULL WHERE id = 6;
RESET softdelete.visibility;
SELECT * FROM ids;
-- a child row that moved while it was live goes with its parent; one that moved
-- while it was deleted comes back with it
ALTER TABLE grandchild DROP CONSTRAINT grandchild_child_kind_fkey;
UPDATE part_child SET kind = 'b' WHERE id = 2;
DELETE FROM accounts WHERE id IN (1, 2);
SET softdelete.visibility = deleted;
UPDATE part_child SET kind = 'a' WHERE id = 1;
RESET softdelete.visibility;
SELECT * FROM ids;
SELECT softdelete.restore('accounts', 1);
SELECT tableoid::regclass AS partition, id FROM part_child ORDER BY id;
-- purge erases the tree
SELECT softdelete.purge('accounts', 2);
SET softdelete.visibility = 'all';
SELECT count(*) FILTER (WHERE id = 2) AS part_child FROM part_child;
RESET softdelete.visibility;
DELETE FROM accounts;
SELECT target, expired, purged, kept FROM softdelete.purge_expired('part_child', older_than => '0');
SELECT target, expired, purged, kept FROM softdelete.purge_expired('accounts', older_than => '0');
SET softdelete.visibility = 'all';
SELECT (SELECT count(*) FROM accounts) AS accounts, (SELECT count(*) FROM part_child) AS part_child, (SELECT count(*) FROM plain_child) AS plain_child;
RESET softdelete.visibility;

-- the mark is the partition key: deleted rows gather in a partition of their own
CREATE TABLE bins (id int, is_deleted boolean NOT NULL DEFAULT false, PRIMARY KEY (id, is_deleted)) PARTITION BY LIST (is_deleted);
CREATE TABLE bins_live PARTITION OF bins FOR VALUES IN (false);
CREATE TABLE bins_deleted PARTITION OF bins FOR VALUES IN (true);
INSERT INTO bins SELECT g FROM generate_series(1, 5) g;
SELECT softdelete.enable('bins', 'is_deleted');
\set QUIET off
DELETE FROM bins WHERE id < 4 RETURNING id;
DELETE FROM bins WHERE id < 4;
\set QUIET on
SELECT tableoid::regclass AS partition, id FROM bins ORDER BY id;
SET softdelete.visibility = 'all';
SELECT tableoid::regclass AS partition, id, deletion_id IS NOT NULL AS stamped FROM bins ORDER BY id;
RESET softdelete.visibility;
SELECT rows, restored FROM softdelete.deletions WHERE target = 'bins'::regclass;
SELECT softdelete.undo(id) FROM softdelete.deletions WHERE target = 'bins'::regclass;
SELECT tableoid::regclass AS partition, id FROM bins ORDER BY id;
SELECT rows, restored FROM softdelete.deletions WHERE target = 'bins'::regclass;

-- disable: root and partitions are ordinary tables again
SELECT softdelete.disable('posts');
SELECT count(*) FROM pg_trigger WHERE tgname LIKE '~softdelete%' AND tgrelid IN (SELECT relid FROM pg_partition_tree('posts'));
DELETE FROM posts WHERE id = 5;
SET softdelete.visibility = 'all';
SELECT count(*) FROM posts WHERE id = 5;
RESET softdelete.visibility;
