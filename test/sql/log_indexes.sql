-- The owner of the log may put on it what suits the reports: indexes with
-- expressions or conditions, constraints, triggers, row security.  A DELETE then
-- writes its log row as any INSERT would.
\set VERBOSITY terse
SELECT current_user AS superuser \gset
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA log_indexes;
SET search_path = log_indexes;
CREATE TABLE "Item" (id int PRIMARY KEY, up int REFERENCES "Item" ON DELETE CASCADE);
INSERT INTO "Item" SELECT n, CASE WHEN n % 10 <> 1 THEN n - 1 END FROM generate_series(1, 60) n;
SELECT softdelete.enable('"Item"');
SET softdelete.actor = 'Kim';
RESET SESSION AUTHORIZATION;

-- an index with an expression
BEGIN;
CREATE INDEX by_actor ON softdelete.deletion_log (upper(actor));
SET LOCAL SESSION AUTHORIZATION sd_owner;
DELETE FROM "Item" WHERE id = 2;
SET LOCAL SESSION AUTHORIZATION :superuser;
SET LOCAL enable_seqscan = off;
SELECT rows FROM softdelete.deletions WHERE upper(actor) = 'KIM' AND target = '"Item"'::regclass;
ROLLBACK;

-- a partial index: only the rows that satisfy its condition go in
BEGIN;
CREATE INDEX given_reason ON softdelete.deletion_log (id) WHERE reason = 'spam';
SET LOCAL SESSION AUTHORIZATION sd_owner;
DELETE FROM "Item" WHERE id = 12;
SET LOCAL softdelete.reason = 'spam';
DELETE FROM "Item" WHERE id = 22;
SET LOCAL SESSION AUTHORIZATION :superuser;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT reason FROM softdelete.deletion_log WHERE reason = 'spam' ORDER BY id;
SELECT reason, marked FROM softdelete.deletion_log WHERE reason = 'spam' ORDER BY id;
ROLLBACK;

-- an exclusion constraint, a unique key that is checked at the commit, a check
BEGIN;
ALTER TABLE softdelete.deletion_log ADD CONSTRAINT one_id EXCLUDE (id WITH =);
ALTER TABLE softdelete.deletion_log ADD CONSTRAINT one_target UNIQUE (id, target) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE softdelete.deletion_log ADD CONSTRAINT not_all CHECK (marked[1] < 9) NOT VALID;
SET LOCAL SESSION AUTHORIZATION sd_owner;
SAVEPOINT s;
DELETE FROM "Item" WHERE id = 32;
ROLLBACK TO s;
DELETE FROM "Item" WHERE id = 33;
SELECT count(*) FROM "Item";
ROLLBACK;

-- triggers
BEGIN;
CREATE TABLE log_indexes.seen (id bigint, marked bigint[], role name);
CREATE FUNCTION log_indexes.note() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO log_indexes.seen VALUES (new.id, new.marked, current_user); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT ON softdelete.deletion_log FOR EACH ROW EXECUTE FUNCTION log_indexes.note();
SET LOCAL SESSION AUTHORIZATION sd_owner;
DELETE FROM "Item" WHERE id IN (2, 12);
DO $$ BEGIN DELETE FROM "Item" WHERE id = 52; END $$;
SELECT softdelete.restore('"Item"', 52);
SET LOCAL SESSION AUTHORIZATION :superuser;
SELECT l.id = s.id AS same_id, s.marked, s.role = :'superuser' AS as_owner, l.restored
  FROM log_indexes.seen s LEFT JOIN softdelete.deletion_log l USING (id) ORDER BY s.id;
ROLLBACK;

-- row security holds nobody's DELETE up
BEGIN;
ALTER TABLE softdelete.deletion_log ENABLE ROW LEVEL SECURITY;
SET LOCAL SESSION AUTHORIZATION sd_owner;
SELECT softdelete.delete('"Item"', 41) > 0 AS deleted;
ROLLBACK;
