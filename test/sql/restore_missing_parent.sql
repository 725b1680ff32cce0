-- A child whose parent row is not there any more, whatever took it, is not
-- brought back: 23503, as an INSERT of it would raise.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SELECT current_user AS superuser \gset
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA restore_missing_parent;
SET search_path = restore_missing_parent;
CREATE TABLE "Parent" (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, up int REFERENCES "Parent" ON DELETE CASCADE);
CREATE TABLE plain (id int PRIMARY KEY);			-- not managed
CREATE TABLE other (id int PRIMARY KEY, up int REFERENCES plain,
	late int REFERENCES plain DEFERRABLE INITIALLY DEFERRED);
INSERT INTO "Parent" VALUES (1), (2);
INSERT INTO child VALUES (11, 1), (12, 1), (21, 2);
INSERT INTO plain VALUES (1), (2), (3);
INSERT INTO other VALUES (1, 1, 1), (2, 2, NULL), (3, 2, 3), (4, NULL, NULL);
SELECT softdelete.enable('"Parent"', cascade => true), softdelete.enable('other');

DELETE FROM "Parent" WHERE id = 1;
SELECT max(id) AS deletion FROM softdelete.deletions WHERE target = '"Parent"'::regclass \gset
DELETE FROM other;

-- what a tool that swaps tables does: the row is gone, no trigger was asked
SET SESSION AUTHORIZATION :superuser;
SET session_replication_role = replica;
SET softdelete.hard_delete = on;
SET softdelete.visibility = 'all';
DELETE FROM "Parent" WHERE id = 1;
DELETE FROM plain WHERE id <> 2;
RESET softdelete.visibility;
RESET softdelete.hard_delete;
RESET session_replication_role;
SET SESSION AUTHORIZATION sd_owner;

\set VERBOSITY default
SELECT softdelete.undo(:deletion);
SELECT softdelete.restore('child', 11);
\set VERBOSITY terse
SET softdelete.visibility = deleted;
UPDATE child SET deleted_at = NULL;
RESET softdelete.visibility;
SELECT * FROM child;

-- the parent's table need not be managed
SELECT softdelete.restore('other', 1);
SELECT softdelete.restore('other', 2);
SELECT softdelete.restore('other', 4);
-- a deferred key has until the commit
BEGIN;
SELECT softdelete.restore('other', 3);
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
BEGIN;
SELECT softdelete.restore('other', 3);
COMMIT;
BEGIN;
SELECT softdelete.restore('other', 3);
INSERT INTO plain VALUES (3);
COMMIT;
SELECT id, up, late FROM other ORDER BY id;

-- with the row there again all is well
INSERT INTO "Parent" VALUES (1);
SELECT softdelete.undo(:deletion);
SELECT id, up FROM child ORDER BY id;

-- a key that was never validated says nothing about the rows of before
CREATE TABLE loose (id int PRIMARY KEY, up int);
INSERT INTO loose VALUES (1, 99);
ALTER TABLE loose ADD FOREIGN KEY (up) REFERENCES plain NOT VALID;
SELECT softdelete.enable('loose');
DELETE FROM loose;
SELECT softdelete.restore('loose', 1);
