-- Where ON CONFLICT ON CONSTRAINT does not find a key of live rows by its name, of a
-- partitioned table or made by create_live_unique(), whoever makes it so is told what
-- to write, and that works.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA key_by_name;
SET search_path = key_by_name;
CREATE TABLE parts (id int, "At" int, "V" text, n int DEFAULT 0, PRIMARY KEY (id, "At"), CONSTRAINT "of V" UNIQUE ("V", "At")) PARTITION BY RANGE ("At");
CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (10);
SELECT softdelete.enable('parts');
INSERT INTO parts VALUES (1, 1, 'a');
INSERT INTO parts VALUES (2, 1, 'a') ON CONFLICT ON CONSTRAINT "of V" DO UPDATE SET n = 1;
INSERT INTO parts VALUES (2, 1, 'a') ON CONFLICT ("V", "At") DO UPDATE SET n = 1 RETURNING *;
-- a primary key stays a constraint
INSERT INTO parts VALUES (1, 1, 'b') ON CONFLICT ON CONSTRAINT parts_pkey DO UPDATE SET n = 2 RETURNING *;

CREATE TABLE plain (id int PRIMARY KEY, a int, b int CONSTRAINT "of b" UNIQUE, CONSTRAINT of_both UNIQUE (a, b));
SET client_min_messages = error;
SELECT softdelete.enable('plain', "unique" => 'keep');
RESET client_min_messages;
SELECT softdelete.create_live_unique('plain', 'a', 'b'), softdelete.create_live_unique('plain', 'b');
INSERT INTO plain VALUES (1, 1, 1);
INSERT INTO plain VALUES (2, 1, 1) ON CONFLICT ON CONSTRAINT of_both DO NOTHING;
INSERT INTO plain VALUES (2, 1, 1) ON CONFLICT (a, b) DO UPDATE SET id = 3 RETURNING *;
-- enable() of the table leaves the name a constraint's
CREATE TABLE live (id int PRIMARY KEY, b int CONSTRAINT of_live UNIQUE);
SELECT softdelete.enable('live');
INSERT INTO live VALUES (1, 1);
INSERT INTO live VALUES (2, 1) ON CONFLICT ON CONSTRAINT of_live DO UPDATE SET id = 3 RETURNING *;
SET client_min_messages = warning;
DROP SCHEMA key_by_name CASCADE;
RESET SESSION AUTHORIZATION;
