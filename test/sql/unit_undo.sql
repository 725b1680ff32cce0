-- undo() with a policy, and of several deletions: with 'skip' rows whose key a live
-- row has taken, or whose parent is deleted still, stay deleted with what hangs on
-- them; of several, all come back or none.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA unit_undo;
SET search_path = unit_undo;
CREATE TABLE team (id int PRIMARY KEY);
CREATE TABLE "User" (id int PRIMARY KEY, team int REFERENCES team, email text UNIQUE);
CREATE TABLE post (id int PRIMARY KEY, author int REFERENCES "User" ON DELETE CASCADE, slug text UNIQUE);
CREATE TABLE note (id int PRIMARY KEY, post int REFERENCES post ON DELETE CASCADE, up int REFERENCES note ON DELETE CASCADE);
SELECT softdelete.enable('"User"', cascade => true), softdelete.enable('team');
SELECT softdelete.create_live_unique('"User"', 'email') IS NOT NULL AND softdelete.create_live_unique('post', 'slug') IS NOT NULL AS live_uniques;
INSERT INTO team VALUES (1), (2);
INSERT INTO "User" SELECT n, 1 + n / 7, 'u' || n FROM generate_series(1, 9) n;
INSERT INTO post SELECT n, (n + 1) / 2, 'p' || n FROM generate_series(1, 18) n;
INSERT INTO note SELECT n, (n + 1) / 2, CASE WHEN n % 2 = 0 THEN n - 1 END FROM generate_series(1, 36) n;
CREATE FUNCTION lives(OUT users text, OUT posts bigint, OUT notes bigint) LANGUAGE sql AS $$
	SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM unit_undo."User"), (SELECT count(*) FROM unit_undo.post), (SELECT count(*) FROM unit_undo.note) $$;
-- orphans(): live rows that refer to a deleted one
CREATE FUNCTION orphans() RETURNS bigint LANGUAGE sql SET softdelete.visibility = with_deleted AS $$
	SELECT (SELECT count(*) FROM unit_undo."User" c JOIN unit_undo.team p ON p.id = c.team WHERE c.deleted_at IS NULL AND p.deleted_at IS NOT NULL)
		 + (SELECT count(*) FROM unit_undo.post c JOIN unit_undo."User" p ON p.id = c.author WHERE c.deleted_at IS NULL AND p.deleted_at IS NOT NULL)
		 + (SELECT count(*) FROM unit_undo.note c JOIN unit_undo.post p ON p.id = c.post WHERE c.deleted_at IS NULL AND p.deleted_at IS NOT NULL)
		 + (SELECT count(*) FROM unit_undo.note c JOIN unit_undo.note p ON p.id = c.up WHERE c.deleted_at IS NULL AND p.deleted_at IS NOT NULL) $$;
CREATE VIEW last AS SELECT max(id) AS id FROM softdelete.deletions;

------------------------------------------------------------------------------
-- A live row has a key
------------------------------------------------------------------------------
DELETE FROM "User" WHERE id <= 6;
SELECT id AS first FROM last \gset
SELECT * FROM lives();
INSERT INTO "User" VALUES (22, 1, 'u2');
INSERT INTO post VALUES (25, 22, 'p5'), (26, 22, 'p12');
SELECT softdelete.undo(:first);
SELECT softdelete.undo(:first, 'error');
SELECT * FROM lives();
SELECT softdelete.undo(:first, 'skip');
SELECT * FROM lives();
SELECT rows, restored FROM softdelete.deletions WHERE id = :first;
SELECT orphans();
-- the same again: nothing comes; then the keys are free
SELECT softdelete.undo(:first, 'skip');
DELETE FROM "User" WHERE id = 22;
SELECT softdelete.undo(:first, 'skip');
SELECT * FROM lives();
\set VERBOSITY sqlstate
SELECT softdelete.undo(:first, 'skip');
SELECT softdelete.undo(:first, 'maybe');
SELECT softdelete.undo(-1, 'skip');
\set VERBOSITY default
-- without a conflict it is undo() as ever
DELETE FROM "User" WHERE id = 1;
SELECT softdelete.undo(id, 'skip') FROM last;

