-- PostgreSQL 18: foreign keys with a PERIOD.  A deleted parent's period is not
-- covered any more, a deleted child may refer to whatever it referred to, and what
-- the session sees has no say in it.
SELECT current_setting('server_version_num')::int < 180000 AS before_18 \gset
\if :before_18
\quit
\endif
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA fk_temporal;
SET search_path = fk_temporal;
CREATE TABLE room (id int4range, valid daterange, note text, PRIMARY KEY (id, valid WITHOUT OVERLAPS));
CREATE TABLE booking (n int PRIMARY KEY, room int4range, during daterange,
	FOREIGN KEY (room, PERIOD during) REFERENCES room (id, PERIOD valid));
INSERT INTO room VALUES ('[1,2)', '[2024-01-01,2024-07-01)'), ('[1,2)', '[2024-07-01,2025-01-01)'), ('[2,3)', '[2024-01-01,2025-01-01)');
INSERT INTO booking VALUES (1, '[1,2)', '[2024-06-01,2024-08-01)'), (2, '[2,3)', '[2024-02-01,2024-03-01)');
SELECT softdelete.enable('booking'), softdelete.enable('room');

-- a live child keeps its parents, all of them
DELETE FROM room WHERE id = '[1,2)' AND valid @> '2024-07-01'::date;
DELETE FROM booking WHERE n = 1;
DELETE FROM room WHERE id = '[1,2)' AND valid @> '2024-07-01'::date;
-- a new one finds what is left
INSERT INTO booking VALUES (3, '[1,2)', '[2024-05-01,2024-06-01)');
INSERT INTO booking VALUES (4, '[1,2)', '[2024-06-01,2024-08-01)');
SET softdelete.visibility = 'all';
INSERT INTO booking VALUES (4, '[1,2)', '[2024-06-01,2024-08-01)');
SET softdelete.visibility = deleted;
INSERT INTO booking VALUES (4, '[1,2)', '[2024-06-01,2024-08-01)');
-- a deleted child is written, its parent live and deleted
UPDATE booking SET during = '[2024-06-02,2024-08-01)' WHERE n = 1;
RESET softdelete.visibility;
DELETE FROM booking WHERE n = 2;
SET softdelete.visibility = deleted;
UPDATE booking SET during = '[2024-02-02,2024-03-01)' WHERE n = 2;
RESET softdelete.visibility;
SELECT softdelete.restore('booking', 2);
-- a restored one needs them live
SELECT softdelete.restore('booking', 1);
SET softdelete.visibility = deleted;
UPDATE room SET deleted_at = NULL;
RESET softdelete.visibility;
SELECT softdelete.restore('booking', 1);
SELECT n, room, during FROM booking ORDER BY n;

-- a purge leaves no child behind
DELETE FROM booking WHERE n = 1;
DELETE FROM room WHERE id = '[1,2)' AND valid @> '2024-07-01'::date;
SELECT expired, purged, kept FROM softdelete.purge_expired('room', older_than => '0');
SELECT target, expired, purged, kept FROM softdelete.purge_expired('booking', older_than => '0');
SELECT expired, purged, kept FROM softdelete.purge_expired('room', older_than => '0');
