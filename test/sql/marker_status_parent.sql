-- a parent whose status may be NULL: its children are checked like any others
SET SESSION AUTHORIZATION sd_owner;
\set SHOW_CONTEXT never
CREATE SCHEMA status_parent;
SET search_path = status_parent;
CREATE TABLE p (id int PRIMARY KEY, status text);
CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE);
SELECT softdelete.enable('p', 'status', cascade => true);
INSERT INTO p VALUES (1, NULL), (2, 'x'), (3, 'x');
INSERT INTO c VALUES (1, 1), (2, 2);
DELETE FROM p WHERE id IN (2, 3);
SELECT id FROM c ORDER BY id;
\set VERBOSITY sqlstate
INSERT INTO c VALUES (3, 3);
INSERT INTO c VALUES (4, 4);
\set VERBOSITY default
INSERT INTO c VALUES (5, 1);
SELECT softdelete.restore('p', 2);
SELECT id FROM c ORDER BY id;
