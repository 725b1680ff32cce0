-- an UPDATE that sets or clears the mark and moves the row to another partition:
-- refused where it would change a key that others refer to, since they would be
-- looked for by the old one, and nothing is changed then; else it is a delete
-- like any other: stamped, logged, and back the same way
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA partition_move;
SET search_path = partition_move;
CREATE TABLE posts (id int, day int, UNIQUE (id, day)) PARTITION BY RANGE (day);
CREATE TABLE posts_1 PARTITION OF posts FOR VALUES FROM (0) TO (10);
CREATE TABLE posts_2 PARTITION OF posts FOR VALUES FROM (10) TO (20);
CREATE TABLE notes (id int PRIMARY KEY, post int, day int, FOREIGN KEY (post, day) REFERENCES posts (id, day) ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE notes_free (id int PRIMARY KEY, note int REFERENCES notes ON DELETE CASCADE);
SELECT softdelete.enable('posts', cascade => true);
INSERT INTO posts VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO notes VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3);
INSERT INTO notes_free VALUES (1, 1), (2, 2), (3, 3);
UPDATE posts SET deleted_at = now(), day = 12 WHERE id = 2;
SELECT tableoid::regclass AS partition, id, day FROM posts ORDER BY id;
SELECT id, post, day FROM notes ORDER BY id;
SELECT id FROM notes_free ORDER BY id;
SELECT total, restored FROM softdelete.deletions WHERE target = 'posts'::regclass;
SELECT softdelete.undo(id) FROM softdelete.deletions WHERE target = 'posts'::regclass;
SELECT tableoid::regclass AS partition, id, day, deleted_at, deletion_id FROM posts ORDER BY id;
SELECT id, post, day FROM notes ORDER BY id;
SELECT id FROM notes_free ORDER BY id;
-- cleared and moved
DELETE FROM posts WHERE id = 1;
SET softdelete.visibility = deleted;
UPDATE posts SET deleted_at = NULL, day = 11 WHERE id = 1;
RESET softdelete.visibility;
SELECT tableoid::regclass AS partition, id, day, deleted_at, deletion_id FROM posts ORDER BY id;
SELECT id, post, day FROM notes ORDER BY id;
SELECT total, restored FROM softdelete.deletions WHERE target = 'posts'::regclass ORDER BY id;

-- nobody refers to this one
CREATE TABLE lone (id int, day int) PARTITION BY RANGE (day);
CREATE TABLE lone_1 PARTITION OF lone FOR VALUES FROM (0) TO (10);
CREATE TABLE lone_2 PARTITION OF lone FOR VALUES FROM (10) TO (20);
SELECT softdelete.enable('lone');
INSERT INTO lone VALUES (1, 1), (2, 2);
UPDATE lone SET deleted_at = now(), day = 12 WHERE id = 2;
SELECT tableoid::regclass AS partition, id, day FROM lone ORDER BY id;
SELECT total, restored FROM softdelete.deletions WHERE target = 'lone'::regclass;
SELECT softdelete.undo(id) FROM softdelete.deletions WHERE target = 'lone'::regclass;
SELECT tableoid::regclass AS partition, id, day, deleted_at, deletion_id FROM lone ORDER BY id;
