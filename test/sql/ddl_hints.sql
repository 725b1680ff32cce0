-- A constraint, index, type or partition that deleted rows stand in the way of:
-- the error says where to look.  A partition that is detached is managed no more,
-- and the session is told.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA ddl_hints;
SET search_path = ddl_hints;
CREATE TABLE "Thing" (id int PRIMARY KEY, email text, n int, status text, up int, during int4range);
CREATE TABLE plain (LIKE "Thing" INCLUDING ALL);
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO "Thing" VALUES (1, 'a', NULL, 'twelve letters', 99, '[1,5)'), (2, 'a', 1, 'new', 1, '[2,3)');
INSERT INTO parent VALUES (1);
SELECT softdelete.enable('"Thing"');
DELETE FROM "Thing" WHERE id = 1;

SET softdelete.visibility = with_deleted; -- else they are keys of live rows: key_added.sql
ALTER TABLE "Thing" ADD CONSTRAINT once UNIQUE (email);
CREATE UNIQUE INDEX ON "Thing" (email);
RESET softdelete.visibility;
CREATE UNIQUE INDEX ON "Thing" (email) WHERE id < 9;
ALTER TABLE "Thing" ADD CHECK (n IS NOT NULL);
ALTER TABLE "Thing" ALTER n SET NOT NULL;
ALTER TABLE "Thing" ADD FOREIGN KEY (up) REFERENCES parent;
ALTER TABLE "Thing" ADD EXCLUDE USING gist (during WITH &&);
ALTER TABLE "Thing" ALTER status TYPE varchar(5);
ALTER TABLE "Thing" ALTER status TYPE int USING length(status) / (id - 1);
ALTER TABLE "Thing" ADD CONSTRAINT given CHECK (n IS NOT NULL) NOT VALID;
ALTER TABLE "Thing" VALIDATE CONSTRAINT given;
-- nothing is added where nothing is hidden, nor to errors of other kinds
INSERT INTO plain VALUES (1, 'a'), (2, 'a');
ALTER TABLE plain ADD UNIQUE (email);
ALTER TABLE "Thing" ADD UNIQUE (nonesuch);
ALTER TABLE "Thing" ALTER status TYPE int;
-- what the hint says
SET softdelete.visibility = 'all';
UPDATE "Thing" SET n = 0, status = 'short' WHERE n IS NULL;
RESET softdelete.visibility;
ALTER TABLE "Thing" ALTER status TYPE varchar(5), ALTER n SET NOT NULL;

-- partitions
CREATE TABLE event (id int, at int) PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (10);
CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM (10) TO (20);
CREATE TABLE event_rest PARTITION OF event DEFAULT;
SELECT softdelete.enable('event');
INSERT INTO event VALUES (1, 1), (2, 2), (3, 12), (4, 24), (5, 36);
DELETE FROM event WHERE id IN (1, 4);
CREATE TABLE event_3 PARTITION OF event FOR VALUES FROM (20) TO (30);
CREATE TABLE event_3 (LIKE event);
ALTER TABLE event ATTACH PARTITION event_3 FOR VALUES FROM (20) TO (30);
DROP TABLE event_3;
CREATE TABLE event_4 PARTITION OF event FOR VALUES FROM (40) TO (50);

ALTER TABLE event DETACH PARTITION event_1;
ALTER TABLE event DETACH PARTITION event_2;
SELECT id FROM event_1 ORDER BY id;
-- the command that it gives
SELECT softdelete.enable('ddl_hints.event_1', 'deleted_at');
SELECT id FROM event_1 ORDER BY id;
-- a status as the marker, a partition of a partition, concurrently
CREATE TABLE log (id int, state text DEFAULT 'new') PARTITION BY RANGE (id);
CREATE TABLE "Log 1" PARTITION OF log FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
CREATE TABLE log_1_1 PARTITION OF "Log 1" FOR VALUES FROM (0) TO (10);
SELECT softdelete.enable('log', 'state', 'gone');
INSERT INTO log VALUES (1);
DELETE FROM log;
ALTER TABLE log DETACH PARTITION "Log 1" CONCURRENTLY;
