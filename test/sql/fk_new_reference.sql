-- A SET NULL or SET DEFAULT link from before the delete is kept until the purge.
-- One that is made after it is 23503, in the same transaction, too.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA fk_new_reference;
SET search_path = fk_new_reference;
CREATE TABLE "Parent" (id int PRIMARY KEY, note text);
CREATE TABLE child (id int PRIMARY KEY, up int REFERENCES "Parent" ON DELETE SET NULL, note text);
CREATE TABLE by_default (id int PRIMARY KEY, up int DEFAULT 9 REFERENCES "Parent" ON DELETE SET DEFAULT, note text);
CREATE TABLE lazy (id int PRIMARY KEY, note text,
	up int REFERENCES "Parent" ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED);
INSERT INTO "Parent" SELECT generate_series(1, 9);
INSERT INTO child VALUES (1, 1), (2, 2);
SELECT softdelete.enable('"Parent"');

-- a new row, an old row's new link
BEGIN;
DELETE FROM "Parent" WHERE id = 1;
SAVEPOINT s;
INSERT INTO child VALUES (11, 1);
ROLLBACK TO s;
UPDATE child SET up = 1 WHERE id = 2;
ROLLBACK TO s;
INSERT INTO by_default VALUES (11, 1);
ROLLBACK TO s;
INSERT INTO lazy VALUES (11, 'late', 1);
COMMIT;

-- what was there before stays, however often it is written
BEGIN;
INSERT INTO child VALUES (12, 1);
INSERT INTO lazy VALUES (12, 'early', 1);
DELETE FROM "Parent" WHERE id = 1;
UPDATE child SET note = 'once' WHERE up = 1;
UPDATE child SET note = 'twice' WHERE up = 1;
UPDATE lazy SET note = 'once';
SAVEPOINT s;
INSERT INTO child VALUES (13, 1);
ROLLBACK TO s;
COMMIT;
SELECT id, up, note FROM child UNION ALL SELECT id, up, note FROM lazy ORDER BY id, note;

-- one command makes the link and takes the parent: as natively it is none of the
-- two's fault; a command of a trigger comes after
BEGIN;
WITH gone AS (DELETE FROM "Parent" WHERE id = 3) INSERT INTO child VALUES (31, 3);
SELECT id, up FROM child WHERE id = 31;
ROLLBACK;
CREATE FUNCTION add_child() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO child VALUES (32, old.id); RETURN NULL; END $$;
CREATE TRIGGER add_child AFTER DELETE ON "Parent" FOR EACH ROW WHEN (old.id = 3) EXECUTE FUNCTION add_child();
DELETE FROM "Parent" WHERE id = 3;
DROP TRIGGER add_child ON "Parent";

-- the deleted parent is written again; a subtransaction that did so is undone
BEGIN;
SET LOCAL softdelete.visibility = 'all';
UPDATE "Parent" SET note = 'again' WHERE id = 1;
INSERT INTO child VALUES (14, 1);
ROLLBACK;
BEGIN;
INSERT INTO child VALUES (15, 4);
DELETE FROM "Parent" WHERE id = 4;
SET LOCAL softdelete.visibility = 'all';
SAVEPOINT s;
UPDATE "Parent" SET note = 'undone' WHERE id = 4;
ROLLBACK TO s;
UPDATE child SET note = 'as it was' WHERE id = 15;
SAVEPOINT s;
INSERT INTO child VALUES (16, 4);
ROLLBACK TO s;
COMMIT;

-- partitions
CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (10);
CREATE TABLE leaf (id int, up int REFERENCES parts ON DELETE SET NULL, note text);
INSERT INTO parts VALUES (1), (2);
SELECT softdelete.enable('parts');
BEGIN;
INSERT INTO leaf VALUES (1, 1);
DELETE FROM parts WHERE id = 1;
UPDATE leaf SET note = 'kept';
INSERT INTO leaf VALUES (2, 1);
ROLLBACK;
