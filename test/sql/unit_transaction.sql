-- A deletion is what one transaction deleted under one role, actor and reason:
-- one id, one log row, whose counts are right within the transaction, too.  What
-- is rolled back takes its share away.  softdelete.deletion_scope = statement
-- makes every statement a deletion of its own.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA "Unit T";
SET search_path = "Unit T";
CREATE TABLE "Post" (id int PRIMARY KEY, title text);
CREATE TABLE comment (id int PRIMARY KEY, post_id int REFERENCES "Post" ON DELETE CASCADE);
CREATE TABLE label (id int PRIMARY KEY);
SELECT softdelete.enable('"Post"', cascade => true);
SELECT softdelete.enable('label');
INSERT INTO "Post" SELECT n, 'post ' || n FROM generate_series(1, 60) n;
INSERT INTO comment SELECT n, (n + 1) / 2 FROM generate_series(1, 120) n;
INSERT INTO label SELECT generate_series(1, 60);

-- added(): the log rows since it was called last, oldest first
CREATE TABLE seen (id bigint);
INSERT INTO seen SELECT coalesce(max(id), 0) FROM softdelete.deletions;
CREATE FUNCTION added() RETURNS TABLE (n bigint, target regclass, rows jsonb, actor text, reason text)
LANGUAGE plpgsql AS $$
DECLARE
	last	bigint := (SELECT seen.id FROM seen);
BEGIN
	RETURN QUERY SELECT row_number() OVER (ORDER BY d.id), d.target, d.rows, d.actor, d.reason
				   FROM softdelete.deletions d WHERE d.id > last ORDER BY d.id;
	UPDATE seen SET id = greatest(last, (SELECT max(d.id) FROM softdelete.deletions d));
END $$;
-- wrong(): deletion ids whose rows are not as many as the log says
CREATE FUNCTION wrong() RETURNS TABLE (target regclass, id bigint, logged bigint, marked bigint)
LANGUAGE sql SET softdelete.visibility = with_deleted AS $$
	WITH there (t, id, n) AS (
		SELECT '"Unit T"."Post"'::regclass, deletion_id, count(*) FROM "Unit T"."Post" WHERE deletion_id IS NOT NULL GROUP BY 2
		UNION ALL SELECT '"Unit T".comment', deletion_id, count(*) FROM "Unit T".comment WHERE deletion_id IS NOT NULL GROUP BY 2
		UNION ALL SELECT '"Unit T".label', deletion_id, count(*) FROM "Unit T".label WHERE deletion_id IS NOT NULL GROUP BY 2)
	SELECT t, d.id, (d.rows ->> t::text)::bigint, n
	  FROM there LEFT JOIN softdelete.deletions d USING (id)
	 WHERE n IS DISTINCT FROM (d.rows ->> t::text)::bigint AND coalesce(d.restored, 0) = 0
$$;

------------------------------------------------------------------------------
-- One id, one row
------------------------------------------------------------------------------
BEGIN;
DELETE FROM comment WHERE id = 1;
SELECT * FROM added();
DELETE FROM "Post" WHERE id = 1;
DELETE FROM label WHERE id <= 2;
DELETE FROM label WHERE id = 99;
-- right within the transaction, too
SELECT target, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT * FROM wrong();
COMMIT;
SELECT target, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT * FROM added();
-- autocommit: a deletion each
DELETE FROM label WHERE id = 3;
DELETE FROM label WHERE id = 4;
SELECT * FROM added();
-- several statements in one message are one transaction
DELETE FROM label WHERE id = 5\; DELETE FROM label WHERE id = 6;
SELECT * FROM added();
-- nothing deleted: no row
BEGIN;
DELETE FROM label WHERE id = 99;
DELETE FROM "Post" WHERE id = 99;
COMMIT;
SELECT * FROM added();
-- WITH, MERGE, an UPDATE that sets the mark, delete(): all the same deletion
BEGIN;
WITH c AS (DELETE FROM comment WHERE id = 3) DELETE FROM label WHERE id = 7;
MERGE INTO label l USING (VALUES (8)) v(id) ON l.id = v.id WHEN MATCHED THEN DELETE;
UPDATE label SET deleted_at = now() WHERE id = 9;
SELECT count(DISTINCT softdelete.delete('label', n)) FROM generate_series(10, 12) n;
COMMIT;
SELECT * FROM added();
-- a loop and nested functions
CREATE FUNCTION remove_label(which int) RETURNS void LANGUAGE sql AS 'DELETE FROM "Unit T".label WHERE id = which';
DO $$
BEGIN
	FOR i IN 13..15 LOOP
		DELETE FROM "Post" WHERE id = i;
		PERFORM remove_label(i);
	END LOOP;
