-- A purge erases what is expired whatever refers to what among it, in batches
-- of any size, and by the one rule deleted_at + retention <= now().
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA purge_order;
SET search_path = purge_order;
-- ends of months
CREATE TABLE calendar (id int PRIMARY KEY);
INSERT INTO calendar SELECT generate_series(1, 800);
SELECT softdelete.enable('calendar');
DELETE FROM calendar;
SET softdelete.visibility = deleted;
UPDATE calendar SET deleted_at = now() - id * interval '12 hours';
SELECT count(*) AS retentions, count(*) FILTER (WHERE p.kept > 0 OR p.purged <> p.expired OR p.purged <> wanted) AS wrong
  FROM generate_series(0, 12) months, generate_series(0, 31, 3) days,
	   LATERAL (SELECT months * interval '1 month' + days * interval '1 day' AS retention) r,
	   LATERAL (SELECT count(*) AS wanted FROM calendar WHERE deleted_at + retention <= now()) w,
	   LATERAL softdelete.purge_expired('calendar', older_than => retention, dry_run => true) p;
RESET softdelete.visibility;
-- a chain by a NO ACTION or RESTRICT key, parents first in the table, in
-- batches that are smaller than the chain
CREATE TABLE no_action (id int PRIMARY KEY, up int REFERENCES no_action);
CREATE TABLE restricted (id int PRIMARY KEY, up int REFERENCES restricted ON DELETE RESTRICT);
INSERT INTO no_action SELECT n, nullif(n - 1, 0) FROM generate_series(1, 50) n;
INSERT INTO restricted SELECT n, nullif(n - 1, 0) FROM generate_series(1, 50) n;
SELECT softdelete.enable('no_action'), softdelete.enable('restricted');
DELETE FROM no_action;
DELETE FROM restricted;
SELECT expired, purged, kept FROM softdelete.purge_expired('no_action', 7, older_than => '0');
SELECT expired, purged, kept FROM softdelete.purge_expired('restricted', 7, older_than => '0');
