-- MERGE ... DELETE is refused where policies hold for the target, and only there
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA merge_rls;
SET search_path = merge_rls;
CREATE TABLE t (id int PRIMARY KEY);
CREATE TABLE s (id int);
SELECT softdelete.enable('t');
INSERT INTO t SELECT generate_series(1, 6);
INSERT INTO s VALUES (1), (2);
GRANT USAGE ON SCHEMA merge_rls TO sd_user;
GRANT SELECT, DELETE ON t TO sd_user;
GRANT SELECT ON s TO sd_user;
-- policies for the source do not matter
ALTER TABLE s ENABLE ROW LEVEL SECURITY;
CREATE POLICY one ON s USING (id = 1);
SET SESSION AUTHORIZATION sd_user;
SET search_path = merge_rls;
MERGE INTO t USING s ON s.id = t.id WHEN MATCHED THEN DELETE;
SELECT id FROM t ORDER BY id;
-- those for the target do
SET SESSION AUTHORIZATION sd_owner;
SET search_path = merge_rls;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY every ON t USING (true);
SET SESSION AUTHORIZATION sd_user;
SET search_path = merge_rls;
\set VERBOSITY sqlstate
MERGE INTO t USING (VALUES (3)) v(id) ON v.id = t.id WHEN MATCHED THEN DELETE;
\set VERBOSITY default
-- not for the owner, who is not held to them, unless they are forced
SET SESSION AUTHORIZATION sd_owner;
SET search_path = merge_rls;
MERGE INTO t USING (VALUES (3)) v(id) ON v.id = t.id WHEN MATCHED THEN DELETE;
SELECT id FROM t ORDER BY id;
ALTER TABLE t FORCE ROW LEVEL SECURITY;
\set VERBOSITY sqlstate
MERGE INTO t USING (VALUES (4)) v(id) ON v.id = t.id WHEN MATCHED THEN DELETE;
\set VERBOSITY default
SELECT id FROM t ORDER BY id;
