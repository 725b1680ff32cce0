-- What the log counts is what was marked, restored and erased, whatever statement
-- did so: a rule's, a WITH query's, an INSERT, UPDATE, MERGE or upsert that a
-- DELETE stands beside.  And undo() brings all of it back.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA log_counts;
SET search_path = log_counts;
CREATE TABLE unmanaged (id int PRIMARY KEY, v text);
CREATE TABLE "Parent" (id int PRIMARY KEY, v text);
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES "Parent" ON DELETE CASCADE);
CREATE TABLE other (id int PRIMARY KEY, v text);
SELECT softdelete.enable('"Parent"', cascade => true, triggers => 'update');
SELECT softdelete.enable('other');
CREATE VIEW last_deletion AS SELECT target, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
CREATE FUNCTION last_id() RETURNS bigint LANGUAGE sql AS 'SELECT max(id) FROM softdelete.deletions';
-- everything as it was, with three parents, six children and three others
CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM softdelete.undo(id) FROM softdelete.deletions d
	  WHERE restored_at IS NULL AND target::text ~ 'log_counts|^(child|other|"Parent")$';
	TRUNCATE unmanaged;
	INSERT INTO unmanaged SELECT n, 'v' FROM generate_series(1, 3) n;
	INSERT INTO "Parent" SELECT n, 'v' FROM generate_series(1, 3) n ON CONFLICT DO NOTHING;
	INSERT INTO child SELECT n, (n + 1) / 2 FROM generate_series(1, 6) n ON CONFLICT DO NOTHING;
	INSERT INTO other SELECT n, 'v' FROM generate_series(1, 3) n ON CONFLICT DO NOTHING;
END $$;
-- what is live, then what undo() brings back, then what is live
CREATE FUNCTION live() RETURNS text LANGUAGE sql AS $$
	SELECT format('%s parents, %s children, %s others', (SELECT count(*) FROM "Parent"),
				  (SELECT count(*) FROM child), (SELECT count(*) FROM other)) $$;
CALL fill();
SELECT live();

-- rules: ALSO, on a table that is not managed
CREATE RULE also AS ON DELETE TO unmanaged DO ALSO DELETE FROM "Parent" WHERE id = old.id;
DELETE FROM unmanaged WHERE id < 3;
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
-- without rows to follow
DELETE FROM child;
CALL fill();
CREATE OR REPLACE RULE also AS ON DELETE TO unmanaged DO ALSO DELETE FROM other WHERE id = old.id;
DELETE FROM unmanaged WHERE id < 3;
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
DROP RULE also ON unmanaged;
-- INSTEAD, of a view's UPDATE
CREATE VIEW v AS SELECT * FROM "Parent";
CREATE RULE instead AS ON UPDATE TO v DO INSTEAD DELETE FROM "Parent" WHERE id = old.id;
CALL fill();
UPDATE v SET v = 'w' WHERE id = 2;
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
-- ALSO, on a managed table
CREATE RULE also AS ON DELETE TO other DO ALSO DELETE FROM "Parent" WHERE id = old.id;
SELECT last_id() AS before \gset
DELETE FROM other WHERE id = 1;
SELECT r.key, sum(r.value::int) FROM softdelete.deletions, jsonb_each_text(rows) r WHERE id > :before GROUP BY r.key ORDER BY r.key COLLATE "C";
SELECT live();
SELECT sum(softdelete.undo(id)) FROM softdelete.deletions WHERE id > :before;
SELECT live();
DROP RULE also ON other;

-- WITH queries: beside a DELETE that hits nothing, of the same and of another table
CALL fill();
WITH d AS (DELETE FROM other WHERE id > 1) DELETE FROM "Parent" WHERE id = 0;
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
WITH d AS (DELETE FROM "Parent" WHERE id > 1 RETURNING id) DELETE FROM "Parent" p USING d WHERE p.id = -d.id;
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
-- beside one that hits: the table that the statement names
WITH d AS (DELETE FROM other RETURNING id) DELETE FROM "Parent" p USING d WHERE p.id = d.id;
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
-- three at once, and none of them the top
WITH a AS (DELETE FROM other WHERE id = 1), b AS (DELETE FROM "Parent" WHERE id = 1),
	c AS (DELETE FROM child WHERE id = 6) SELECT;
