-- A DELETE follows ON DELETE CASCADE keys as native PostgreSQL does, whatever
-- the shape of the references and the type of the key.  What one statement
-- took is one deletion; restore brings back exactly that and nothing else.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA "cascade";
SET search_path = "cascade";

-- state('t'): the live rows and the deleted ones, a group for each deletion
CREATE FUNCTION state(target regclass, key text DEFAULT 'id') RETURNS text
LANGUAGE plpgsql SET softdelete.visibility = 'all' AS $$
DECLARE
	result	text;
BEGIN
	EXECUTE format($q$
		SELECT string_agg(state || keys, ', ' ORDER BY state DESC, d)
		  FROM (SELECT CASE WHEN %1$s THEN 'live ' ELSE 'deleted ' END AS state, deletion_id AS d,
					   string_agg((%2$s)::text, ' ' ORDER BY %2$s) AS keys
				  FROM %3$s GROUP BY 1, 2) x$q$,
		softdelete.live_predicate(target), key, target) INTO result;
	RETURN coalesce(result, 'empty');
END $$;

-- last_deletion: rows by table that the latest deletion took
CREATE VIEW last_deletion AS
	SELECT target, rows, total, restored FROM softdelete.deletions
	 ORDER BY id DESC LIMIT 1;

------------------------------------------------------------------------------
-- A child that was deleted on its own stays deleted when its parent comes back.
------------------------------------------------------------------------------
CREATE TABLE posts (id int PRIMARY KEY, title text);
CREATE TABLE attachments (id int PRIMARY KEY, post_id int REFERENCES posts ON DELETE CASCADE);
CREATE INDEX ON attachments (post_id);
INSERT INTO posts SELECT n, 'post ' || n FROM generate_series(1, 3) n;
INSERT INTO attachments SELECT n, (n + 2) / 3 FROM generate_series(1, 9) n;
SELECT softdelete.enable('posts', cascade => true);

DELETE FROM attachments WHERE id = 2;
DELETE FROM posts WHERE id = 1;
SELECT state('posts') AS posts, state('attachments') AS attachments;
SELECT * FROM last_deletion;
SELECT softdelete.restore('posts', 1);
SELECT state('posts') AS posts, state('attachments') AS attachments;
SELECT * FROM last_deletion;
SELECT softdelete.restore('attachments', 2);
SELECT state('posts') AS posts, state('attachments') AS attachments;

-- all in one transaction, in which every deleted_at is the same, when each
-- statement is to be a deletion of its own
BEGIN;
SET LOCAL softdelete.deletion_scope = statement;
DELETE FROM attachments WHERE id = 2;
DELETE FROM posts WHERE id = 1;
SELECT state('posts') AS posts, state('attachments') AS attachments;
SET softdelete.visibility = 'all';
SELECT count(DISTINCT deleted_at) AS times, count(DISTINCT deletion_id) AS deletions
  FROM attachments WHERE post_id = 1;
RESET softdelete.visibility;
SELECT softdelete.restore('posts', 1);
COMMIT;
SELECT state('posts') AS posts, state('attachments') AS attachments;
-- the child cannot come back without its parent
DELETE FROM posts WHERE id = 1;
SELECT softdelete.restore('attachments', 2);
SELECT softdelete.restore('attachments', 1);
SELECT softdelete.restore('posts', 1);
SELECT state('posts') AS posts, state('attachments') AS attachments;
-- a parent without children, and none at all
DELETE FROM attachments WHERE post_id = 3;
DELETE FROM posts WHERE id = 3;
SELECT * FROM last_deletion;
DELETE FROM posts WHERE id = 4;
SELECT * FROM last_deletion;
SELECT state('posts') AS posts, state('attachments') AS attachments;

