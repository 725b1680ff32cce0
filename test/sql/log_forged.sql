-- No role writes into the log rows of others' deletions, whatever number it puts
-- into deletion_id of its own rows; nor does the trash name others for them.
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA log_forged;
GRANT USAGE, CREATE ON SCHEMA log_forged TO sd_user;
SET search_path = log_forged;
CREATE TABLE t (id int PRIMARY KEY);
SELECT softdelete.enable('t');
GRANT SELECT ON t TO sd_user;
INSERT INTO t VALUES (1), (2), (3);
DELETE FROM t;
SELECT max(id) AS theirs FROM softdelete.deletions WHERE target = 't'::regclass \gset
SET SESSION AUTHORIZATION sd_user;
SET search_path = log_forged;
CREATE TABLE mine (id int PRIMARY KEY);
SELECT softdelete.enable('mine', retention => '0');
INSERT INTO mine VALUES (1, now(), :theirs), (2, now(), :theirs), (3, now() - interval '1 day', :theirs);
SELECT deleted_by FROM softdelete.trash('mine');
SELECT softdelete.restore('mine', 1);
SET softdelete.visibility = deleted;
UPDATE mine SET deleted_at = NULL WHERE id = 2;
RESET softdelete.visibility;
SELECT purged FROM softdelete.purge_expired('mine');
SET SESSION AUTHORIZATION sd_owner;
SELECT rows, restored, restored_by, purged, purged_by FROM softdelete.deletions WHERE id = :theirs;
SELECT softdelete.undo(:theirs);
