-- Users' DELETE triggers fire when rows are soft-deleted, as they would if the
-- rows went: every kind, compared with a native twin (include/twins.psql says
-- how): "=" where the managed twin's triggers saw the same.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
GRANT CREATE ON SCHEMA public TO sd_owner;
SET SESSION AUTHORIZATION sd_owner;
\getenv src PG_ABS_SRCDIR
\set ECHO none
\set twins :src '/sql/include/twins.psql'
\i :twins
\set ECHO all
CALL public.both($$CREATE TABLE "Posts" (id int PRIMARY KEY, author int, "Title" text, words int GENERATED ALWAYS AS (length("Title")) STORED)$$);
SELECT softdelete.enable('"Managed twin"."Posts"');
CALL public.both($$INSERT INTO "Posts" SELECT n, n % 3, 'post ' || n FROM generate_series(1, 40) n$$);

\echo # BEFORE and AFTER, row and statement, in the order of their names; UPDATE triggers do not fire
CALL public.both($$
	CREATE TRIGGER b_before BEFORE DELETE OR UPDATE ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER a_before BEFORE DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note('arg', 'Other "arg"');
	CREATE TRIGGER "Z before" BEFORE DELETE ON "Posts" EXECUTE FUNCTION public.note();
	CREATE TRIGGER y_before BEFORE INSERT OR UPDATE OR DELETE ON "Posts" EXECUTE FUNCTION public.note();
	CREATE TRIGGER b_after AFTER DELETE OR UPDATE ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER a_after AFTER DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER a_statement AFTER DELETE ON "Posts" EXECUTE FUNCTION public.note();
	CREATE TRIGGER only_update AFTER UPDATE ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER only_update_before BEFORE UPDATE OF author ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER only_insert AFTER INSERT ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note()$$);
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id IN (1, 2)');
\echo # no row: the statement triggers fire
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id = 1');
\echo # an UPDATE is none of this
SELECT * FROM public.run('UPDATE "Posts" SET author = 7 WHERE id = 3');
\echo # USING, RETURNING, sub-select, WITH
SELECT * FROM public.run('DELETE FROM "Posts" p USING (VALUES (3), (3)) v(id) WHERE p.id = v.id RETURNING p.*');
SELECT * FROM public.run('WITH gone AS (DELETE FROM "Posts" WHERE id = 4 RETURNING id), more AS (DELETE FROM "Posts" WHERE id = 5) SELECT FROM gone');
SELECT * FROM public.run('WITH gone AS (DELETE FROM "Posts" WHERE id = 6 RETURNING id) UPDATE "Posts" SET author = 8 WHERE id IN (SELECT id + 1 FROM gone)');
\echo # a prepared statement and a cursor
SELECT * FROM public.run('PREPARE d(int) AS DELETE FROM "Posts" WHERE id = $1;EXECUTE d(8);EXECUTE d(9);DEALLOCATE d');
CALL public.both($$CREATE FUNCTION by_cursor() RETURNS void LANGUAGE plpgsql AS
	'DECLARE c CURSOR FOR SELECT * FROM "Posts" WHERE id = 10 FOR UPDATE; BEGIN OPEN c; MOVE c; DELETE FROM "Posts" WHERE CURRENT OF c; CLOSE c; END'$$);
SELECT * FROM public.run('SELECT by_cursor()');
\echo # MERGE: of its actions, the DELETE fires those for DELETE, the UPDATE those for UPDATE
SELECT * FROM public.run($$MERGE INTO "Posts" p USING (VALUES (11), (12), (51)) v(id) ON p.id = v.id
	WHEN MATCHED AND p.id = 11 THEN DELETE WHEN MATCHED THEN UPDATE SET author = 9 WHEN NOT MATCHED THEN INSERT (id) VALUES (v.id)$$);
SELECT * FROM public.run('MERGE INTO "Posts" p USING (VALUES (13), (14)) v(id) ON p.id = v.id WHEN MATCHED AND p.id = 13 THEN DELETE WHEN MATCHED THEN DO NOTHING');
SELECT * FROM public.run('MERGE INTO "Posts" p USING (VALUES (1000)) v(id) ON p.id = v.id WHEN MATCHED THEN DELETE');

