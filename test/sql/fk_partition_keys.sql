-- Foreign keys to and from a partition by itself, a leaf or one between: what is
-- done through the root heeds them as what is done through the partition.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA leaf_keys;
SET search_path = leaf_keys;
CREATE TABLE root (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE leaf PARTITION OF root FOR VALUES FROM (0) TO (10);
CREATE TABLE middle PARTITION OF root FOR VALUES FROM (10) TO (30) PARTITION BY RANGE (id);
CREATE TABLE "Leaf 2" PARTITION OF middle FOR VALUES FROM (10) TO (20);
CREATE TABLE kid (id int PRIMARY KEY, up int CONSTRAINT "Kid's Leaf" REFERENCES leaf ON DELETE CASCADE);
CREATE TABLE grandkid (id int PRIMARY KEY, up int REFERENCES kid ON DELETE CASCADE);
CREATE TABLE kidr (id int PRIMARY KEY, up int CONSTRAINT "Kidr's Leaf" REFERENCES leaf ON DELETE RESTRICT);
INSERT INTO root VALUES (1), (2), (3), (4);
INSERT INTO kid VALUES (1, 1);
INSERT INTO grandkid VALUES (1, 1);
INSERT INTO kidr VALUES (2, 2);
SELECT softdelete.enable('root');
SELECT softdelete.enable('root', cascade => true);
SELECT target FROM softdelete.tables WHERE target::text ~ '^(root|kid|grandkid)' ORDER BY target::text;
SELECT child, parent, on_delete, soft_delete FROM softdelete.foreign_keys WHERE parent IN ('leaf'::regclass, 'middle') ORDER BY child::text;
SELECT * FROM softdelete.advice('root');

------------------------------------------------------------------------------
-- delete, restore, purge
------------------------------------------------------------------------------
-- (from 18 on RESTRICT has an SQLSTATE of its own)
DO $$ BEGIN DELETE FROM root; EXCEPTION WHEN integrity_constraint_violation THEN RAISE WARNING 'refused'; END $$;
DO $$ BEGIN DELETE FROM root WHERE id = 2; EXCEPTION WHEN integrity_constraint_violation THEN RAISE WARNING 'refused'; END $$;
DELETE FROM root WHERE id IN (1, 3);
SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM root) AS roots, (SELECT count(*) FROM kid) AS kids, (SELECT count(*) FROM grandkid) AS grandkids;
SELECT rows, total FROM softdelete.deletions WHERE target = 'root'::regclass;
\set VERBOSITY sqlstate
INSERT INTO kid VALUES (3, 3);
\set VERBOSITY default
SELECT softdelete.restore('root', 1);
SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM root) AS roots, (SELECT count(*) FROM kid) AS kids, (SELECT count(*) FROM grandkid) AS grandkids;
-- an UPDATE, a MERGE, a WITH query
UPDATE root SET deleted_at = now() WHERE id = 1;
SELECT count(*) FROM kid;
SELECT softdelete.restore('root', 1);
MERGE INTO root USING (VALUES (1)) v(id) ON root.id = v.id WHEN MATCHED THEN DELETE;
SELECT count(*) FROM kid;
SELECT softdelete.restore('root', 1);
WITH gone AS (DELETE FROM root WHERE id = 1 RETURNING id) SELECT id FROM gone;
SELECT count(*) FROM kid;
SELECT target, expired, purged, kept FROM softdelete.purge_expired('root', older_than => '0');
SELECT * FROM softdelete.purge_expired(older_than => '0') WHERE target IN ('root'::regclass, 'kid', 'grandkid') ORDER BY target::text;
-- a key that is added later, to a partition between; a plan made before heeds it
PREPARE gone(int) AS DELETE FROM root WHERE id = $1;
PREPARE gone_from_middle(int) AS DELETE FROM middle WHERE id = $1;
INSERT INTO root VALUES (11), (12), (13), (14);
EXECUTE gone(11);
EXECUTE gone_from_middle(12);
CREATE TABLE late (id int PRIMARY KEY, up int REFERENCES middle ON DELETE CASCADE);
SELECT softdelete.enable('late');
INSERT INTO late VALUES (13, 13), (14, 14);
EXECUTE gone(13);
EXECUTE gone_from_middle(14);
SELECT count(*) FROM late;
SELECT softdelete.restore('root', 13);
SELECT id FROM late;
\set VERBOSITY sqlstate
INSERT INTO late VALUES (15, 14);
\set VERBOSITY default

