-- Whatever moves shards or makes a table anew takes its deleted rows along, and what is known of them
SET client_min_messages = warning;
SET ROLE shop_owner;
CREATE TABLE posts (tenant int, id int, title text, PRIMARY KEY (tenant, id));
CREATE TABLE files (tenant int, id int, post int NOT NULL, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, post) REFERENCES posts ON DELETE CASCADE);
SELECT create_distributed_table('posts', 'tenant');
SELECT create_distributed_table('files', 'tenant');
SELECT softdelete.enable('posts', cascade => true);
INSERT INTO posts SELECT t, i, 'post ' || i FROM generate_series(1, 10) t, generate_series(1, 10) i;
INSERT INTO files SELECT t, 10 * i + j, i FROM generate_series(1, 10) t, generate_series(1, 10) i, generate_series(1, 3) j;
DELETE FROM posts WHERE id IN (2, 3);
SELECT softdelete.set_retention('posts', '7 days');
SELECT softdelete.hold(1, 'law');
CREATE FUNCTION everything() RETURNS text LANGUAGE sql AS $$
	SELECT format('%s + %s live, %s + %s deleted', (SELECT count(*) FROM posts), (SELECT count(*) FROM files),
				  (SELECT count(*) FROM softdelete.trash('posts')), (SELECT count(*) FROM softdelete.trash('files')))
$$;
SELECT everything();
RESET ROLE;

-- shards move, either way
SELECT shardid AS s, nodeport AS p FROM citus_shards WHERE table_name = 'posts'::regclass ORDER BY shardid LIMIT 1 \gset
SELECT citus_move_shard_placement(:s, '127.0.0.1', :p, '127.0.0.1', :port1 + :port2 - :p, shard_transfer_mode => 'block_writes');
SELECT everything();
SELECT shardid AS s, nodeport AS p FROM citus_shards WHERE table_name = 'posts'::regclass ORDER BY shardid DESC LIMIT 1 \gset
SELECT citus_move_shard_placement(:s, '127.0.0.1', :p, '127.0.0.1', :port1 + :port2 - :p, shard_transfer_mode => 'force_logical');
SELECT everything();

-- one tenant gets a shard of its own; a shard is split
SELECT isolate_tenant_to_new_shard('posts', 3, 'CASCADE', shard_transfer_mode => 'block_writes') > 0;
SELECT isolate_tenant_to_new_shard('posts', 5, 'CASCADE', shard_transfer_mode => 'force_logical') > 0;
SELECT everything();
SELECT s.shardid AS s, ((s.shardminvalue::bigint + s.shardmaxvalue::bigint) / 2)::int AS middle, n.nodeid AS node
  FROM pg_dist_shard s JOIN pg_dist_placement p USING (shardid) JOIN pg_dist_node n USING (groupid)
 WHERE s.logicalrelid = 'posts'::regclass AND s.shardmaxvalue::bigint - s.shardminvalue::bigint > 1000 ORDER BY s.shardid LIMIT 1 \gset
SELECT citus_split_shard_by_split_points(:s, ARRAY[:'middle'], ARRAY[:node, :node], 'block_writes');
SELECT everything();
SELECT count(*) > 16 AS split FROM citus_shards WHERE table_name IN ('posts'::regclass, 'files'::regclass);

-- the shards' tables still are managed
SET ROLE shop_owner;
SELECT softdelete.restore('posts', 3, 2), softdelete.restore('posts', 5, 2);
SELECT softdelete.delete('posts', 3, 2) > 0 AS deleted;
SELECT everything();

-- the table is made anew: retention, log, holds and the rows' deletions are the new one's
SELECT alter_distributed_table('posts', shard_count => 4, cascade_to_colocated => true);
SELECT everything();
SELECT target, retention, (SELECT count(*) FROM citus_shards s WHERE s.table_name = t.target) AS shards FROM softdelete.tables t ORDER BY 1;
SELECT target, rows, restored, held FROM softdelete.deletions ORDER BY id;
SELECT softdelete.restore('posts', 1, 2);
SELECT * FROM softdelete.purge_expired(older_than => '0');
SELECT undistribute_table('posts', cascade_via_foreign_keys => true);
SELECT everything();
SELECT target, retention FROM softdelete.tables ORDER BY 1;
SELECT target, rows, restored, purged, held FROM softdelete.deletions ORDER BY id;
DELETE FROM posts WHERE id = 4;
SELECT softdelete.release(1);
SELECT softdelete.restore('posts', 2, 2);
SELECT create_distributed_table('posts', 'tenant');
SELECT create_distributed_table('files', 'tenant');
SELECT everything();
SELECT softdelete.undo(id) FROM (SELECT id FROM softdelete.deletions WHERE restored + purged < total ORDER BY id) x;
SELECT everything();