------------------------------------------------------------------------------
-- A tree of five levels, one deletion
------------------------------------------------------------------------------
CREATE TABLE level1 (id int PRIMARY KEY);
CREATE TABLE level2 (id int PRIMARY KEY, up int NOT NULL REFERENCES level1 ON DELETE CASCADE);
CREATE TABLE level3 (id int PRIMARY KEY, up int NOT NULL REFERENCES level2 ON DELETE CASCADE);
CREATE TABLE level4 (id int PRIMARY KEY, up int NOT NULL REFERENCES level3 ON DELETE CASCADE);
CREATE TABLE level5 (id int PRIMARY KEY, up int NOT NULL REFERENCES level4 ON DELETE CASCADE);
INSERT INTO level1 SELECT n FROM generate_series(1, 2) n;
INSERT INTO level2 SELECT n, (n + 1) / 2 FROM generate_series(1, 4) n;
INSERT INTO level3 SELECT n, (n + 1) / 2 FROM generate_series(1, 8) n;
INSERT INTO level4 SELECT n, (n + 1) / 2 FROM generate_series(1, 16) n;
INSERT INTO level5 SELECT n, (n + 1) / 2 FROM generate_series(1, 32) n;
SELECT softdelete.enable('level1', cascade => true);
DELETE FROM level4 WHERE id = 1;
DELETE FROM level1 WHERE id = 1 RETURNING id;
SELECT * FROM last_deletion;
SELECT (SELECT count(*) FROM level1) AS level1, (SELECT count(*) FROM level2) AS level2,
	   (SELECT count(*) FROM level3) AS level3, (SELECT count(*) FROM level4) AS level4,
	   (SELECT count(*) FROM level5) AS level5;
SELECT softdelete.restore('level1', 1);
SELECT state('level1') AS level1, state('level2') AS level2, state('level3') AS level3;
SELECT state('level4') AS level4, state('level5') AS level5;

------------------------------------------------------------------------------
-- A table that refers to itself: trees, loops of one row, a long chain
------------------------------------------------------------------------------
CREATE TABLE comments (id int PRIMARY KEY, reply_to int REFERENCES comments ON DELETE CASCADE);
CREATE INDEX ON comments (reply_to);
INSERT INTO comments VALUES (1, NULL), (2, 1), (3, 1), (4, 2), (5, 4), (6, 6), (7, 6), (8, NULL);
SELECT softdelete.enable('comments');
DELETE FROM comments WHERE id = 4;
DELETE FROM comments WHERE id IN (1, 6);
SELECT state('comments');
SELECT softdelete.restore('comments', 6);
SELECT state('comments');
SELECT softdelete.restore('comments', 1);
SELECT state('comments');
SELECT softdelete.restore('comments', 4);
-- the whole table, where rows are reached as roots and as children
DELETE FROM comments;
SELECT * FROM last_deletion;
SELECT softdelete.undo((SELECT max(id) FROM softdelete.deletions));
SELECT state('comments');

CREATE TABLE chain (id int PRIMARY KEY, up int REFERENCES chain ON DELETE CASCADE);
CREATE INDEX ON chain (up);
INSERT INTO chain SELECT n, nullif(n - 1, 0) FROM generate_series(1, 10000) n;
SELECT softdelete.enable('chain');
DELETE FROM chain WHERE id = 1;
SELECT * FROM last_deletion;
SELECT count(*) FROM chain;
SELECT softdelete.restore('chain', 1);
SELECT count(*) FROM chain;
-- from the middle: the upper half stays
DELETE FROM chain WHERE id = 5001;
SELECT count(*), max(id) FROM chain;
SELECT softdelete.restore('chain', 5002);
SELECT softdelete.restore('chain', 5001);

------------------------------------------------------------------------------
-- A cycle of two tables
------------------------------------------------------------------------------
CREATE TABLE a (id int PRIMARY KEY, b_id int);
CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a ON DELETE CASCADE);
ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b ON DELETE CASCADE;
INSERT INTO a SELECT n FROM generate_series(1, 4) n;
INSERT INTO b SELECT n, n FROM generate_series(1, 4) n;
UPDATE a SET b_id = CASE id WHEN 1 THEN 2 WHEN 2 THEN 1 WHEN 3 THEN 3 END;
SELECT softdelete.enable('a', cascade => true);
SELECT target FROM softdelete.tables WHERE target IN ('a'::regclass, 'b'::regclass) ORDER BY 1;
DELETE FROM a WHERE id = 1;
SELECT state('a') AS a, state('b') AS b;
SELECT * FROM last_deletion;
DELETE FROM b WHERE id = 3;
SELECT state('a') AS a, state('b') AS b;
SELECT softdelete.restore('b', 1);
SELECT softdelete.restore('a', 3);
SELECT state('a') AS a, state('b') AS b;

