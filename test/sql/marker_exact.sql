-- what was in the marker's column comes back as it was; types that cannot hold
-- "live" are refused
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA markers_exact;
SET search_path = markers_exact;

-- a status that was NULL comes back as NULL, not as the column's default
CREATE TABLE s (id int PRIMARY KEY, status text DEFAULT 'new');
INSERT INTO s VALUES (1, NULL), (2, 'x'), (3, 'deleted');
SELECT softdelete.enable('s', 'status');
DELETE FROM s;
SELECT softdelete.restore('s', 1), softdelete.restore('s', 2), softdelete.restore('s', 3);
-- (the third was marked before: nobody knows its former status)
SELECT id, status FROM s ORDER BY id;

-- a domain over an enum
CREATE TYPE e AS ENUM ('draft', 'live', 'deleted');
CREATE DOMAIN d AS e;
CREATE TABLE t (id int PRIMARY KEY, status d NOT NULL, other d);
SELECT softdelete.enable('t', 'status');
INSERT INTO t VALUES (1, 'draft'), (2, 'live');
DELETE FROM t WHERE id = 1;
SELECT id, status FROM t ORDER BY id;
SELECT softdelete.create_live_index('t', 'id');
SELECT softdelete.restore('t', 1);
SELECT id, status FROM t ORDER BY id;
DROP INDEX t_id_live_idx;
SELECT softdelete.disable('t', true);
SELECT softdelete.enable('t', 'other');
DELETE FROM t WHERE id = 1;
SELECT id, other FROM t ORDER BY id;
SELECT softdelete.restore('t', 1);
SELECT id, other FROM t ORDER BY id;

-- a domain that is NOT NULL, or has a default, has no NULL for live rows
CREATE DOMAIN always AS timestamptz NOT NULL;
CREATE DOMAIN stamped AS timestamptz DEFAULT now();
CREATE TABLE u (id int PRIMARY KEY, a always, s stamped);
\set VERBOSITY sqlstate
SELECT softdelete.enable('u', 'a');
SELECT softdelete.enable('u', 's');
\set VERBOSITY default
SELECT count(*) FROM softdelete.tables WHERE target = 'u'::regclass;

-- a row that came with its mark as dumps and replicas bring it belongs to no deletion
CREATE TABLE i (id int PRIMARY KEY);
SELECT softdelete.enable('i');
SET row_security = off;
INSERT INTO i (id, deleted_at) VALUES (1, now());
RESET row_security;
SELECT softdelete.delete('i', 1);
SELECT softdelete.restore('i', 1);
SELECT id FROM i;