------------------------------------------------------------------------------
-- A parent is deleted
------------------------------------------------------------------------------
BEGIN;
DELETE FROM "User" WHERE id IN (5, 6, 7, 8, 9);
COMMIT;
SELECT id AS second FROM last \gset
DELETE FROM team WHERE id = 2;
SELECT id AS third FROM last \gset
SELECT softdelete.undo(:second);
SELECT softdelete.undo(:second, 'skip');
SELECT * FROM lives();
SELECT orphans();
SELECT softdelete.undo(:third), softdelete.undo(:second, 'skip');
SELECT * FROM lives();

------------------------------------------------------------------------------
-- Several deletions, in any order
------------------------------------------------------------------------------
DELETE FROM "User" WHERE id >= 7;
SELECT id AS fourth FROM last \gset
DELETE FROM team WHERE id = 2;
SELECT id AS fifth FROM last \gset
DELETE FROM note WHERE id = 1;
SELECT id AS sixth FROM last \gset
SELECT softdelete.undo(ARRAY[:fourth, :sixth, :fifth, :fourth]::bigint[]);
SELECT * FROM lives();
SELECT rows, restored FROM softdelete.deletions WHERE id IN (:fourth, :fifth, :sixth) ORDER BY id;
-- all or nothing: one has a conflict, one is there no more
DELETE FROM "User" WHERE id = 1;
SELECT id AS seventh FROM last \gset
DELETE FROM "User" WHERE id = 2;
SELECT id AS eighth FROM last \gset
INSERT INTO "User" VALUES (31, 1, 'u1');
SELECT softdelete.undo(ARRAY[:eighth, :seventh]::bigint[]);
SELECT * FROM lives();
SELECT softdelete.undo(ARRAY[:eighth, :seventh]::bigint[], 'skip');
SELECT * FROM lives();
\set VERBOSITY sqlstate
SELECT softdelete.undo(ARRAY[:seventh, :fourth]::bigint[]);
SELECT softdelete.undo(ARRAY[:seventh, -1]::bigint[]);
SELECT softdelete.undo(ARRAY[:seventh, NULL]::bigint[]);
\set VERBOSITY default
SELECT softdelete.undo('{}'::bigint[]);
DELETE FROM "User" WHERE id = 31;
SELECT softdelete.undo(:seventh);

------------------------------------------------------------------------------
-- Partitions, a restored key that two rows of one deletion want, other rights
------------------------------------------------------------------------------
CREATE TABLE parted (id int, k text, part int, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
SELECT softdelete.enable('parted');
CREATE UNIQUE INDEX ON parted (k, part) WHERE deleted_at IS NULL;
INSERT INTO parted SELECT n, 'k' || n, 1 + n % 2 FROM generate_series(1, 8) n;
BEGIN;
DELETE FROM parted;
INSERT INTO parted VALUES (9, 'k1', 2);
DELETE FROM parted;
COMMIT;
INSERT INTO parted VALUES (10, 'k4', 1);
SELECT softdelete.undo(id, 'skip') FROM last;
SELECT string_agg(id || k, ' ' ORDER BY id) FROM parted;
GRANT USAGE ON SCHEMA unit_undo TO sd_user;
GRANT DELETE, SELECT ON "User", parted TO sd_user;
DELETE FROM "User" WHERE id IN (3, 4);
INSERT INTO "User" VALUES (33, 1, 'u3');
SELECT id AS ninth FROM last \gset
SET SESSION AUTHORIZATION sd_user;
\set VERBOSITY terse
-- says so, where rows stay for want of a privilege
SELECT softdelete.undo(:ninth, 'skip');
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
SELECT * FROM lives();
SELECT orphans();
SELECT softdelete.undo(:ninth, 'skip');
SELECT * FROM lives();
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP SCHEMA unit_undo CASCADE;
