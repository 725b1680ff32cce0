-- A foreign table's rows cannot be marked: it does not become a partition of a
-- managed table.
SET client_min_messages = warning;
CREATE FOREIGN DATA WRAPPER sd_far;
CREATE SERVER sd_far FOREIGN DATA WRAPPER sd_far;
GRANT USAGE ON FOREIGN SERVER sd_far TO sd_owner;
RESET client_min_messages;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA partition_foreign;
SET search_path = partition_foreign;
CREATE TABLE event (id int, at int) PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (10);
SELECT softdelete.enable('event');
CREATE FOREIGN TABLE "Event 2" (id int, at int, deleted_at timestamptz, deletion_id bigint) SERVER sd_far;

-- by ATTACH, by CREATE, some levels down
ALTER TABLE event ATTACH PARTITION "Event 2" FOR VALUES FROM (10) TO (20);
CREATE FOREIGN TABLE event_3 PARTITION OF event FOR VALUES FROM (20) TO (30) SERVER sd_far;
CREATE TABLE event_4 (LIKE event) PARTITION BY RANGE (at);
ALTER TABLE event_4 ATTACH PARTITION "Event 2" FOR VALUES FROM (30) TO (35);
ALTER TABLE event ATTACH PARTITION event_4 FOR VALUES FROM (30) TO (40);
ALTER TABLE event_4 DETACH PARTITION "Event 2";
ALTER TABLE event ATTACH PARTITION event_4 FOR VALUES FROM (30) TO (40);
ALTER TABLE event_4 ATTACH PARTITION "Event 2" FOR VALUES FROM (30) TO (35);
CREATE FOREIGN TABLE event_5 PARTITION OF event_4 FOR VALUES FROM (30) TO (35) SERVER sd_far;

-- nothing is in the way of a DELETE
INSERT INTO event VALUES (1, 1);
DELETE FROM event RETURNING id;

-- elsewhere foreign partitions are as they were
CREATE TABLE plain (id int) PARTITION BY RANGE (id);
CREATE FOREIGN TABLE plain_1 PARTITION OF plain FOR VALUES FROM (0) TO (10) SERVER sd_far;
CREATE FOREIGN TABLE plain_2 (id int) SERVER sd_far;
ALTER TABLE plain ATTACH PARTITION plain_2 FOR VALUES FROM (10) TO (20);
RESET SESSION AUTHORIZATION;
SET client_min_messages = warning;
DROP FOREIGN DATA WRAPPER sd_far CASCADE;
