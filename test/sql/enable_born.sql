-- Rows that are inserted with the mark already set are deletions of their own: time, id, a row in the log
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA enable_born;
SET search_path = enable_born;
CREATE TABLE "Item" (id int PRIMARY KEY, status text NOT NULL DEFAULT 'new');
CREATE TABLE flag (id int PRIMARY KEY, is_deleted boolean) PARTITION BY RANGE (id);
CREATE TABLE flag_1 PARTITION OF flag FOR VALUES FROM (0) TO (100);
CREATE TABLE plain (id int PRIMARY KEY, n int DEFAULT 0);
SELECT softdelete.enable('"Item"', 'status');
SELECT softdelete.enable('flag', 'is_deleted');
SELECT softdelete.enable('plain');
CREATE VIEW logged AS SELECT rows, total, actor, deleted_by FROM softdelete.deletions
 WHERE target IN ('"Item"'::regclass, 'flag'::regclass, 'plain'::regclass) ORDER BY id;

SET softdelete.actor = 'import';
INSERT INTO "Item" VALUES (1, 'deleted'), (2, 'new'), (3, 'deleted');
INSERT INTO flag SELECT n, n % 2 = 0 FROM generate_series(1, 6) n;
INSERT INTO plain (id, deleted_at) VALUES (1, now() - interval '10 days'), (2, NULL), (3, '2000-01-01');
RESET softdelete.actor;
SELECT * FROM logged;
-- a time that is given stands, else it is now; the rows are found, expire, and come back
SELECT target, deleted_at = now() AS now, deleted_at < now() AS before, days_left IS NOT NULL AS expires, row_data ->> 'id' AS id FROM softdelete.trash()
 WHERE target IN ('"Item"'::regclass, 'flag'::regclass, 'plain'::regclass) ORDER BY target::text, id;
SELECT target, expired FROM softdelete.purge_expired('plain', dry_run => true);
SELECT softdelete.restore('"Item"', 3);
SELECT sum(softdelete.undo(id)) FROM softdelete.deletions WHERE target = 'flag'::regclass;
SELECT count(*) FROM flag;

-- COPY: one deletion for all
COPY plain (id, deleted_at) FROM stdin;
11	2020-01-01
12	\N
13	2021-01-01
14	2022-01-01
\.
SELECT total FROM logged OFFSET 3;
-- upsert, MERGE's like, a statement that inserts none, a row that is refused
INSERT INTO plain (id, deleted_at) VALUES (12, now()), (15, now()) ON CONFLICT (id) DO NOTHING;
INSERT INTO plain (id, deleted_at) SELECT 16, now() WHERE false;
SELECT count(*) FROM logged;
BEGIN;
INSERT INTO plain (id, deleted_at) VALUES (17, now());
ROLLBACK;
SELECT count(*) FROM logged;

-- no trigger takes it for an UPDATE
CREATE TABLE fired (what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO fired VALUES (tg_when || ' ' || tg_op); RETURN new; END $$;
CREATE TRIGGER a BEFORE INSERT OR UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER b AFTER INSERT OR UPDATE ON plain FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO plain (id, deleted_at) VALUES (20, now());
SELECT * FROM fired;
-- a BEFORE trigger may set the mark
CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.deleted_at := now(); RETURN new; END $$;
CREATE TRIGGER c BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION hide();
INSERT INTO plain VALUES (21);
SELECT count(*) FROM logged;
DROP TRIGGER c ON plain;

-- who may only insert, may
GRANT USAGE ON SCHEMA enable_born TO sd_user;
GRANT INSERT ON plain TO sd_user;
GRANT INSERT ON fired TO sd_user;
SET SESSION AUTHORIZATION sd_user;
INSERT INTO enable_born.plain (id, deleted_at) VALUES (30, now());
SET SESSION AUTHORIZATION sd_owner;
SELECT deleted_by FROM logged OFFSET 7;

-- an id that comes along stays, and so does what a dump brings
INSERT INTO plain (id, deleted_at, deletion_id) VALUES (40, now(), 1);
SET row_security = off;
INSERT INTO plain (id, deleted_at) VALUES (41, now());
SELECT id, deletion_id FROM plain WHERE id > 39 ORDER BY id;
RESET row_security;
-- such a row joins a deletion when an UPDATE asks for it
SET softdelete.visibility = deleted;
UPDATE plain SET deletion_id = 0 WHERE id = 41 RETURNING deletion_id > 0 AS joined;
UPDATE plain SET deletion_id = 7 WHERE id = 41;
RESET softdelete.visibility;
SELECT softdelete.restore('plain', 41);

-- the default of a domain deletes, too, one that is set later on as well
CREATE DOMAIN gone AS boolean;
CREATE TABLE draft (id int PRIMARY KEY, is_deleted gone);
SELECT softdelete.enable('draft', 'is_deleted');
INSERT INTO draft VALUES (1);
ALTER DOMAIN gone SET DEFAULT true;
INSERT INTO draft VALUES (2);
INSERT INTO draft VALUES (3, false);
SELECT row_data ->> 'id' AS id, deletion_id > 0 AS "has an id", deleted_at IS NOT NULL AS "has a time" FROM softdelete.trash('draft');