-- a partition that comes with a key to it
CREATE TABLE bare (id int NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE bare_1 PARTITION OF bare FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
CREATE TABLE bare_1a PARTITION OF bare_1 FOR VALUES FROM (0) TO (10);
SELECT softdelete.enable('bare');
INSERT INTO bare VALUES (1);
DELETE FROM bare;
CREATE TABLE bare_1b (id int PRIMARY KEY, deleted_at timestamptz, deletion_id bigint);
CREATE TABLE bare_kid (id int PRIMARY KEY, up int REFERENCES bare_1b);
ALTER TABLE bare_1 ATTACH PARTITION bare_1b FOR VALUES FROM (10) TO (20);
INSERT INTO bare VALUES (11), (12);
INSERT INTO bare_kid VALUES (1, 11);
\set VERBOSITY sqlstate
DELETE FROM bare;
\set VERBOSITY default
DELETE FROM bare WHERE id = 12;
SELECT id FROM bare;

------------------------------------------------------------------------------
-- what is said about such keys
------------------------------------------------------------------------------
CREATE TABLE told (id int PRIMARY KEY, code int, deleted_at timestamptz) PARTITION BY RANGE (id);
CREATE TABLE told_1 PARTITION OF told (CONSTRAINT told_1_code UNIQUE (code)) FOR VALUES FROM (0) TO (10);
CREATE TABLE told_kid (id int PRIMARY KEY, up int REFERENCES told_1);
INSERT INTO told VALUES (1, 1, now()), (2, 2, NULL);
INSERT INTO told_kid VALUES (1, 1), (2, 2);
SET client_min_messages = notice;
SELECT softdelete.enable('told');
SET client_min_messages = warning;
CREATE TABLE told_cascade (id int PRIMARY KEY, up int REFERENCES told_1 ON DELETE CASCADE);
CREATE TABLE codes (code int PRIMARY KEY);
ALTER TABLE told_1 DROP CONSTRAINT told_1_code, ADD CONSTRAINT "Told's Own" FOREIGN KEY (code) REFERENCES codes NOT VALID;
SELECT kind, problem, ddl FROM softdelete.advice('told') ORDER BY kind;
CREATE TABLE marked (id int PRIMARY KEY, deleted boolean) PARTITION BY RANGE (id);
CREATE TABLE marked_1 PARTITION OF marked (UNIQUE (deleted)) FOR VALUES FROM (0) TO (10);
CREATE TABLE marked_kid (deleted boolean REFERENCES marked_1 (deleted));
SELECT softdelete.enable('marked', 'deleted');

------------------------------------------------------------------------------
-- the order of a purge
------------------------------------------------------------------------------
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE pt (id int PRIMARY KEY, a int) PARTITION BY RANGE (id);
CREATE TABLE pt1 PARTITION OF pt FOR VALUES FROM (0) TO (10);
CREATE TABLE pt2 PARTITION OF pt FOR VALUES FROM (10) TO (20);
ALTER TABLE pt1 ADD FOREIGN KEY (a) REFERENCES a;
SELECT softdelete.enable('a'), softdelete.enable('pt');
INSERT INTO a VALUES (1);
INSERT INTO pt VALUES (1, 1);
DELETE FROM pt;
DELETE FROM a;
SELECT * FROM softdelete.purge_expired(older_than => '0') WHERE target IN ('a'::regclass, 'pt') ORDER BY target::text;
-- a circle through two partitions; a row on hold keeps what it refers to
CREATE TABLE ring (id int PRIMARY KEY, b int) PARTITION BY RANGE (id);
CREATE TABLE ring_1 PARTITION OF ring FOR VALUES FROM (0) TO (10);
CREATE TABLE ring_2 PARTITION OF ring FOR VALUES FROM (10) TO (20);
CREATE TABLE b (id int PRIMARY KEY, ring int REFERENCES ring_2);
ALTER TABLE ring_1 ADD FOREIGN KEY (b) REFERENCES b;
SELECT softdelete.enable('ring'), softdelete.enable('b');
INSERT INTO ring VALUES (11), (12), (13);
INSERT INTO b VALUES (1, 11), (2, 12), (3, NULL);
INSERT INTO ring VALUES (1, 1), (2, 2);
DELETE FROM ring WHERE id = 2;
SELECT softdelete.hold(max(id)) FROM softdelete.deletions WHERE target = 'ring'::regclass;
DELETE FROM ring WHERE id = 1;
DELETE FROM b;
DELETE FROM ring;
SELECT * FROM softdelete.purge_expired(older_than => '0') WHERE target IN ('ring'::regclass, 'b') ORDER BY target::text;
SELECT softdelete.release(id) FROM softdelete.deletions WHERE held;
SELECT * FROM softdelete.purge_expired(older_than => '0') WHERE target IN ('ring'::regclass, 'b') ORDER BY target::text;
-- rows that refer to rows of another partition
CREATE TABLE chain (id int PRIMARY KEY, up int) PARTITION BY RANGE (id);
CREATE TABLE chain_1 PARTITION OF chain FOR VALUES FROM (0) TO (10);
CREATE TABLE chain_2 PARTITION OF chain FOR VALUES FROM (10) TO (20);
ALTER TABLE chain_2 ADD FOREIGN KEY (up) REFERENCES chain_1;
ALTER TABLE chain_1 ADD FOREIGN KEY (up) REFERENCES chain;
SELECT softdelete.enable('chain');
INSERT INTO chain VALUES (1, NULL), (2, 1), (11, 2), (12, 1);
\set VERBOSITY sqlstate
DELETE FROM chain WHERE id = 2;
\set VERBOSITY default
DELETE FROM chain;
SELECT * FROM softdelete.purge_expired('chain', older_than => '0');
-- who is not the owner has deferred keys checked at once
CREATE TABLE lazy_kid (id int PRIMARY KEY, up int CONSTRAINT "Lazy Leaf Key" REFERENCES pt1 DEFERRABLE INITIALLY DEFERRED);
INSERT INTO pt VALUES (5), (6);
BEGIN;
DELETE FROM pt;
INSERT INTO lazy_kid VALUES (1, 5);
\set VERBOSITY sqlstate
COMMIT;
\set VERBOSITY default
DELETE FROM pt;
RESET SESSION AUTHORIZATION;
SELECT * FROM softdelete.purge_expired('pt', older_than => '0');