END $$;
SELECT * FROM added();
-- what a user's trigger deletes; the target is the table whose row came first
CREATE FUNCTION remove_too() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN DELETE FROM label WHERE id = old.id; RETURN old; END $$;
CREATE TRIGGER too BEFORE DELETE ON "Post" FOR EACH ROW EXECUTE FUNCTION remove_too();
DELETE FROM "Post" WHERE id = 16;
SELECT * FROM added();
DROP TRIGGER too ON "Post";

------------------------------------------------------------------------------
-- Role, actor and reason
------------------------------------------------------------------------------
BEGIN;
SET LOCAL softdelete.actor = 'ann';
DELETE FROM label WHERE id = 17;
SET LOCAL softdelete.actor = 'bob';
DELETE FROM label WHERE id = 18;
SET LOCAL softdelete.reason = 'spam';
DELETE FROM label WHERE id = 19;
-- as before: it goes on with the deletion that it began
SET LOCAL softdelete.actor = 'ann';
SET LOCAL softdelete.reason = '';
DELETE FROM label WHERE id = 20;
COMMIT;
SELECT * FROM added();
-- a role of its own
CREATE FUNCTION remove_as_owner(which int) RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM "Unit T".label WHERE id = which';
GRANT USAGE ON SCHEMA "Unit T" TO sd_user;
GRANT SELECT, DELETE ON label TO sd_user;
SET SESSION AUTHORIZATION sd_user;
BEGIN;
DELETE FROM label WHERE id = 21;
SELECT remove_as_owner(22);
DELETE FROM label WHERE id = 23;
SELECT deleted_by, session_role, rows FROM softdelete.deletions WHERE target = 'label'::regclass ORDER BY id DESC LIMIT 2;
COMMIT;
SET SESSION AUTHORIZATION sd_owner;
SELECT target, rows FROM added();

------------------------------------------------------------------------------
-- What is rolled back
------------------------------------------------------------------------------
BEGIN;
DELETE FROM label WHERE id = 24;
SAVEPOINT a;
DELETE FROM label WHERE id = 25;
SAVEPOINT b;
DELETE FROM "Post" WHERE id = 25;
SELECT target, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
ROLLBACK TO b;
SELECT target, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
RELEASE a;
DELETE FROM label WHERE id = 26;
SAVEPOINT c;
DELETE FROM label WHERE id = 27;
ROLLBACK TO c;
SELECT target, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
COMMIT;
SELECT * FROM added();
SELECT id FROM label WHERE id BETWEEN 24 AND 27;
-- the savepoint in which it began
BEGIN;
SAVEPOINT a;
DELETE FROM label WHERE id = 27;
ROLLBACK TO a;
SELECT * FROM added();
DELETE FROM "Post" WHERE id = 27;
DELETE FROM label WHERE id = 27;
COMMIT;
SELECT * FROM added();
-- it began outside, its row was first written inside
BEGIN;
CREATE FUNCTION remove_and_fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM label WHERE id = old.id;
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
	RETURN old;
END $$;
CREATE TRIGGER too BEFORE DELETE ON "Post" FOR EACH ROW EXECUTE FUNCTION remove_and_fail();
DELETE FROM "Post" WHERE id IN (28, 29);
DROP TRIGGER too ON "Post";
DELETE FROM label WHERE id = 29;
COMMIT;
SELECT * FROM added();
-- exceptions in a loop, some caught
DO $$
BEGIN
	FOR i IN 31..36 LOOP
		BEGIN
			DELETE FROM label WHERE id = i;
			DELETE FROM comment WHERE id = i;
			PERFORM 1 / (i % 2);
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT * FROM added();
SELECT id FROM label WHERE id BETWEEN 31 AND 36 ORDER BY id;
-- a statement that fails takes nothing with it but itself
BEGIN;
DELETE FROM label WHERE id = 37;
SAVEPOINT a;
DELETE FROM label WHERE 1 / (id - 38) > 0;
ROLLBACK TO a;
DELETE FROM label WHERE id = 38;
COMMIT;
SELECT * FROM added();
-- all of it
BEGIN;
DELETE FROM label WHERE id = 39;
DELETE FROM label WHERE id = 40;
ROLLBACK;
SELECT * FROM added();