\echo # disabled, and by replication role
CALL public.both($$ALTER TABLE "Posts" DISABLE TRIGGER b_before, DISABLE TRIGGER "Z before", ENABLE REPLICA TRIGGER a_before, ENABLE ALWAYS TRIGGER a_after$$);
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id = 15');
RESET SESSION AUTHORIZATION;
SET session_replication_role = replica;
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id = 16');
RESET session_replication_role;
SET SESSION AUTHORIZATION sd_owner;
CALL public.both($$DO 'DECLARE name text; BEGIN
	FOR name IN SELECT tgname FROM pg_trigger WHERE tgrelid = ''"Posts"''::regclass AND NOT tgisinternal AND tgname NOT LIKE ''~%'' LOOP
		EXECUTE format(''DROP TRIGGER %I ON "Posts"'', name);
	END LOOP; END'$$);

\echo # WHEN, and transition tables beside row triggers
CALL public.both($$
	CREATE TRIGGER a_when BEFORE DELETE ON "Posts" FOR EACH ROW WHEN (old.author = 2) EXECUTE FUNCTION public.note();
	CREATE TRIGGER b_when AFTER DELETE ON "Posts" FOR EACH ROW WHEN (old."Title" LIKE '%8' AND old.tableoid = '"Posts"'::regclass AND old.ctid IS NOT NULL) EXECUTE FUNCTION public.note();
	CREATE TRIGGER c_when AFTER DELETE ON "Posts" WHEN (current_user <> session_user) EXECUTE FUNCTION public.note();
	CREATE TRIGGER d_gone AFTER DELETE ON "Posts" REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.note_gone();
	CREATE TRIGGER e_gone AFTER DELETE ON "Posts" REFERENCING OLD TABLE AS gone FOR EACH ROW EXECUTE FUNCTION public.note_gone();
	CREATE TRIGGER f_gone AFTER UPDATE ON "Posts" REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.note_gone()$$);
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id IN (17, 18)');
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id = 18');
SELECT * FROM public.run('WITH a AS (DELETE FROM "Posts" WHERE id = 19), b AS (UPDATE "Posts" SET author = 6 WHERE id = 20) DELETE FROM "Posts" WHERE id = 21');
SELECT * FROM public.run('MERGE INTO "Posts" p USING (VALUES (22), (23)) v(id) ON p.id = v.id WHEN MATCHED AND p.id = 22 THEN DELETE WHEN MATCHED THEN UPDATE SET author = 9');
INSERT INTO "native twin"."Posts" SELECT generate_series(70, 72);
INSERT INTO "Managed twin"."Posts" SELECT generate_series(70, 72);
SELECT * FROM public.run('MERGE INTO "Posts" p USING (VALUES (70), (71), (72)) v(id) ON p.id = v.id WHEN MATCHED AND p.id <> 71 THEN DELETE WHEN MATCHED THEN UPDATE SET author = 9');
CALL public.both($$DROP TRIGGER a_when ON "Posts"; DROP TRIGGER b_when ON "Posts"; DROP TRIGGER c_when ON "Posts"; DROP TRIGGER d_gone ON "Posts"; DROP TRIGGER e_gone ON "Posts"; DROP TRIGGER f_gone ON "Posts"$$);

\echo # NULL from a BEFORE trigger keeps the row; the following ones do not see it
CALL public.both($$
	CREATE TRIGGER a_keep BEFORE DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note('keep odd');
	CREATE TRIGGER b_keep BEFORE DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER c_after AFTER DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note()$$);
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id IN (23, 24)');
SELECT * FROM public.run('MERGE INTO "Posts" p USING (VALUES (23), (26)) v(id) ON p.id = v.id WHEN MATCHED THEN DELETE');
CALL public.both('DROP TRIGGER a_keep ON "Posts"; DROP TRIGGER b_keep ON "Posts"; DROP TRIGGER c_after ON "Posts"');

\echo # a trigger that deletes other rows, one that deletes the same row, one that changes it
CALL public.both($$
	CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN DELETE FROM "Posts" WHERE id = old.id + 1 AND id < 30; RETURN old; END';
	CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM "Posts" WHERE id = old.id; RETURN old; END';
	CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE "Posts" SET author = 0 WHERE id = old.id; RETURN old; END';
	CREATE TRIGGER note AFTER DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER more BEFORE DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION more()$$);
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id = 27');
CALL public.both('DROP TRIGGER more ON "Posts"; CREATE TRIGGER more AFTER DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION more()');
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id = 25');
CALL public.both('DROP TRIGGER more ON "Posts"; CREATE TRIGGER same BEFORE DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION same()');
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id = 30');
CALL public.both('DROP TRIGGER same ON "Posts"; CREATE TRIGGER change BEFORE DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION change()');
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id = 30');
CALL public.both('DROP TRIGGER change ON "Posts"');

\echo # a function with settings and rights of its own, row after row
CALL public.both($$
	CREATE FUNCTION definer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
		'BEGIN EXECUTE format(''INSERT INTO %I.trace (what) VALUES (%L)'', tg_table_schema, current_setting(''search_path'') || old.id); RETURN old; END';
	CREATE TRIGGER a_definer BEFORE DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION definer();
	CREATE TRIGGER b_definer AFTER DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION definer();
	INSERT INTO "Posts" SELECT generate_series(60, 64)$$);
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id BETWEEN 60 AND 64');
CALL public.both('DROP TRIGGER a_definer ON "Posts"; DROP TRIGGER b_definer ON "Posts"');

\echo # errors inside, caught and not
CALL public.both($$
	CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not %'', old.id; END';
	CREATE FUNCTION caught() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN BEGIN DELETE FROM "Posts" WHERE id = old.id + 1; PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN INSERT INTO trace (what) VALUES (''caught''); END; RETURN old; END';
	CREATE TRIGGER fail AFTER DELETE ON "Posts" FOR EACH ROW WHEN (old.id = 31) EXECUTE FUNCTION fail();
	CREATE TRIGGER caught BEFORE DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION caught()$$);
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id = 31');
SELECT * FROM public.run('DELETE FROM "Posts" WHERE id = 32');
CALL public.both('DROP TRIGGER fail ON "Posts"; DROP TRIGGER caught ON "Posts"');

\echo # constraint triggers, at once and deferred
CALL public.both($$
	CREATE CONSTRAINT TRIGGER now AFTER DELETE ON "Posts" DEFERRABLE FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE CONSTRAINT TRIGGER later AFTER DELETE ON "Posts" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.note()$$);
SELECT * FROM public.run('SET CONSTRAINTS later DEFERRED;DELETE FROM "Posts" WHERE id = 33;SET CONSTRAINTS ALL IMMEDIATE');
SELECT * FROM public.run('SET CONSTRAINTS ALL DEFERRED;DELETE FROM "Posts" WHERE id = 34;DELETE FROM "Posts" WHERE id = 35;SET CONSTRAINTS ALL IMMEDIATE');
BEGIN;
SET LOCAL search_path = "native twin";
DELETE FROM "Posts" WHERE id = 36;
SET LOCAL search_path = "Managed twin";
DELETE FROM "Posts" WHERE id = 36;
SELECT count(*) AS at_once FROM "native twin".trace UNION ALL SELECT count(*) FROM "Managed twin".trace;
COMMIT;
SELECT count(*) AS at_commit FROM (SELECT what FROM "native twin".trace INTERSECT SELECT what FROM "Managed twin".trace) s;
CALL public.both('DROP TRIGGER now ON "Posts"; DROP TRIGGER later ON "Posts"');

\echo # EXPLAIN ANALYZE counts them
CALL public.both($$
	CREATE FUNCTION calls(sql text) RETURNS SETOF text LANGUAGE plpgsql AS
		'DECLARE line text; BEGIN FOR line IN EXECUTE ''EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) '' || sql LOOP IF line LIKE ''Trigger%'' THEN INSERT INTO trace (what) VALUES (line); END IF; END LOOP; END';
	CREATE TRIGGER a BEFORE DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER b AFTER DELETE ON "Posts" FOR EACH ROW EXECUTE FUNCTION public.note();
	CREATE TRIGGER c AFTER UPDATE OR DELETE ON "Posts" EXECUTE FUNCTION public.note()$$);
SELECT * FROM public.run($$SELECT calls('DELETE FROM "Posts" WHERE id IN (37, 38)')$$);
CALL public.both('DROP TRIGGER a ON "Posts"; DROP TRIGGER b ON "Posts"; DROP TRIGGER c ON "Posts"');

SET SESSION AUTHORIZATION DEFAULT;
SET client_min_messages = error;
DROP SCHEMA "native twin", "Managed twin" CASCADE;
DROP FUNCTION public.run, public.run_one, public.note, public.note_gone;
DROP PROCEDURE public.both;
REVOKE CREATE ON SCHEMA public FROM sd_owner;
