-- schedule() where pg_cron is not installed: what an ordinary role is told, which may not look at the server's settings
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
\set ON_ERROR_STOP 0
SELECT softdelete.schedule();
SELECT softdelete.unschedule();
SELECT softdelete.schedule(NULL);
