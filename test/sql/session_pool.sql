-- A SET of softdelete.hard_delete that outlasts the transaction is warned of: from
-- a connection pool the next client gets the session.
SET softdelete.hard_delete = on;
SET softdelete.hard_delete TO off;
SET softdelete.hard_delete = 'yes';
RESET softdelete.hard_delete;
SET SESSION "softdelete.hard_delete" = true;
SET softdelete.hard_delete TO DEFAULT;
-- a transaction's own is not
BEGIN;
SET LOCAL softdelete.hard_delete = on;
COMMIT;
SHOW softdelete.hard_delete;
BEGIN;
SET softdelete.hard_delete = on;
ROLLBACK;
SET softdelete.visibility = 'all';
SET softdelete.actor = 'kim';
RESET ALL;
