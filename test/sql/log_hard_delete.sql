-- DELETE under softdelete.hard_delete erases deleted rows as a purge does: the log
-- says so, and a row on hold is kept by it.
\set VERBOSITY terse
SELECT current_user AS superuser \gset
GRANT SET ON PARAMETER softdelete.hard_delete TO sd_user;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA log_hard_delete;
GRANT USAGE ON SCHEMA log_hard_delete TO sd_user;
SET search_path = log_hard_delete;
CREATE TABLE "Case" (id int PRIMARY KEY);
CREATE TABLE paper (id int PRIMARY KEY, case_id int REFERENCES "Case" ON DELETE CASCADE);
SELECT softdelete.enable('"Case"', cascade => true);
GRANT SELECT, DELETE ON "Case", paper TO sd_user;
INSERT INTO "Case" VALUES (1), (2), (3);
INSERT INTO paper VALUES (11, 1), (12, 1), (21, 2);
DELETE FROM "Case" WHERE id = 1;
DELETE FROM "Case" WHERE id = 2;
SELECT id AS one FROM softdelete.deletions WHERE target = '"Case"'::regclass ORDER BY id LIMIT 1 \gset
SELECT id AS two FROM softdelete.deletions WHERE target = '"Case"'::regclass ORDER BY id DESC LIMIT 1 \gset
SELECT softdelete.hold(:two, 'court');
SET SESSION AUTHORIZATION sd_user;
SET search_path = log_hard_delete;
SET softdelete.visibility = 'all';
SET softdelete.hard_delete = on;
DELETE FROM paper WHERE id = 11;
DELETE FROM "Case" WHERE id = 1;
-- in a WITH query, and a live one
WITH gone AS (DELETE FROM "Case" WHERE id = 3 RETURNING id) SELECT id FROM gone;
SELECT rows, purged, purged_by FROM softdelete.deletions WHERE id = :one;
-- on hold
DO $$
DECLARE
	message	text;
	hint	text;
BEGIN
	DELETE FROM log_hard_delete.paper WHERE id = 21;
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RAISE NOTICE '%; %', regexp_replace(message, '\d+', 'N'), regexp_replace(hint, '\d+', 'N');
END $$;
SELECT id, deleted_at IS NOT NULL AS deleted FROM paper;
SELECT held_at IS NOT NULL AS held, purged FROM softdelete.deletions WHERE id = :two;
SET SESSION AUTHORIZATION sd_owner;
SELECT softdelete.release(:two);
SET SESSION AUTHORIZATION sd_user;
SET softdelete.hard_delete = on;
SET softdelete.visibility = 'all';
DELETE FROM "Case";
SELECT rows, purged, held_at IS NOT NULL AS held FROM softdelete.deletions WHERE id = :two;
SET SESSION AUTHORIZATION :superuser;
REVOKE SET ON PARAMETER softdelete.hard_delete FROM sd_user;
