-- No value that somebody may write into a row of a managed table, its companion
-- columns included, stops a restore or a purge of anybody's.
\set VERBOSITY terse
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA hostile_values;
GRANT USAGE ON SCHEMA hostile_values TO sd_user;
SET search_path = hostile_values;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, up int REFERENCES parent ON DELETE CASCADE);
GRANT INSERT ON child TO sd_user;
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (1, 1);
SELECT softdelete.enable('parent', cascade => true);
SET SESSION AUTHORIZATION sd_user;
INSERT INTO hostile_values.child (id, up, deleted_at, deletion_id) VALUES
	(11, 1, now(), -9223372036854775808), (12, 1, now(), 9223372036854775807),
	(13, 1, '-infinity', 0), (14, 1, 'infinity', -1), (15, 1, '294276-12-31', NULL);
SET SESSION AUTHORIZATION sd_owner;
SET search_path = hostile_values;
DELETE FROM parent WHERE id = 1;
SELECT softdelete.restore('parent', 1);
SELECT id FROM child ORDER BY id;

-- times at both ends of the calendar, in a table that refers to itself and in two
-- that refer to each other, with and without time zone, in any zone
CREATE DOMAIN moment AS timestamp;
CREATE TABLE loop (id int PRIMARY KEY, up int REFERENCES loop, deleted_at timestamptz);
CREATE TABLE zoneless (id int PRIMARY KEY, up int REFERENCES zoneless, deleted_at timestamp);
CREATE TABLE domains (id int PRIMARY KEY, up int REFERENCES domains, deleted_at moment);
CREATE TABLE flat (id int PRIMARY KEY, deleted_at timestamp);
CREATE TABLE a (id int PRIMARY KEY, b int);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
SELECT softdelete.enable(t, retention => '1 month 1 day')
  FROM unnest('{loop,zoneless,domains,flat,a,b}'::regclass[]) t;
INSERT INTO loop (id, up, deleted_at) VALUES (1, NULL, '2000-01-01'), (2, 1, '294276-12-30'),
	(3, NULL, '2000-01-01'), (4, 3, '2000-01-01'), (5, NULL, '-infinity'), (6, NULL, 'infinity'),
	(7, NULL, '4714-11-24 00:00:00+00 BC');
SET TimeZone = 'Pacific/Kiritimati';
SET softdelete.visibility = 'all';
INSERT INTO zoneless (id, up, deleted_at) SELECT id, up, deleted_at AT TIME ZONE 'UTC' FROM loop WHERE id NOT IN (2, 7);
INSERT INTO zoneless VALUES (2, 1, '294276-12-31 23:59:59'), (7, NULL, '4714-11-24 BC');
INSERT INTO domains (id, up, deleted_at) SELECT id, up, deleted_at FROM zoneless ORDER BY id;
INSERT INTO flat (id, deleted_at) SELECT id, deleted_at FROM zoneless;
INSERT INTO a (id, deleted_at) SELECT id, deleted_at FROM loop;
INSERT INTO b (id, a, deleted_at) SELECT id, up, deleted_at FROM loop;
RESET softdelete.visibility;
SELECT * FROM softdelete.purge_expired('loop');
SELECT * FROM softdelete.purge_expired('zoneless');
SET TimeZone = 'Pacific/Pago_Pago';
SELECT * FROM softdelete.purge_expired('domains');
SELECT * FROM softdelete.purge_expired('flat');
SELECT * FROM softdelete.purge_expired('a', older_than => '1000 years');
SELECT * FROM softdelete.purge_expired('a');
SELECT * FROM softdelete.purge_expired('b');
SET softdelete.visibility = 'all';
SELECT 'loop' AS "table", array_agg(id ORDER BY id) AS left FROM loop UNION ALL
SELECT 'zoneless', array_agg(id ORDER BY id) FROM zoneless UNION ALL
SELECT 'domains', array_agg(id ORDER BY id) FROM domains UNION ALL
SELECT 'flat', array_agg(id ORDER BY id) FROM flat UNION ALL
SELECT 'a', array_agg(id ORDER BY id) FROM a UNION ALL
SELECT 'b', array_agg(id ORDER BY id) FROM b;
RESET softdelete.visibility;
-- and the trash shows them, in any time zone
SET TimeZone = 'Pacific/Kiritimati';
SELECT count(*) > 0 AS shown FROM softdelete.trash() WHERE target IN ('zoneless'::regclass, 'flat', 'domains');
SET TimeZone = 'PST8PDT';
SELECT count(*) > 0 AS shown FROM softdelete.trash() WHERE target IN ('zoneless'::regclass, 'flat', 'domains');
