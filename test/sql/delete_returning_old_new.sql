-- PostgreSQL 18: OLD and NEW in RETURNING, and virtual generated columns, are a
-- DELETE's: there is no NEW row.
SELECT current_setting('server_version_num')::int < 180000 AS before_18 \gset
\if :before_18
\quit
\endif
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA delete_returning_old_new;
SET search_path = delete_returning_old_new;
CREATE TABLE item (id int PRIMARY KEY, status text DEFAULT 'new', loud text GENERATED ALWAYS AS (upper(status)) VIRTUAL);
CREATE TABLE native (LIKE item INCLUDING ALL);
SELECT softdelete.enable('item', 'status');
INSERT INTO item (id) VALUES (1), (2), (3);
INSERT INTO native (id) VALUES (1), (2), (3);
DELETE FROM item WHERE id = 1 RETURNING id, status, loud, OLD.status, OLD.loud, NEW.status, NEW.id, NEW IS NULL AS none;
DELETE FROM native WHERE id = 1 RETURNING id, status, loud, OLD.status, OLD.loud, NEW.status, NEW.id, NEW IS NULL AS none;
DELETE FROM item WHERE id = 2 RETURNING WITH (OLD AS o, NEW AS n) o.loud, n.loud, o.ctid IS NULL AS no_ctid, n.ctid IS NULL AS no_new_ctid;
DELETE FROM native WHERE id = 2 RETURNING WITH (OLD AS o, NEW AS n) o.loud, n.loud, o.ctid IS NULL AS no_ctid, n.ctid IS NULL AS no_new_ctid;
-- an UPDATE has both
UPDATE item SET status = 'paid' WHERE id = 3 RETURNING loud, OLD.loud, NEW.loud;
