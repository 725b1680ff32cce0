-- COPY of a managed table, beside its native twin: the same table without
-- softdelete, from which the same rows were really deleted.
\set VERBOSITY default
SET ROLE sd_owner;
SET client_min_messages = warning;
SET datestyle = iso;
CREATE SCHEMA "Copy";
SET search_path = "Copy";
CREATE TABLE twin (id int PRIMARY KEY, "Name" text, big text GENERATED ALWAYS AS (upper("Name")) STORED, gone int);
ALTER TABLE twin DROP COLUMN gone;
CREATE TABLE "Posts" (LIKE twin INCLUDING ALL);
SELECT softdelete.enable('"Posts"');
INSERT INTO twin VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, E'tab\there');
INSERT INTO "Posts" SELECT id, "Name" FROM twin;
DELETE FROM twin WHERE id IN (2, 3);
DELETE FROM "Posts" WHERE id IN (2, 3);

-- TO: live rows, and the columns that the application knows
COPY twin TO STDOUT;
COPY "Posts" TO STDOUT;
COPY twin TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE ("Name"));
COPY "Posts" TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE ("Name"));
COPY twin TO STDOUT (FORMAT csv, FORCE_QUOTE *, DELIMITER ';');
COPY "Posts" TO STDOUT (FORMAT csv, FORCE_QUOTE *, DELIMITER ';');
COPY twin ("Name", id) TO STDOUT;
COPY "Posts" ("Name", id) TO STDOUT;
COPY "Copy"."Posts" (id, deleted_at) TO STDOUT;
\copy twin (id) to stdout
\copy "Posts" (id) to stdout
\copy "Posts" to stdout

-- the same errors
COPY twin (big) TO STDOUT;
COPY "Posts" (big) TO STDOUT;
COPY twin (nosuch) TO STDOUT;
COPY "Posts" (nosuch) TO STDOUT;
COPY twin (id, id) TO STDOUT;
COPY "Posts" (id, id) TO STDOUT;
COPY twin TO STDOUT (FORMAT csv, FORCE_QUOTE (nosuch));
COPY "Posts" TO STDOUT (FORMAT csv, FORCE_QUOTE (nosuch));
COPY "Posts" TO STDOUT WHERE id = 1;
COPY nosuch TO STDOUT;

-- by what the session sees; a list of columns has every column that there is
SET softdelete.visibility = deleted;
COPY "Posts" TO STDOUT;
SET softdelete.visibility = 'all';
COPY "Posts" TO STDOUT;
RESET softdelete.visibility;
-- what copies whole tables gets them whole: a dump ...
SET row_security = off;
COPY (SELECT count(*) FROM "Posts") TO STDOUT;
CREATE TEMP TABLE whole (line text);
\copy "Posts" to 'test/output/copy_live.data'
\copy whole from 'test/output/copy_live.data' (format csv, delimiter E'\b', quote E'\f')
SELECT count(*) AS rows, min(cardinality(string_to_array(line, E'\t'))) AS columns FROM whole;
RESET row_security;
-- ... and applications that are known to
SET application_name = 'vacuumlo';
COPY "Posts" (id, "Name") TO STDOUT;
RESET application_name;

-- FROM: files from before and after fit
COPY twin FROM STDIN;
11	eleven
\.
COPY "Posts" FROM STDIN;
11	eleven
\.
COPY twin FROM STDIN WHERE id <> 12;
12	twelve
13	thirteen
\.
COPY "Posts" FROM STDIN WHERE id <> 12;
12	twelve
13	thirteen
\.
COPY twin FROM STDIN (FORMAT csv, HEADER MATCH, FORCE_NULL ("Name"));
id,Name
14,""
\.
COPY "Posts" FROM STDIN (FORMAT csv, HEADER MATCH, FORCE_NULL ("Name"));
id,Name
14,""
\.
COPY twin FROM STDIN (FORMAT csv, HEADER MATCH);
id,name
\.
COPY "Posts" FROM STDIN (FORMAT csv, HEADER MATCH);
id,name
\.
COPY twin FROM STDIN;
15	x	y
\.
COPY "Posts" FROM STDIN;
15	x	y
\.
COPY "Posts" (id, "Name", deleted_at) FROM STDIN;
16	born deleted	2020-01-01
\.
BEGIN;
CREATE TABLE twin2 (id int PRIMARY KEY);
CREATE TABLE posts2 (id int PRIMARY KEY);
SELECT softdelete.enable('posts2');
COPY twin2 FROM STDIN (FREEZE);
1
\.
COPY posts2 FROM STDIN (FREEZE);
1
\.
SELECT * FROM twin2;
SELECT id, deleted_at FROM posts2;
COMMIT;
SELECT * FROM twin EXCEPT SELECT id, "Name", big FROM "Posts";
SELECT id, "Name", big FROM "Posts" EXCEPT SELECT * FROM twin;

