-- ON DELETE SET NULL and SET DEFAULT of some columns of a key: until the purge
-- the link stays whole, so that a restore is exact; the purge then sets those
-- columns and no others.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA fk_set_columns;
SET search_path = fk_set_columns;

-- the usual case: the tenant is part of every key, and stays
CREATE TABLE author ("Tenant" int, id int, name text, PRIMARY KEY ("Tenant", id));
CREATE TABLE post (id int PRIMARY KEY, "Tenant" int NOT NULL, author int, reviewer int DEFAULT 1,
	CONSTRAINT "Author" FOREIGN KEY ("Tenant", author) REFERENCES author ON DELETE SET NULL (author),
	CONSTRAINT "Reviewer" FOREIGN KEY ("Tenant", reviewer) REFERENCES author ON DELETE SET DEFAULT (reviewer));
CREATE TABLE native_author (LIKE author INCLUDING ALL);
CREATE TABLE native_post (LIKE post INCLUDING ALL,
	FOREIGN KEY ("Tenant", author) REFERENCES native_author ON DELETE SET NULL (author),
	FOREIGN KEY ("Tenant", reviewer) REFERENCES native_author ON DELETE SET DEFAULT (reviewer));
INSERT INTO author SELECT t, n, format('%s/%s', t, n) FROM generate_series(1, 2) t, generate_series(1, 5) n;
INSERT INTO post SELECT 10 * t + n, t, n, n FROM generate_series(1, 2) t, generate_series(1, 5) n;
INSERT INTO native_author TABLE author;
INSERT INTO native_post TABLE post;
SELECT softdelete.enable('author'), softdelete.enable('post');
CREATE VIEW links AS SELECT p.id, p."Tenant", p.author, p.reviewer, a.name AS author_name FROM post p
	LEFT JOIN author a ON (a."Tenant", a.id) = (p."Tenant", p.author);
-- what the managed tables and their native twins differ in
CREATE VIEW difference AS
	(SELECT 'managed' AS only_in, id, "Tenant", author, reviewer FROM post EXCEPT SELECT 'managed', id, "Tenant", author, reviewer FROM native_post) UNION ALL
	(SELECT 'native', id, "Tenant", author, reviewer FROM native_post EXCEPT SELECT 'native', id, "Tenant", author, reviewer FROM post);

------------------------------------------------------------------------------
-- The link stays, and restore is exact
------------------------------------------------------------------------------
DELETE FROM author WHERE id IN (2, 3);
DELETE FROM post WHERE id = 13;
SELECT * FROM links ORDER BY id;
SELECT softdelete.restore('author', 1, 2);
SELECT * FROM links WHERE "Tenant" = 1 AND author IN (2, 3) ORDER BY id;
-- a post comes back with its link, though the author is deleted still
SELECT softdelete.restore('post', 13);
SELECT * FROM links WHERE id = 13;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions WHERE target = 'author'::regclass;
SELECT * FROM difference;

------------------------------------------------------------------------------
-- The purge sets what the keys name, as a native DELETE does
------------------------------------------------------------------------------
DELETE FROM native_author WHERE id IN (2, 3);
DELETE FROM author WHERE id IN (2, 3);
-- a link may be changed while its parent is deleted, in part or altogether
UPDATE post SET author = 4 WHERE id = 12;
UPDATE native_post SET author = 4 WHERE id = 12;
UPDATE post SET author = NULL WHERE id = 22;
-- but not to a row that is deleted
UPDATE post SET author = 3 WHERE id = 24;
UPDATE native_post SET author = 3 WHERE id = 24;
UPDATE post SET "Tenant" = 1 WHERE id = 22 AND reviewer = 2;
DELETE FROM post WHERE id = 23;
DELETE FROM native_post WHERE id = 23;
SELECT expired, purged, kept FROM softdelete.purge_expired('author', older_than => '0', dry_run => true);
SELECT * FROM difference ORDER BY only_in, id;
SELECT expired, purged, kept FROM softdelete.purge_expired('author', older_than => '0');
SELECT * FROM difference;
SELECT * FROM links ORDER BY id;
-- a deleted row's link is cut as well: it comes back without
SELECT softdelete.restore('post', 23);
SELECT * FROM links WHERE id = 23;

------------------------------------------------------------------------------
-- By key, with the default gone as well: the row is kept, nothing is changed
------------------------------------------------------------------------------
DELETE FROM author WHERE "Tenant" = 2 AND id IN (1, 4);
SELECT softdelete.purge('author', 2, 4);
SELECT expired, purged, kept FROM softdelete.purge_expired('author', older_than => '0');
SELECT * FROM links WHERE "Tenant" = 2 ORDER BY id;
SELECT softdelete.restore('author', 2, 1);
SELECT softdelete.purge('author', 2, 4);
SELECT * FROM links WHERE "Tenant" = 2 ORDER BY id;

------------------------------------------------------------------------------
-- A column that cannot be NULL: native PostgreSQL refuses at once, here it is
-- the purge that keeps the row
------------------------------------------------------------------------------
CREATE TABLE badge (id int PRIMARY KEY, "Tenant" int, author int NOT NULL,
	FOREIGN KEY ("Tenant", author) REFERENCES author ON DELETE SET NULL (author));
INSERT INTO badge VALUES (1, 1, 5);
DELETE FROM author WHERE ("Tenant", id) IN ((1, 5), (2, 5));
SELECT expired, purged, kept FROM softdelete.purge_expired('author', older_than => '0');
\set VERBOSITY sqlstate
SELECT softdelete.purge('author', 1, 5);
\set VERBOSITY default
SELECT softdelete.restore('author', 1, 5);
SELECT b.*, a.name FROM badge b JOIN author a ON (a."Tenant", a.id) = (b."Tenant", b.author);

------------------------------------------------------------------------------
-- MATCH FULL wants all of the columns or none
------------------------------------------------------------------------------
CREATE TABLE strict (id int PRIMARY KEY, "Tenant" int, author int,
	CONSTRAINT "All or None" FOREIGN KEY ("Tenant", author) REFERENCES author MATCH FULL ON DELETE SET NULL);
INSERT INTO strict VALUES (1, 1, 4), (2, NULL, NULL);
DELETE FROM author WHERE ("Tenant", id) = (1, 4);
SELECT * FROM strict ORDER BY id;
UPDATE strict SET author = NULL WHERE id = 1;
UPDATE strict SET "Tenant" = NULL, author = NULL WHERE id = 1;
INSERT INTO strict VALUES (3, 1, 4);
SELECT softdelete.restore('author', 1, 4);
INSERT INTO strict VALUES (3, 1, 4);
DELETE FROM author WHERE ("Tenant", id) = (1, 4);
SELECT softdelete.purge('author', 1, 4);
SELECT * FROM strict ORDER BY id;
