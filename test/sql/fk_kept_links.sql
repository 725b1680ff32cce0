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

-- A row that keeps a link is copied, as an application duplicates a row: on a native
-- twin the link would be NULL by now.  Here it is refused, and the hint says why.
CREATE TABLE native_parent (id int PRIMARY KEY);
CREATE TABLE native_child (id int PRIMARY KEY, up int REFERENCES native_parent ON DELETE SET NULL, note text);
INSERT INTO native_parent VALUES (7);
INSERT INTO native_child VALUES (7, 7);
INSERT INTO child VALUES (7, 7);
DELETE FROM native_parent WHERE id = 7;
DELETE FROM parent WHERE id = 7;
INSERT INTO native_child SELECT id + 10, up, 'copy' FROM native_child WHERE id = 7;
INSERT INTO child SELECT id + 10, up, 'copy' FROM child WHERE id = 7;
UPDATE child SET up = 7 WHERE id = 1;
INSERT INTO child SELECT c.id + 10, p.id, 'copy' FROM child c LEFT JOIN parent p ON p.id = c.up WHERE c.id = 7;
SELECT id, up FROM child WHERE note = 'copy' UNION ALL SELECT id, up FROM native_child WHERE note = 'copy';
-- nobody is told more than PostgreSQL tells him, and of others nothing
GRANT USAGE ON SCHEMA fk_kept_links TO sd_user;
GRANT SELECT, INSERT ON child TO sd_user;
SET SESSION AUTHORIZATION sd_user;
INSERT INTO fk_kept_links.child VALUES (20, 7);
SET SESSION AUTHORIZATION sd_owner;
INSERT INTO child VALUES (20, 1000);
DO $$ BEGIN
	INSERT INTO child VALUES (20, 7);
EXCEPTION WHEN foreign_key_violation THEN
	INSERT INTO child VALUES (20, 1000);
END $$;
INSERT INTO lazy VALUES (20, 7);