-- binary, there and back, and into the twin
\copy "Posts" to 'test/output/copy_live.data' (format binary)
\copy twin (id, "Name") to 'test/output/copy_live.twin' (format binary)
CREATE TEMP TABLE back (id int, "Name" text);
\copy back from 'test/output/copy_live.data' (format binary)
\copy back from 'test/output/copy_live.twin' (format binary)
SELECT id, "Name", count(*) FROM back GROUP BY 1, 2 HAVING count(*) <> 2;
TRUNCATE back;
\! rm -f test/output/copy_live.data test/output/copy_live.twin

-- a marker of the application's own is a column like any other
CREATE TABLE own (id int PRIMARY KEY, is_deleted boolean NOT NULL DEFAULT false);
SELECT softdelete.enable('own', 'is_deleted');
INSERT INTO own VALUES (1), (2);
DELETE FROM own WHERE id = 1;
COPY own TO STDOUT;
COPY own FROM STDIN;
3	f
\.
SELECT id FROM own ORDER BY id;

-- partitions; the table above them is PostgreSQL's to refuse
CREATE TABLE twin_p (id int, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE twin_p1 (at date NOT NULL, id int);
ALTER TABLE twin_p ATTACH PARTITION twin_p1 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE parts (id int, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE parts1 (at date NOT NULL, id int);
ALTER TABLE parts ATTACH PARTITION parts1 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
SELECT softdelete.enable('parts');
COPY twin_p FROM STDIN;
1	2020-05-05
2	2020-06-06
\.
COPY parts FROM STDIN;
1	2020-05-05
2	2020-06-06
\.
DELETE FROM twin_p WHERE id = 1;
DELETE FROM parts WHERE id = 1;
COPY twin_p TO STDOUT;
COPY parts TO STDOUT;
COPY twin_p1 TO STDOUT;
COPY parts1 TO STDOUT;

-- privileges are those of the columns that are copied
GRANT USAGE ON SCHEMA "Copy" TO sd_user;
GRANT SELECT (id, "Name"), INSERT (id, "Name") ON "Posts" TO sd_user;
SET ROLE sd_user;
COPY "Copy"."Posts" TO STDOUT (FORMAT csv);
COPY "Copy"."Posts" FROM STDIN;
21	by another
\.
COPY "Copy"."Posts" (id, deleted_at) TO STDOUT;
COPY "Copy".own TO STDOUT;

-- row security beside it
SET ROLE sd_owner;
GRANT SELECT ON "Posts" TO sd_user;
ALTER TABLE "Posts" ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON "Posts" USING (id < 4);
SET ROLE sd_user;
COPY "Copy"."Posts" TO STDOUT;
COPY "Copy"."Posts" FROM STDIN;
22	refused
\.
SET row_security = off;
COPY "Copy"."Posts" TO STDOUT;
RESET row_security;

-- in a transaction that has deleted rows
SET ROLE sd_owner;
BEGIN;
DELETE FROM "Posts" WHERE id = 1;
COPY "Posts" (id) TO STDOUT;
ROLLBACK;

-- and afterwards
SELECT softdelete.disable('"Posts"');
COPY "Posts" (id) TO STDOUT;
DROP SCHEMA "Copy" CASCADE;
RESET ROLE;