------------------------------------------------------------------------------
-- A diamond: the row at the bottom hangs on two parents and is marked once
------------------------------------------------------------------------------
CREATE TABLE top (id int PRIMARY KEY);
CREATE TABLE lefts (id int PRIMARY KEY, top_id int REFERENCES top ON DELETE CASCADE);
CREATE TABLE rights (id int PRIMARY KEY, top_id int REFERENCES top ON DELETE CASCADE);
CREATE TABLE bottom (id int PRIMARY KEY, left_id int REFERENCES lefts ON DELETE CASCADE,
					 right_id int REFERENCES rights ON DELETE CASCADE);
INSERT INTO top VALUES (1), (2);
INSERT INTO lefts VALUES (1, 1), (2, 2);
INSERT INTO rights VALUES (1, 1), (2, 2);
INSERT INTO bottom VALUES (1, 1, 1), (2, 2, 2), (3, 1, 2), (4, 1, NULL);
SELECT softdelete.enable('top', cascade => true);
DELETE FROM top WHERE id = 1;
SELECT * FROM last_deletion;
SELECT state('top') AS top, state('lefts') AS lefts, state('rights') AS rights, state('bottom') AS bottom;
SELECT softdelete.restore('top', 1);
SELECT state('top') AS top, state('lefts') AS lefts, state('rights') AS rights, state('bottom') AS bottom;
-- one side first: what went with that side comes back with that side
DELETE FROM lefts WHERE id = 1;
DELETE FROM top WHERE id = 1;
SELECT softdelete.restore('top', 1);
SELECT state('top') AS top, state('lefts') AS lefts, state('rights') AS rights, state('bottom') AS bottom;
-- what the other parent, deleted still, needs as well stays deleted
DELETE FROM rights WHERE id = 1;
SELECT softdelete.restore('lefts', 1);
SELECT state('lefts') AS lefts, state('rights') AS rights, state('bottom') AS bottom;
SELECT softdelete.restore('rights', 1), softdelete.restore('bottom', 1);
SELECT state('lefts') AS lefts, state('rights') AS rights, state('bottom') AS bottom;

------------------------------------------------------------------------------
-- Two keys to one parent
------------------------------------------------------------------------------
CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE messages (id int PRIMARY KEY, sender int REFERENCES users ON DELETE CASCADE,
					   recipient int CONSTRAINT "to whom" REFERENCES users ON DELETE CASCADE);
INSERT INTO users VALUES (1), (2), (3);
INSERT INTO messages VALUES (1, 1, 2), (2, 2, 1), (3, 1, 1), (4, 2, 3), (5, 3, NULL);
SELECT softdelete.enable('users', cascade => true);
DELETE FROM users WHERE id = 1;
SELECT state('users') AS users, state('messages') AS messages;
SELECT softdelete.restore('users', 1);
SELECT state('users') AS users, state('messages') AS messages;
-- both parents of a message, in one deletion: one alone does not take it back
DELETE FROM users WHERE id IN (1, 2);
SELECT * FROM last_deletion;
SELECT softdelete.restore('users', 1);
SELECT state('users') AS users, state('messages') AS messages;
SELECT softdelete.undo((SELECT max(id) FROM softdelete.deletions));
SELECT state('users') AS users, state('messages') AS messages;
-- in two deletions: the message belongs to the first of them
DELETE FROM users WHERE id = 1;
DELETE FROM users WHERE id = 2;
SELECT state('users') AS users, state('messages') AS messages;
SELECT softdelete.restore('users', 1);
SELECT softdelete.restore('users', 2);
SELECT state('users') AS users, state('messages') AS messages;
SELECT sum(softdelete.restore('messages', id)) FROM unnest('{1,2}'::int[]) AS m(id);
SELECT state('users') AS users, state('messages') AS messages;

