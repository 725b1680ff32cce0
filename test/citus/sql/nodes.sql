-- A session on a worker draws ids that carry the worker's number; a node that joins gets everything
SET client_min_messages = warning;
SET ROLE shop_owner;
CREATE TABLE kinds (id int PRIMARY KEY, name text);
CREATE TABLE posts (tenant int, id int, kind int REFERENCES kinds, PRIMARY KEY (tenant, id));
CREATE TABLE files (tenant int, id int, post int NOT NULL, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, post) REFERENCES posts ON DELETE CASCADE);
SELECT create_reference_table('kinds');
SELECT create_distributed_table('posts', 'tenant');
SELECT create_distributed_table('files', 'tenant');
SELECT softdelete.enable('posts', cascade => true), softdelete.enable('kinds');
INSERT INTO kinds SELECT i, 'kind ' || i FROM generate_series(1, 5) i;
INSERT INTO posts SELECT t, i, 1 + i % 4 FROM generate_series(1, 10) t, generate_series(1, 10) i;
INSERT INTO files SELECT t, 10 * i + j, i FROM generate_series(1, 10) t, generate_series(1, 10) i, generate_series(1, 3) j;
DELETE FROM posts WHERE id = 1;
SELECT id, rows FROM softdelete.deletions;

\connect shop shop_owner 127.0.0.1 :port1
SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM files);
DELETE FROM posts WHERE tenant = 2 AND id = 2;
DELETE FROM posts WHERE id = 3;
SELECT softdelete.delete('posts', 4, 4);
SELECT id - (id / 100000000000000) * 100000000000000 AS number, id / 100000000000000 > 0 AS of_a_worker, rows FROM softdelete.deletions ORDER BY id;
SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM files);
SELECT softdelete.restore('posts', 4, 4);
SELECT softdelete.undo(max(id) - 1) FROM softdelete.deletions;
DELETE FROM kinds WHERE id = 5;
SELECT count(*) FROM kinds;

\connect shop shop_owner 127.0.0.1 :port0
SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM files), (SELECT count(*) FROM kinds);
SELECT id, rows FROM softdelete.deletions;
SELECT softdelete.restore('posts', 2, 2);
SELECT softdelete.restore('kinds', 5);
SELECT count(*) FROM kinds;

-- another node
\connect shop postgres 127.0.0.1 :port0
SELECT citus_add_node('127.0.0.1', :port3) > 0 AS added;
SELECT rebalance_table_shards(shard_transfer_mode => 'block_writes');
SELECT count(*) > 0 AS has_shards FROM citus_shards WHERE nodeport = :port3;
SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM files), (SELECT count(*) FROM softdelete.trash('posts')), (SELECT count(*) FROM softdelete.trash('files'));
SET ROLE shop_owner;
DELETE FROM posts WHERE id = 5;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;
SELECT softdelete.undo(1);
SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM files), (SELECT count(*) FROM softdelete.trash('posts')), (SELECT count(*) FROM softdelete.trash('files'));
