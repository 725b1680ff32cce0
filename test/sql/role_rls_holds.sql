-- undo() of a deletion whose rows belong to several tenants brings back the
-- caller's; a cascade from a table that is not managed erases no row on hold; a
-- policy sees live rows whatever the client asks to see.
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA rls_holds;
GRANT USAGE ON SCHEMA rls_holds TO sd_user;
SET search_path = rls_holds;
CREATE TABLE docs (id int PRIMARY KEY, tenant name);
CREATE TABLE lines (id int PRIMARY KEY, doc int REFERENCES docs ON DELETE CASCADE);
CREATE TABLE unrelated (id int PRIMARY KEY);
SELECT softdelete.enable('docs', cascade => true);
SELECT softdelete.enable('unrelated');
INSERT INTO docs VALUES (1, 'someone'), (2, 'sd_user');
INSERT INTO lines VALUES (1, 1), (2, 2);
INSERT INTO unrelated VALUES (1);
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON docs USING (tenant = current_user);
GRANT SELECT, DELETE ON docs TO sd_user;
-- one statement took rows of two tenants, and of a table that sd_user has no
-- rights on: undo() brings back his, with what hangs on them
WITH x AS (DELETE FROM unrelated) DELETE FROM docs;
SET SESSION AUTHORIZATION sd_user;
SELECT softdelete.undo(max(deletion_id)) FROM softdelete.trash('rls_holds.docs');
SET SESSION AUTHORIZATION sd_owner;
SELECT string_agg(id::text, ' ' ORDER BY id) AS docs FROM docs;
SELECT string_agg(id::text, ' ' ORDER BY id) AS lines FROM lines;
SELECT string_agg(id::text, ' ' ORDER BY id) AS unrelated FROM unrelated;

-- rows on hold are not erased along with a row of a table that is not managed
CREATE TABLE up (id int PRIMARY KEY);
CREATE TABLE down (id int PRIMARY KEY, up int REFERENCES up ON DELETE CASCADE);
SELECT softdelete.enable('down');
INSERT INTO up VALUES (1);
INSERT INTO down VALUES (1, 1);
DELETE FROM down;
SELECT softdelete.hold(max(deletion_id), 'case') FROM softdelete.trash('down');
GRANT SELECT, DELETE ON up TO sd_user;
SET SESSION AUTHORIZATION sd_user;
\set VERBOSITY sqlstate
DELETE FROM rls_holds.up;
\set VERBOSITY default
SET SESSION AUTHORIZATION sd_owner;
SELECT count(*) FROM softdelete.trash('down');

-- a membership that was deleted gives no access, whatever the one who had it
-- sets softdelete.visibility to
CREATE TABLE members (name name PRIMARY KEY);
CREATE TABLE secrets (id int PRIMARY KEY);
SELECT softdelete.enable('members');
INSERT INTO members VALUES ('sd_user');
INSERT INTO secrets VALUES (1);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY members ON secrets USING (EXISTS (SELECT FROM rls_holds.members m WHERE m.name = current_user));
GRANT SELECT ON members, secrets TO sd_user;
DELETE FROM members;
SET SESSION AUTHORIZATION sd_user;
SELECT count(*) FROM rls_holds.secrets;
SET softdelete.visibility = 'all';
SELECT count(*) FROM rls_holds.secrets;
RESET softdelete.visibility;