------------------------------------------------------------------------------
-- Restored and deleted again in the same transaction: exact
------------------------------------------------------------------------------
BEGIN;
DELETE FROM "Post" WHERE id = 41;
SELECT softdelete.restore('"Post"', 41);
DELETE FROM comment WHERE id = 81;
DELETE FROM "Post" WHERE id = 41;
SELECT rows, restored FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
COMMIT;
SELECT softdelete.hold(max(id), 'three rows are left') FROM softdelete.deletions WHERE target = '"Post"'::regclass;
SELECT softdelete.release(max(id)) FROM softdelete.deletions WHERE target = '"Post"'::regclass;
SELECT softdelete.restore('"Post"', 41);
SELECT rows, restored, total - restored AS left FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT count(*) FROM comment WHERE post_id = 41;
-- held while it goes on
BEGIN;
DELETE FROM label WHERE id = 42;
SELECT softdelete.hold(max(id), 'why') FROM softdelete.deletions;
DELETE FROM label WHERE id = 43;
SELECT rows, held, held_why FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
SELECT softdelete.release(max(id)) FROM softdelete.deletions;
COMMIT;
-- and undone while it goes on
BEGIN;
DELETE FROM label WHERE id = 44;
DELETE FROM "Post" WHERE id = 44;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;
DELETE FROM "Post" WHERE id = 45;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions;
SELECT rows, restored FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
COMMIT;

------------------------------------------------------------------------------
-- Transactions that end in another way
------------------------------------------------------------------------------
SELECT count(*) >= 0 FROM added();
CREATE PROCEDURE remove_and_commit() LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM label WHERE id = 46;
	DELETE FROM "Post" WHERE id = 46;
	COMMIT;
	DELETE FROM label WHERE id = 47;
	ROLLBACK;
	DELETE FROM label WHERE id = 48;
	DELETE FROM "Post" WHERE id = 48;
END $$;
CALL remove_and_commit();
SELECT * FROM added();
SELECT current_setting('max_prepared_transactions')::int > 0 AS two_phase \gset
\if :two_phase
BEGIN;
DELETE FROM label WHERE id = 49;
DELETE FROM "Post" WHERE id = 49;
PREPARE TRANSACTION 'softdelete unit';
DELETE FROM label WHERE id = 50;
COMMIT PREPARED 'softdelete unit';
\else
DELETE FROM label WHERE id IN (49);
DELETE FROM "Post" WHERE id IN (49);
DELETE FROM label WHERE id = 50;
\endif
SELECT target, rows FROM added() ORDER BY target::text;
-- REPEATABLE READ and SERIALIZABLE, where the row is written twice, too
BEGIN ISOLATION LEVEL REPEATABLE READ;
DELETE FROM label WHERE id = 51;
DELETE FROM "Post" WHERE id = 51;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
DELETE FROM label WHERE id = 52;
DELETE FROM "Post" WHERE id = 52;
COMMIT;
SELECT * FROM added();
-- a row for every role that writes, and a log with indexes and triggers of its owner's
RESET SESSION AUTHORIZATION;
BEGIN;
CREATE INDEX ON softdelete.deletion_log (upper(actor));
SET LOCAL SESSION AUTHORIZATION sd_owner;
DELETE FROM label WHERE id = 53;
DELETE FROM "Post" WHERE id = 53;
SAVEPOINT a;
DELETE FROM "Post" WHERE id = 54;
ROLLBACK TO a;
SELECT target, rows FROM softdelete.deletions ORDER BY id DESC LIMIT 1;
ROLLBACK;
SET SESSION AUTHORIZATION sd_owner;

------------------------------------------------------------------------------
-- A deletion for each statement
------------------------------------------------------------------------------
SELECT count(*) >= 0 FROM added();
SET softdelete.deletion_scope = statement;
BEGIN;
DELETE FROM label WHERE id = 53;
DELETE FROM label WHERE id = 54;
-- in between; the deletion of the transaction goes on afterwards
SET LOCAL softdelete.deletion_scope = transaction;
DELETE FROM label WHERE id = 55;
SET LOCAL softdelete.deletion_scope = statement;
DELETE FROM label WHERE id = 56;
SET LOCAL softdelete.deletion_scope = transaction;
DELETE FROM label WHERE id = 57;
COMMIT;
SELECT * FROM added();
RESET softdelete.deletion_scope;
SET softdelete.deletion_scope = session;
SELECT * FROM wrong();
DROP SCHEMA "Unit T" CASCADE;
