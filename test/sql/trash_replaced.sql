-- trash() and history() know the deleted rows that made room for new ones with
-- their keys, from the first one on, in plans that are kept, too.
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA trash_replaced;
SET search_path = trash_replaced;
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE TABLE "Codes" (code text PRIMARY KEY, n int);
SELECT softdelete.enable('"Codes"');
INSERT INTO "Codes" VALUES ('a', 1), ('b', 2);
PREPARE trash AS SELECT key, row_data ->> 'n' AS n, actor, days_left FROM softdelete.trash('"Codes"') ORDER BY deleted_at, n;
PREPARE by_key (jsonb) AS SELECT row_data ->> 'n' AS n, actor FROM softdelete.trash('"Codes"') WHERE key = $1 ORDER BY n;
SET plan_cache_mode = force_generic_plan;
EXECUTE trash;
SET softdelete.actor = 'ann';
DELETE FROM "Codes" WHERE code = 'a';
EXECUTE trash;
INSERT INTO "Codes" VALUES ('a', 3);
EXECUTE trash;
EXECUTE by_key('{"code": "a"}');
SET softdelete.actor = 'bob';
DELETE FROM "Codes";
EXECUTE trash;
EXECUTE by_key('{"code": "a"}');
SELECT count(*) FROM softdelete.trash() WHERE target = '"Codes"'::regclass;
-- a page still comes by the index
INSERT INTO "Codes" SELECT n, n FROM generate_series(1, 3000) n;
DELETE FROM "Codes" WHERE n > 3;
VACUUM ANALYZE "Codes";
DO $$
DECLARE
	line	text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) SELECT * FROM softdelete.trash(''"Codes"'') ORDER BY deleted_at DESC LIMIT 20' LOOP
		IF line ~ 'Codes|Append' THEN
			RAISE NOTICE '%', regexp_replace(line, '^[ >-]*', '');
		END IF;
	END LOOP;
END $$;
-- the row that was first, and the one that took its key
SELECT what, actor FROM softdelete.history('"Codes"', 'a');
-- others see them by the table's rights
GRANT USAGE ON SCHEMA trash_replaced TO sd_user;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sd_user;
SELECT count(*) FROM softdelete.trash('trash_replaced."Codes"');
