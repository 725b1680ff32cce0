-- Calls by key take parameters as drivers send them: without a type, with one, and
-- as an array; an error is the same as for a literal.
\set VERBOSITY default
SET client_min_messages = warning;
SET ROLE sd_owner;
CREATE SCHEMA parameters;
SET search_path = parameters;

CREATE TABLE posts (id int PRIMARY KEY, title text);
CREATE TABLE "Links" (a uuid, "B" varchar(5), since date, PRIMARY KEY (a, "B", since));
INSERT INTO posts SELECT n, 'post ' || n FROM generate_series(1, 9) n;
INSERT INTO "Links" VALUES ('7d1f0000-0000-0000-0000-000000000000', 'x', '2024-02-29');
SELECT softdelete.enable('posts'), softdelete.enable('"Links"');

-- No type is given, as with PQexecParams and paramTypes 0
PREPARE gone AS SELECT softdelete.delete($1, $2) > 0 AS deleted;
PREPARE back AS SELECT softdelete.restore($1, $2);
PREPARE state AS SELECT softdelete.state($1, $2);
PREPARE history AS SELECT what FROM softdelete.history($1, $2);
PREPARE preview AS SELECT * FROM softdelete.preview($1, $2);
PREPARE hold AS SELECT softdelete.hold_row($1, $2, $3);
PREPARE release AS SELECT softdelete.release_row($1, $2);
PREPARE purge AS SELECT softdelete.purge($1, $2);
PREPARE erase AS SELECT softdelete.erase($1, $2);
SELECT name, parameter_types FROM pg_prepared_statements ORDER BY name;
EXECUTE preview('posts', '1');
EXECUTE gone('posts', '1');
EXECUTE state('posts', '1');
EXECUTE back('posts', '1');
EXECUTE state('posts', '1');
EXECUTE history('posts', '1');
EXECUTE hold('posts', 'a lawsuit', '1');
EXECUTE gone('posts', '1');
EXECUTE purge('posts', '1');
EXECUTE release('posts', '1');
EXECUTE purge('posts', '1');
EXECUTE erase('posts', '2');
EXECUTE state('posts', '2');
EXECUTE gone('posts', '2');
EXECUTE gone('posts', 'two');
EXECUTE gone('posts', '1.5');
EXECUTE gone('posts', NULL);
SELECT id FROM posts ORDER BY id;

-- A key of several columns, mixed with literals; and all of it as one array
PREPARE link AS SELECT softdelete.delete('"Links"', $1, 'x', $2) > 0 AS deleted;
EXECUTE link('7d1f0000-0000-0000-0000-000000000000', '2024-02-29');
PREPARE link_back AS SELECT softdelete.restore('"Links"', VARIADIC $1::text[]);
EXECUTE link_back('{7d1f0000-0000-0000-0000-000000000000,x,2024-02-29}');
SELECT a, "B", since FROM "Links";

-- Values that have a type
SELECT softdelete.delete('posts', 3::bigint) > 0, softdelete.delete('posts', '4'::varchar) > 0, softdelete.delete('posts', 5.0) > 0,
	   softdelete.delete('posts', VARIADIC ARRAY[6]) > 0, softdelete.delete('posts', '7'::name) > 0,
	   softdelete.delete('"Links"', uuid '7d1f0000-0000-0000-0000-000000000000', 'x', date '2024-02-29') > 0;
SELECT id FROM posts ORDER BY id;

-- undo: one id or several
PREPARE undo AS SELECT softdelete.undo($1);
PREPARE undo_skip AS SELECT softdelete.undo($1, $2);
SELECT max(deletion_id)::text AS last, array_agg(DISTINCT deletion_id)::text AS ids FROM softdelete.trash('posts') \gset
EXECUTE undo(:'last');
DELETE FROM posts WHERE id = 8;
SELECT max(id)::text AS last FROM softdelete.deletions \gset
DELETE FROM posts WHERE id = 9;
SELECT array_agg(id)::text AS ids FROM softdelete.deletions WHERE id >= :last \gset
EXECUTE undo_skip(:'ids', 'skip');
\set VERBOSITY sqlstate
EXECUTE undo(:'last');
\set VERBOSITY default
EXECUTE undo('seven');
EXECUTE undo('-1');
SELECT count(*) FROM posts;
DEALLOCATE ALL;
DROP SCHEMA parameters CASCADE;
