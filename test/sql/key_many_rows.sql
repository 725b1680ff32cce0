-- A statement of many rows looks for the deleted rows that hold their keys with one
-- look kept open.  It is closed however the statement ends: done, failed in the
-- middle, caught, within another that inserts, too.
CREATE SCHEMA many_rows;
GRANT ALL ON SCHEMA many_rows TO sd_owner;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = many_rows;
CREATE TABLE "Key" (a int, b text, n int CHECK (n < 100), PRIMARY KEY (a, b));
CREATE TABLE single (id int PRIMARY KEY, n int);
CREATE TABLE part (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (50);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (50) TO (1000);
SELECT softdelete.enable('"Key"'), softdelete.enable('single'), softdelete.enable('part');
INSERT INTO "Key" SELECT n, 'k' || n, n FROM generate_series(1, 60) n;
INSERT INTO single SELECT n, n FROM generate_series(1, 60) n;
INSERT INTO part SELECT n, n FROM generate_series(1, 60) n;
-- every second key is free again, for a statement of many rows
DELETE FROM "Key" WHERE a % 2 = 0;
DELETE FROM single WHERE id % 2 = 0;
DELETE FROM part WHERE id % 2 = 0;
INSERT INTO "Key" SELECT n, 'k' || n, 0 FROM generate_series(2, 80, 2) n;
INSERT INTO single SELECT n, 0 FROM generate_series(1, 80) n ON CONFLICT DO NOTHING;
INSERT INTO part SELECT n, 0 FROM generate_series(1, 80) n ON CONFLICT (id) DO UPDATE SET n = -1;
SELECT count(*), count(*) FILTER (WHERE n = 0) FROM "Key";
SELECT count(*), count(*) FILTER (WHERE n = 0) FROM single;
SELECT count(*), count(*) FILTER (WHERE n = 0) AS new, count(*) FILTER (WHERE n = -1) AS met FROM part;
SELECT target, count(*) FROM softdelete.replaced WHERE target IN ('"Key"'::regclass, 'single', 'part') GROUP BY 1 ORDER BY 1;
-- one that fails in the middle, caught or not, replaces nothing
DELETE FROM "Key" WHERE a % 2 = 0;
INSERT INTO "Key" SELECT n, 'k' || n, n FROM generate_series(2, 120, 2) n;
DO $$
BEGIN
	FOR i IN 1 .. 3 LOOP
		BEGIN
			INSERT INTO "Key" SELECT n, 'k' || n, n FROM generate_series(2, 120, 2) n;
		EXCEPTION WHEN check_violation OR unique_violation THEN
			INSERT INTO "Key" VALUES (2 * i, 'k' || 2 * i, i), (200 + i, 'k', i);
		END;
	END LOOP;
END $$;
SELECT a, b, n FROM "Key" WHERE a % 2 = 0 OR a > 200 ORDER BY a;
SELECT count(*) FROM softdelete.replaced WHERE target = '"Key"'::regclass;
-- within another statement that inserts, too: from a trigger, and by COPY's side
CREATE FUNCTION also() RETURNS trigger LANGUAGE plpgsql SET search_path = many_rows AS $$
BEGIN
	INSERT INTO single SELECT new.a + 1000 + i, 1 FROM generate_series(0, 1) i ON CONFLICT DO NOTHING;
	DELETE FROM single WHERE id = new.a + 1000;
	RETURN new;
END $$;
CREATE TRIGGER also BEFORE INSERT ON "Key" FOR EACH ROW EXECUTE FUNCTION also();
DELETE FROM "Key";
INSERT INTO "Key" SELECT n, 'k' || n, 1 FROM generate_series(1, 20) n;
COPY "Key" (a, b, n) FROM stdin;
21	k21	2
22	k22	2
\.
SELECT count(*) FROM "Key";
SELECT count(*) FROM single WHERE id > 1000;
-- COPY, over partitions, and one that fails in the middle
DELETE FROM part WHERE id IN (1, 2, 55, 56);
COPY part (id, n) FROM stdin;
1	11
55	55
2	12
56	56
90	90
\.
SELECT id, n FROM part WHERE id IN (1, 2, 55, 56, 90) ORDER BY id;
DELETE FROM "Key" WHERE a IN (21, 22);
BEGIN;
SAVEPOINT before;
COPY "Key" (a, b, n) FROM stdin;
21	k21	3
22	k22	300
\.
ROLLBACK TO before;
COPY "Key" (a, b, n) FROM stdin;
21	k21	4
22	k22	4
\.
COMMIT;
SELECT a, n FROM "Key" WHERE a IN (21, 22) ORDER BY a;
-- and UPDATEs that take a freed key
DELETE FROM single WHERE id IN (1, 2, 3);
UPDATE single SET id = id - 30 WHERE id BETWEEN 31 AND 33;
SELECT id, n FROM single WHERE id BETWEEN 1 AND 3 ORDER BY id;
SET client_min_messages = warning;
RESET SESSION AUTHORIZATION;
DROP SCHEMA many_rows CASCADE;