------------------------------------------------------------------------------
-- Composite keys, in another order of columns; MATCH FULL; keys to UNIQUE
------------------------------------------------------------------------------
CREATE TABLE orders (shop int, number text, code uuid UNIQUE, PRIMARY KEY (shop, number));
CREATE TABLE lines (id int PRIMARY KEY, order_number text, order_shop int,
					FOREIGN KEY (order_number, order_shop) REFERENCES orders (number, shop) ON DELETE CASCADE);
CREATE TABLE notes (id int PRIMARY KEY, shop int, number text,
					FOREIGN KEY (shop, number) REFERENCES orders MATCH FULL ON DELETE CASCADE);
CREATE TABLE parcels (id int PRIMARY KEY, code uuid REFERENCES orders (code) ON DELETE CASCADE);
INSERT INTO orders VALUES
	(1, 'x', '00000000-0000-0000-0000-000000000001'), (1, 'y', '00000000-0000-0000-0000-000000000002'),
	(2, 'x', '00000000-0000-0000-0000-000000000003'), (2, 'z', NULL);
INSERT INTO lines VALUES (1, 'x', 1), (2, 'y', 1), (3, 'x', 2), (4, 'x', NULL), (5, NULL, 1);
INSERT INTO notes VALUES (1, 1, 'x'), (2, 2, 'x'), (3, NULL, NULL);
INSERT INTO parcels VALUES (1, '00000000-0000-0000-0000-000000000001'),
	(2, '00000000-0000-0000-0000-000000000003'), (3, NULL);
SELECT softdelete.enable('orders', cascade => true);
DELETE FROM orders WHERE shop = 1 AND number = 'x';
SELECT state('orders', '(shop, number)') AS orders, state('lines') AS lines,
	   state('notes') AS notes, state('parcels') AS parcels;
DELETE FROM orders WHERE number <> 'y';
SELECT state('orders', '(shop, number)') AS orders, state('lines') AS lines,
	   state('notes') AS notes, state('parcels') AS parcels;
SELECT softdelete.restore('orders', 1, 'x'), softdelete.restore('orders', 2, 'x'), softdelete.restore('orders', 2, 'z');
SELECT state('orders', '(shop, number)') AS orders, state('lines') AS lines,
	   state('notes') AS notes, state('parcels') AS parcels;

