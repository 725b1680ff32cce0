-- RETURNING of a DELETE shows the row as it was in every respect, as a native twin
-- does: generated columns, columns that a BEFORE UPDATE trigger touches, the row as
-- a whole, ctid, xmin and tableoid.
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA delete_returning_exact;
SET search_path = delete_returning_exact;
CREATE TABLE pay (id int PRIMARY KEY, status text NOT NULL DEFAULT 'new', "Touched" int DEFAULT 0,
	shown text GENERATED ALWAYS AS (status || '!') STORED, is_open boolean);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN new."Touched" := coalesce(new."Touched", 0) + 1; RETURN new; END $$;
CREATE TABLE native (LIKE pay INCLUDING ALL);
CREATE TRIGGER touch BEFORE UPDATE ON pay FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER touch BEFORE UPDATE ON native FOR EACH ROW EXECUTE FUNCTION touch();
SELECT softdelete.enable('pay', 'status', triggers => 'update');
INSERT INTO pay (id, status) VALUES (1, 'new'), (2, 'paid'), (3, 'sent'), (4, 'lost'), (5, 'open');
INSERT INTO native (id, status) VALUES (1, 'new'), (2, 'paid'), (3, 'sent'), (4, 'lost'), (5, 'open');

DELETE FROM pay WHERE id = 1 RETURNING id, status, "Touched", shown;
DELETE FROM native WHERE id = 1 RETURNING id, status, "Touched", shown;
-- expressions, a join, a sub-select
DELETE FROM pay p USING native n WHERE p.id = 2 AND n.id = p.id
	RETURNING p.shown || n.shown, p."Touched" + 1, (SELECT count(*) FROM native WHERE status = p.status), n.ctid IS NOT NULL;
DELETE FROM native p USING native n WHERE p.id = 2 AND n.id = p.id
	RETURNING p.shown || n.shown, p."Touched" + 1, (SELECT count(*) FROM native WHERE status = p.status), n.ctid IS NOT NULL;
-- the row as a whole, of which a native twin has no companion columns
WITH d AS (DELETE FROM pay WHERE id = 3 RETURNING pay) SELECT d.pay FROM d;
WITH d AS (DELETE FROM pay WHERE id = 4 RETURNING *) SELECT * FROM d;
-- where it stood, and who wrote it
SELECT ctid AS tid, xmin AS wrote FROM pay WHERE id = 5 \gset
DELETE FROM pay WHERE id = 5 RETURNING ctid = :'tid' AS ctid, xmin = :'wrote' AS xmin, tableoid::regclass;
SELECT softdelete.restore('pay', g) FROM generate_series(1, 5) g;
SELECT id, status, "Touched", shown FROM pay ORDER BY id;

-- kinds of markers: NULL and false are told apart
CREATE TABLE b (id int PRIMARY KEY, is_deleted boolean);
CREATE TABLE t (id int PRIMARY KEY, n int GENERATED ALWAYS AS (-id) STORED);
SELECT softdelete.enable('b', 'is_deleted'), softdelete.enable('t');
INSERT INTO b VALUES (1, NULL), (2, false);
INSERT INTO t (id) VALUES (1), (2);
DELETE FROM b RETURNING *;
DELETE FROM t RETURNING *, ctid;

-- in a function, through a view, a cursor, from a plan that is used again
CREATE VIEW v AS SELECT id, status AS state, shown FROM pay;
DELETE FROM v WHERE id = 1 RETURNING *;
PREPARE d AS DELETE FROM pay WHERE id = $1 RETURNING status, shown, "Touched";
EXECUTE d(2);
EXECUTE d(3);
EXECUTE d(9);
CREATE FUNCTION del(int) RETURNS TABLE (status text, shown text) LANGUAGE sql AS
	'DELETE FROM pay WHERE id = $1 RETURNING status, shown';
SELECT * FROM del(4);

-- partitions, leaves whose columns stand in another order
CREATE TABLE parts (id int, kind text, note text DEFAULT 'n', twice int GENERATED ALWAYS AS (2 * id) STORED) PARTITION BY LIST (kind);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a');
CREATE TABLE "Parts b" (note text, kind text, twice int GENERATED ALWAYS AS (2 * id) STORED, id int);
ALTER TABLE parts ATTACH PARTITION "Parts b" FOR VALUES IN ('b');
SELECT softdelete.enable('parts');
INSERT INTO parts (id, kind) VALUES (1, 'a'), (2, 'b'), (3, 'a'), (4, 'b');
DELETE FROM parts WHERE id < 3 RETURNING tableoid::regclass, *;
DELETE FROM "Parts b" RETURNING *;
-- partitioned by the marker: the row moves
CREATE TABLE moves (id int, state text DEFAULT 'new', shown text GENERATED ALWAYS AS (state) STORED) PARTITION BY LIST (state);
CREATE TABLE moves_gone PARTITION OF moves FOR VALUES IN ('deleted');
CREATE TABLE moves_here PARTITION OF moves DEFAULT;
SELECT softdelete.enable('moves', 'state');
INSERT INTO moves (id) VALUES (1);
DELETE FROM moves RETURNING id, state;