SELECT rows FROM last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
-- beside an INSERT, an upsert, an UPDATE and a MERGE of a managed table
WITH d AS (DELETE FROM "Parent" WHERE id = 1 RETURNING id) INSERT INTO other SELECT id + 10 FROM d;
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
WITH d AS (DELETE FROM "Parent" WHERE id = 1 RETURNING id)
	INSERT INTO other SELECT id, 'w' FROM d ON CONFLICT (id) DO UPDATE SET v = 'w';
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
WITH d AS (DELETE FROM "Parent" WHERE id = 1 RETURNING id) UPDATE other o SET v = 'x' FROM d WHERE o.id = d.id;
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
DELETE FROM other WHERE id > 10;
-- an UPDATE that marks some of what it writes, beside a DELETE
WITH d AS (DELETE FROM "Parent" WHERE id = 1)
	UPDATE other SET v = 'y', deleted_at = CASE WHEN id > 1 THEN now() END;
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
-- MERGE that deletes some and updates some
MERGE INTO "Parent" p USING unmanaged u ON p.id = u.id
	WHEN MATCHED AND u.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET v = 'm';
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();

-- rows that a join brings twice, or that a trigger keeps as they are
DELETE FROM "Parent" p USING child c WHERE c.parent = p.id;
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF new.id = 2 THEN RETURN NULL; END IF;
	RETURN new;
END $$;
CREATE TRIGGER keep BEFORE UPDATE ON "Parent" FOR EACH ROW EXECUTE FUNCTION keep();
DELETE FROM "Parent";
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
WITH d AS (DELETE FROM "Parent") SELECT;
TABLE last_deletion;
SELECT live(), softdelete.undo(last_id()), live();
-- ... deleted, which keeps the whole undo from being half done
DROP TRIGGER keep ON "Parent";
DELETE FROM "Parent";
CREATE FUNCTION keep_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF new.id = 2 AND new.deleted_at IS NULL THEN RETURN NULL; END IF;
	RETURN new;
END $$;
CREATE TRIGGER keep BEFORE UPDATE ON "Parent" FOR EACH ROW EXECUTE FUNCTION keep_deleted();
SELECT softdelete.undo(last_id());
SELECT live(), rows, restored FROM softdelete.deletions WHERE id = last_id();
DROP TRIGGER keep ON "Parent";
SELECT softdelete.undo(last_id());
SELECT live(), restored FROM softdelete.deletions WHERE id = last_id();

-- a partitioned table, and a row that is not in the partition named
CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (1) TO (10);
CREATE TABLE part2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
SELECT softdelete.enable('parts');
INSERT INTO parts SELECT n FROM generate_series(1, 19) n;
WITH d AS (DELETE FROM parts WHERE id % 2 = 0) DELETE FROM other WHERE id = 0;
TABLE last_deletion;
SELECT softdelete.undo(last_id());
CREATE RULE also AS ON DELETE TO unmanaged DO ALSO DELETE FROM parts WHERE id > old.id;
DELETE FROM unmanaged WHERE id = 2;
TABLE last_deletion;
SELECT softdelete.undo(last_id());
SELECT count(*) FROM parts;

-- erased: each with its deletion
DELETE FROM parts WHERE id IN (1, 2, 11);
DELETE FROM parts WHERE id IN (3, 12);
SELECT softdelete.undo(last_id());
SELECT purged FROM softdelete.purge_expired('parts', older_than => '0');
SELECT rows, restored, purged FROM softdelete.deletions ORDER BY id DESC LIMIT 2;