------------------------------------------------------------------------------
-- Keys of many types, several parents at once and one alone; operators that
-- are not in pg_catalog are found whatever the search_path
------------------------------------------------------------------------------
SET client_min_messages = warning;
CREATE SCHEMA cascade_citext;
CREATE EXTENSION citext SCHEMA cascade_citext;
RESET client_min_messages;
CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE FUNCTION try_type(parent_type text, child_type text, VARIADIC keys text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	ids		text;
	result	text;
BEGIN
	EXECUTE format('CREATE TABLE p (k %s PRIMARY KEY)', parent_type);
	EXECUTE format('CREATE TABLE c (id int PRIMARY KEY, k %s REFERENCES p ON DELETE CASCADE)', child_type);
	EXECUTE format('INSERT INTO p SELECT k FROM unnest($1::%s[]) k', split_part(parent_type, ' ', 1)) USING keys[1:3];
	EXECUTE format('INSERT INTO c SELECT n, k FROM unnest($1::%s[]) WITH ORDINALITY u(k, n)', split_part(child_type, ' ', 1)) USING keys[4:6];
	PERFORM softdelete.enable('p', cascade => true);
	EXECUTE format('DELETE FROM p WHERE k = $1::%s', parent_type) USING keys[1];
	result := state('c');
	EXECUTE format('DELETE FROM p WHERE k IN ($1::%s, $2::%1$s)', parent_type) USING keys[2], keys[3];
	result := result || ' / ' || state('c');
	EXECUTE format('SELECT softdelete.restore(''p'', $1::%s)', parent_type) USING keys[2];
	result := result || ' / ' || state('c');
	DROP TABLE c, p;
	RETURN result;
END $$;
-- 1 went alone; then 2 and 3; then 2 comes back
-- each statement is a deletion of its own, to be told apart
SET softdelete.deletion_scope = statement;
SELECT t.parent, t.child, try_type(t.parent, t.child, VARIADIC t.keys) FROM (VALUES
	('int4', 'int4', '{1,2,3,1,2,3}'::text[]),
	('int8', 'int4', '{1,2,3,1,2,3}'),
	('int4', 'int8', '{1,2,3,1,2,3}'),
	('int2', 'int8', '{1,2,3,1,2,3}'),
	('text', 'text', '{a,b,c,a,b,c}'),
	('text', 'varchar', '{a,"",c,a,"",c}'),
	('text COLLATE "C"', 'text COLLATE "C"', '{a,b,c,a,b,c}'),
	('text COLLATE "C"', 'text COLLATE "POSIX"', '{a,b,c,a,b,c}'),
	('char(3)', 'char(3)', '{a,b,c,"a  ",b,c}'),
	('email', 'text', '{a@x,b@x,c@x,a@x,b@x,c@x}'),
	('uuid', 'uuid', '{00000000-0000-0000-0000-00000000000a,00000000-0000-0000-0000-00000000000b,00000000-0000-0000-0000-00000000000c,00000000-0000-0000-0000-00000000000A,00000000-0000-0000-0000-00000000000B,00000000-0000-0000-0000-00000000000C}'),
	('numeric', 'numeric', '{1,2.0,3.00,1.00,2,3.0}'),
	('float8', 'float4', '{0,2.5,3,-0,2.5,3}'),
	('colour', 'colour', '{red,green,blue,red,green,blue}'),
	('bytea', 'bytea', '{x,y,z,x,y,z}'),
	('date', 'timestamptz', '{2024-01-01,2024-01-02,2024-01-03,2024-01-01 00:00,2024-01-02 00:00,2024-01-03 00:00}'),
	('cascade_citext.citext', 'cascade_citext.citext', '{Ann,Bob,Eve,ANN,bob,eVe}')
) AS t(parent, child, keys);
RESET softdelete.deletion_scope;
-- arrays as keys: an array of arrays could not be unnested
CREATE TABLE paths (path int[] PRIMARY KEY);
CREATE TABLE steps (id int PRIMARY KEY, path int[] REFERENCES paths ON DELETE CASCADE);
INSERT INTO paths VALUES ('{1}'), ('{1,2}'), ('{1,2,3}'), ('{}');
INSERT INTO steps VALUES (1, '{1}'), (2, '{1,2}'), (3, '{1,2,3}'), (4, '{}'), (5, NULL);
SELECT softdelete.enable('paths', cascade => true);
DELETE FROM paths WHERE path = '{1}';
DELETE FROM paths WHERE cardinality(path) > 0;
SELECT state('paths', 'path') AS paths, state('steps') AS steps;
SELECT softdelete.restore('paths', '{1,2}'), softdelete.restore('paths', ARRAY[1]);
SELECT state('paths', 'path') AS paths, state('steps') AS steps;

------------------------------------------------------------------------------
-- M:N: a link that was deleted and added again
------------------------------------------------------------------------------
CREATE TABLE tags (id int PRIMARY KEY);
CREATE TABLE links (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
					post_id int NOT NULL REFERENCES posts ON DELETE CASCADE,
					tag_id int NOT NULL REFERENCES tags ON DELETE CASCADE,
					UNIQUE (post_id, tag_id));
INSERT INTO tags VALUES (1), (2);
INSERT INTO links (post_id, tag_id) VALUES (1, 1), (1, 2), (2, 1);
SELECT softdelete.enable('tags', cascade => true);
SELECT softdelete.create_live_unique('links', 'post_id', 'tag_id');
DELETE FROM links WHERE post_id = 1 AND tag_id = 1;
INSERT INTO links (post_id, tag_id) VALUES (1, 1);
DELETE FROM posts WHERE id = 1;
SELECT state('posts') AS posts, state('links') AS links;
SELECT softdelete.restore('posts', 1);
SELECT state('posts') AS posts, state('links') AS links;
SELECT id, post_id, tag_id FROM links ORDER BY id;
SELECT softdelete.restore('links', 1);
-- where the pair is the primary key itself, the deleted row still holds it
CREATE TABLE pairs (post_id int REFERENCES posts ON DELETE CASCADE, tag_id int REFERENCES tags ON DELETE CASCADE,
					PRIMARY KEY (post_id, tag_id));
INSERT INTO pairs VALUES (1, 1), (1, 2);
SELECT softdelete.enable('pairs');
DELETE FROM pairs WHERE tag_id = 1;
INSERT INTO pairs VALUES (1, 1);
SELECT softdelete.restore('pairs', 1, 1);
DELETE FROM tags WHERE id = 1;
SELECT state('tags') AS tags, state('pairs', '(post_id, tag_id)') AS pairs, state('links') AS links;
SELECT softdelete.restore('tags', 1);

------------------------------------------------------------------------------
-- Several schemas, quoted names, names of 63 bytes
------------------------------------------------------------------------------
CREATE SCHEMA "Cascade ""Other""";
CREATE TABLE "Cascade ""Other"""."select" ("Primary Key" int PRIMARY KEY, "naïve"";--" text UNIQUE);
CREATE TABLE "Größe $1 %s" (id int PRIMARY KEY,
	"Fk." int CONSTRAINT "the ""key""" REFERENCES "Cascade ""Other"""."select" ON DELETE CASCADE,
	"a name of sixty-three bytes, as long as PostgreSQL lets a name." text
		REFERENCES "Cascade ""Other"""."select" ("naïve"";--") ON DELETE CASCADE);
INSERT INTO "Cascade ""Other"""."select" VALUES (1, 'it''s'), (2, 'b');
INSERT INTO "Größe $1 %s" VALUES (1, 1, NULL), (2, NULL, 'it''s'), (3, 2, 'b');
SELECT softdelete.enable('"Cascade ""Other"""."select"', cascade => true);
SET search_path = pg_catalog;
DELETE FROM "Cascade ""Other"""."select" WHERE "Primary Key" = 1;
SELECT "cascade".state('"Cascade ""Other"""."select"', '"Primary Key"'), "cascade".state('"cascade"."Größe $1 %s"');
SELECT softdelete.restore('"cascade"."Größe $1 %s"', 2);
SELECT softdelete.restore('"Cascade ""Other"""."select"', 1);
SELECT "cascade".state('"Cascade ""Other"""."select"', '"Primary Key"'), "cascade".state('"cascade"."Größe $1 %s"');
SET search_path = "cascade";

------------------------------------------------------------------------------
-- A user's trigger that keeps a child from being marked: no orphan, an error
------------------------------------------------------------------------------
CREATE TABLE folders (id int PRIMARY KEY);
CREATE TABLE files (id int PRIMARY KEY, folder_id int REFERENCES folders ON DELETE CASCADE, locked boolean);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF old.locked THEN
		RETURN NULL;
	END IF;
	RETURN old;
END $$;
CREATE TRIGGER refuse BEFORE DELETE ON files FOR EACH ROW EXECUTE FUNCTION refuse();
INSERT INTO folders VALUES (1), (2);
INSERT INTO files VALUES (1, 1, false), (2, 1, true), (3, 2, false);
SELECT softdelete.enable('folders', cascade => true);
DELETE FROM folders WHERE id = 1;
DELETE FROM folders;
SELECT state('folders') AS folders, state('files') AS files;
DELETE FROM folders WHERE id = 2;
SELECT state('folders') AS folders, state('files') AS files;
-- one that raises: its error, and nothing happened
CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF old.locked THEN
		RAISE EXCEPTION 'file % is locked', old.id USING ERRCODE = 'SD001';
	END IF;
	RETURN old;
END $$;
DELETE FROM folders WHERE id = 1;
SELECT state('folders') AS folders, state('files') AS files;

------------------------------------------------------------------------------
-- As whom: the cascade as the child's owner, so that whoever may delete the
-- parent needs no right on the child; AFTER triggers as a twin of native
-- PostgreSQL has them (up to 17 the invoking role, from 18 on the owner).
------------------------------------------------------------------------------
CREATE TABLE fired (n int GENERATED ALWAYS AS IDENTITY, set_name text, event text, who name);
GRANT USAGE ON SCHEMA "cascade" TO sd_user;
GRANT INSERT ON fired TO PUBLIC;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO "cascade".fired (set_name, event, who)
	VALUES (split_part(tg_table_name, '_', 1),
			format('%s %s %s', tg_when, split_part(tg_table_name, '_', 2), old.id), current_user);
	IF tg_op = 'DELETE' THEN
		RETURN old;
	END IF;
	RETURN new;
END $$;
CREATE TABLE native_parent (id int PRIMARY KEY);
CREATE TABLE native_child (id int PRIMARY KEY, up int REFERENCES native_parent ON DELETE CASCADE);
CREATE TABLE native_grandchild (id int PRIMARY KEY, up int REFERENCES native_child ON DELETE CASCADE);
CREATE TABLE managed_parent (id int PRIMARY KEY);
CREATE TABLE managed_child (id int PRIMARY KEY, up int REFERENCES managed_parent ON DELETE CASCADE);
CREATE TABLE managed_grandchild (id int PRIMARY KEY, up int REFERENCES managed_child ON DELETE CASCADE);
INSERT INTO native_parent VALUES (1), (2);
INSERT INTO native_child VALUES (11, 1), (12, 1);
INSERT INTO native_grandchild VALUES (111, 11);
INSERT INTO managed_parent TABLE native_parent;
INSERT INTO managed_child TABLE native_child;
INSERT INTO managed_grandchild TABLE native_grandchild;
SELECT softdelete.enable('managed_parent', cascade => true);
DO $$
DECLARE
	name	text;
BEGIN
	FOREACH name IN ARRAY ARRAY['parent', 'child', 'grandchild'] LOOP
		EXECUTE format('CREATE TRIGGER b BEFORE DELETE ON native_%s FOR EACH ROW EXECUTE FUNCTION note()', name);
		EXECUTE format('CREATE TRIGGER a AFTER DELETE ON native_%s FOR EACH ROW EXECUTE FUNCTION note()', name);
		EXECUTE format('CREATE TRIGGER b BEFORE DELETE ON managed_%s FOR EACH ROW EXECUTE FUNCTION note()', name);
		EXECUTE format('CREATE TRIGGER a AFTER DELETE ON managed_%s FOR EACH ROW EXECUTE FUNCTION note()', name);
	END LOOP;
END $$;
GRANT SELECT, DELETE ON native_parent, managed_parent TO sd_user;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SET search_path = "cascade";
DELETE FROM native_parent WHERE id = 1;
DELETE FROM managed_parent WHERE id = 1;
DELETE FROM managed_child;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = "cascade";
SELECT event, who FROM fired WHERE set_name = 'managed' AND event LIKE 'BEFORE %' ORDER BY event;
SELECT event, who FROM fired WHERE set_name = 'native' EXCEPT ALL SELECT event, who FROM fired WHERE set_name = 'managed';
SELECT event, who FROM fired WHERE set_name = 'managed' EXCEPT ALL SELECT event, who FROM fired WHERE set_name = 'native';
-- the deletion is the one of whoever deleted the parent
SELECT deleted_by, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
-- restore runs the same way, with DELETE on the parent alone
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SET search_path = "cascade";
SELECT softdelete.restore('managed_parent', 1);
SELECT softdelete.restore('managed_child', 11);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = "cascade";
SELECT state('managed_parent') AS parent, state('managed_child') AS child, state('managed_grandchild') AS grandchild;
