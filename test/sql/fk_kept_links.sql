-- A SET NULL or SET DEFAULT link is kept until the purge.  Until then it does
-- not stand in the way of the row that has it; but no key is added over live
-- rows that refer to deleted ones.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA fk_kept_links;
SET search_path = fk_kept_links;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, up int REFERENCES parent ON DELETE SET NULL, note text);
CREATE TABLE lazy (id int PRIMARY KEY, up int REFERENCES parent ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, note text);
INSERT INTO parent SELECT generate_series(1, 9);
INSERT INTO child VALUES (1, 1);
SELECT softdelete.enable('parent');

-- the row is updated more than once in a transaction
DELETE FROM parent WHERE id = 1;
BEGIN;
UPDATE child SET note = 'once' WHERE id = 1;
UPDATE child SET note = 'twice' WHERE id = 1;
COMMIT;
-- it is new, the parent goes, and it is updated
BEGIN;
INSERT INTO child VALUES (2, 2);
DELETE FROM parent WHERE id = 2;
UPDATE child SET note = 'new' WHERE id = 2;
COMMIT;
-- the same for a key that is checked at the commit
BEGIN;
INSERT INTO lazy VALUES (3, 3);
DELETE FROM parent WHERE id = 3;
COMMIT;
BEGIN;
UPDATE lazy SET note = 'once' WHERE id = 3;
UPDATE lazy SET note = 'twice' WHERE id = 3;
COMMIT;
SELECT * FROM child UNION ALL SELECT * FROM lazy ORDER BY id;
-- a link that is made now is another matter
UPDATE child SET up = 2 WHERE id = 1;
INSERT INTO child VALUES (4, 1);
BEGIN;
INSERT INTO lazy VALUES (4, 1);
COMMIT;

-- a key that is added over a live row that refers to a deleted one
CREATE TABLE late (id int PRIMARY KEY, up int);
INSERT INTO late VALUES (1, 1), (2, 9);
ALTER TABLE late ADD CONSTRAINT late_key FOREIGN KEY (up) REFERENCES parent;
ALTER TABLE late ADD CONSTRAINT late_key FOREIGN KEY (up) REFERENCES parent NOT VALID;
ALTER TABLE late VALIDATE CONSTRAINT late_key;
UPDATE late SET up = 8 WHERE id = 1;
ALTER TABLE late VALIDATE CONSTRAINT late_key;

-- rows that a purge erases are counted, with a key of each action
CREATE TABLE by_default (id int PRIMARY KEY, up int DEFAULT 9 REFERENCES parent ON DELETE SET DEFAULT);
INSERT INTO by_default VALUES (1, 4);
DELETE FROM parent WHERE id IN (4, 5);
SELECT softdelete.purge('parent', 4);
SELECT expired, purged, kept FROM softdelete.purge_expired('parent', older_than => '0');
SELECT * FROM by_default;
