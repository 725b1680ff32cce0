-- What cannot be is refused, with the way out; and nobody but the cluster's nodes can order a shard to do something
SET client_min_messages = warning;
SET ROLE shop_owner;
CREATE TABLE posts (tenant int, id int, email text, PRIMARY KEY (tenant, id));
SELECT create_distributed_table('posts', 'tenant');
CREATE TABLE facts (id int, n int) USING columnar;
SELECT create_distributed_table('facts', 'id');

-- sessions without the setting that lets Citus have triggers; columnar tables
SET citus.enable_unsafe_triggers = off;
SELECT softdelete.enable('posts');
RESET citus.enable_unsafe_triggers;
SELECT softdelete.enable('facts');
SELECT softdelete.enable('posts');
INSERT INTO posts SELECT t, i, i || '@example.com' FROM generate_series(1, 4) t, generate_series(1, 4) i;
DELETE FROM posts WHERE id = 1;

MERGE INTO posts p USING (SELECT 1 AS tenant, 2 AS id) s ON p.tenant = s.tenant AND p.id = s.id WHEN MATCHED THEN DELETE;
TRUNCATE posts;
SELECT softdelete.hold_row('posts', 'law', 1, 2);
SELECT softdelete.add_policy('old', 'posts', 'id > 3');
SELECT softdelete.create_live_unique('posts', 'email');
SELECT softdelete.create_live_unique('posts', 'tenant', 'email');
INSERT INTO posts VALUES (1, 9, '2@example.com');
INSERT INTO posts VALUES (1, 9, '1@example.com');
SELECT softdelete.undo(1, on_conflict => 'skip');
SELECT alter_table_set_access_method('posts', 'columnar');
DROP TRIGGER "~softdelete_mark" ON posts;
ALTER TABLE posts DROP COLUMN deletion_id;

-- a shard is not for users to name
RESET ROLE;
GRANT SELECT, DELETE ON posts TO app;
SELECT shard_name AS shard, nodeport AS port FROM citus_shards JOIN pg_dist_shard USING (shardid)
 WHERE table_name = 'posts'::regclass AND shardid = get_shard_id_for_distribution_column('posts', 1) \gset
\connect shop shop_owner 127.0.0.1 :port
\set QUIET off
-- by an order of their own
SELECT count(*) FROM :shard WHERE tenant = 1 AND softdelete.remote(deletion_id, 'v=1');
DELETE FROM :shard WHERE tenant = 1 AND softdelete.remote(deletion_id, 'v=2;h=1;t=4;e=0;i=0;w=1;n=0');
DELETE FROM :shard WHERE tenant = 1 AND softdelete.remote(deletion_id, 'v=2;h=1;t=4;e=0;i=0;w=1;n=0;u=shop_owner;s=00000000000000000000000000000000');
DELETE FROM :shard WHERE tenant = 1 AND softdelete.remote(deletion_id, 'anything');
SELECT softdelete.remote_order(NULL, 0, 'v=2;t=4', NULL);
SELECT softdelete.remote(1, 'v=2;t=4');
SHOW softdelete.cluster_key;
SELECT count(*) FROM :shard WHERE tenant = 1 AND softdelete.remote(deletion_id, 'v=2');
