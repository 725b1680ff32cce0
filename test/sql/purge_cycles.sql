-- purge_expired() and rows that refer to each other in a circle, over two or
-- more tables: they go together, or, as long as one of them has to stay, stay
-- together, and with them what they refer to; nothing else is kept for them.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- (of a role that owns few other tables, since all that it owns are purged)
CREATE SCHEMA purge_cycles AUTHORIZATION sd_user;
SET SESSION AUTHORIZATION sd_user;
SET search_path = purge_cycles;

-- what is left of all tables, deleted rows in parentheses
CREATE FUNCTION remaining() RETURNS TABLE ("table" regclass, ids text)
LANGUAGE plpgsql SET softdelete.visibility = 'all' AS $$
BEGIN
	FOR "table" IN SELECT oid FROM pg_class WHERE relnamespace = 'purge_cycles'::regnamespace AND relkind = 'r' ORDER BY relname LOOP
		EXECUTE format('SELECT string_agg(CASE WHEN deletion_id IS NULL THEN id::text ELSE format(''(%%s)'', id) END, '' '' ORDER BY id) FROM %s', "table") INTO ids;
		RETURN NEXT;
	END LOOP;
END $$;
-- as if those rows had been deleted long ago
CREATE FUNCTION backdate(target regclass, VARIADIC ids int[] DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET softdelete.visibility = 'deleted' AS $$
BEGIN
	EXECUTE format('UPDATE %s SET deleted_at = now() - interval ''1 year'' WHERE $1 IS NULL OR id = ANY ($1)', target) USING ids;
END $$;
-- purge all: a dry run first, which has to tell what comes of it
CREATE FUNCTION purge(batch_size int DEFAULT 10000) RETURNS TABLE (target regclass, expired bigint, purged bigint, kept bigint, dry_run text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	dry	jsonb;
BEGIN
	SELECT jsonb_object_agg(p.target, to_jsonb(p)) INTO dry FROM softdelete.purge_expired(batch_size => purge.batch_size, dry_run => true) p;
	RETURN QUERY
		SELECT p.target, p.expired, p.purged, p.kept, CASE WHEN dry->p.target::text = to_jsonb(p) THEN 'right' ELSE dry->>p.target::text END
		  FROM softdelete.purge_expired(batch_size => purge.batch_size) p JOIN pg_class c ON c.oid = p.target
		 WHERE c.relnamespace = 'purge_cycles'::regnamespace ORDER BY c.relname;
END $$;

------------------------------------------------------------------------------
-- Two tables, with keys that wait for the commit, that do not, and that never
-- could; and of several kinds
------------------------------------------------------------------------------
CREATE FUNCTION two_tables(one text, other text, batch_size int) RETURNS TABLE (target regclass, expired bigint, purged bigint, kept bigint, dry_run text)
LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS "Hen", egg CASCADE;
	CREATE TABLE "Hen" (id int PRIMARY KEY, egg int);
	EXECUTE 'CREATE TABLE egg (id int PRIMARY KEY, hen int REFERENCES "Hen" ' || one || ')';
	-- circles of two and of four rows, a chain that leads into one, one row by itself
	INSERT INTO "Hen" VALUES (1, 1), (2, 2), (3, 3), (4, 2), (5, NULL);
	INSERT INTO egg VALUES (1, 1), (2, 3), (3, 2), (4, 4), (5, NULL);
	SET CONSTRAINTS ALL IMMEDIATE;
	EXECUTE 'ALTER TABLE "Hen" ADD FOREIGN KEY (egg) REFERENCES egg ' || other;
	PERFORM softdelete.enable('"Hen"', retention => '0', cascade => true), softdelete.enable('egg', retention => '0', cascade => true);
	WITH e AS (DELETE FROM egg) DELETE FROM "Hen";
	RETURN QUERY SELECT * FROM purge(batch_size);
END $$;
SELECT * FROM two_tables('DEFERRABLE INITIALLY DEFERRED', 'DEFERRABLE INITIALLY DEFERRED', 10000);
SELECT * FROM remaining();
SELECT * FROM two_tables('DEFERRABLE INITIALLY DEFERRED', 'DEFERRABLE', 1);
SELECT * FROM two_tables('', '', 10000);
SELECT * FROM two_tables('', '', 1);
SELECT * FROM two_tables('ON DELETE CASCADE', 'ON DELETE CASCADE', 10000);
SELECT * FROM two_tables('ON DELETE CASCADE', 'ON DELETE CASCADE', 1);
SELECT * FROM two_tables('ON DELETE CASCADE', '', 2);
SELECT * FROM two_tables('ON DELETE RESTRICT', 'ON DELETE CASCADE', 2);
SELECT * FROM two_tables('ON DELETE RESTRICT', 'ON DELETE RESTRICT', 2);
SELECT * FROM two_tables('ON DELETE SET NULL', '', 10000);
SELECT * FROM two_tables('ON DELETE SET NULL', 'ON DELETE SET NULL', 1);
SELECT * FROM remaining();
DROP TABLE "Hen", egg CASCADE;

------------------------------------------------------------------------------
-- Three tables, one of which refers to itself, too; below them one that is no
-- part of a circle
------------------------------------------------------------------------------
CREATE TABLE a (id int PRIMARY KEY, b int, boss int REFERENCES a);
CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
CREATE TABLE b (id int PRIMARY KEY, c int REFERENCES c);
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE note (id int PRIMARY KEY, a int REFERENCES a, b int REFERENCES b ON DELETE CASCADE);
CREATE FUNCTION fill() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	SET CONSTRAINTS ALL DEFERRED;
	-- circle 1 with a boss in circle 2; 3 refers to itself, 4 and 5 to each other
	INSERT INTO a VALUES (1, 1, 2), (2, 2, NULL), (3, NULL, 3), (4, NULL, 5), (5, NULL, 4), (6, NULL, NULL);
	INSERT INTO c VALUES (1, 1), (2, 2), (6, 6);
	INSERT INTO b VALUES (1, 1), (2, 2), (6, 6);
	INSERT INTO note VALUES (1, 1, NULL), (2, NULL, 2), (6, 6, 6);
END $$;
SELECT fill();
SELECT softdelete.enable('a', cascade => true, retention => '1 day'), softdelete.enable('b', retention => '1 day', cascade => true),
	   softdelete.enable('c', retention => '1 day'), softdelete.enable('note', retention => '1 day');
CREATE FUNCTION delete_all() RETURNS bigint
LANGUAGE sql AS $$
	WITH n AS (DELETE FROM note), c AS (DELETE FROM c), b AS (DELETE FROM b) DELETE FROM a;
	SELECT max(id) FROM softdelete.deletions;
$$;
-- not yet expired
SELECT delete_all() > 0 AS deleted;
SELECT * FROM purge();
-- one row that is not expired keeps its circle, and what that refers to: row 1
-- of c the circle 1, and its boss with the circle 2; not the notes that refer to them
SELECT backdate(t) FROM unnest('{a,b,c,note}'::regclass[]) t;
SET softdelete.visibility = deleted;
UPDATE c SET deleted_at = now() WHERE id = 1;
RESET softdelete.visibility;
SELECT * FROM purge();
SELECT * FROM remaining();
SELECT * FROM purge(1);
SELECT backdate('c');
SELECT * FROM purge(1);
SELECT * FROM remaining();
-- in circle 2 it does not keep circle 1
SELECT fill();
SELECT delete_all() > 0 AS deleted;
SELECT backdate(t) FROM unnest('{a,b,c,note}'::regclass[]) t;
SET softdelete.visibility = deleted;
UPDATE b SET deleted_at = now() WHERE id = 2;
RESET softdelete.visibility;
SELECT * FROM purge(1);
SELECT * FROM remaining();
SELECT backdate('b');
SELECT * FROM purge();
SELECT * FROM remaining();

------------------------------------------------------------------------------
-- A hold does the same
------------------------------------------------------------------------------
SELECT fill();
-- circle 1 is deleted by itself, the rest later on
BEGIN;
SET LOCAL softdelete.deletion_scope = statement;
DELETE FROM note WHERE id = 2;
UPDATE a SET boss = NULL WHERE id = 1;
DELETE FROM note WHERE id = 1;
WITH c AS (DELETE FROM c WHERE id = 1), b AS (DELETE FROM b WHERE id = 1) DELETE FROM a WHERE id = 1;
COMMIT;
SELECT max(id) AS held FROM softdelete.deletions \gset
SELECT delete_all() > 0 AS deleted;
SELECT backdate(t) FROM unnest('{a,b,c,note}'::regclass[]) t;
SELECT softdelete.hold(:held, 'case 17');
SELECT * FROM purge();
SELECT * FROM remaining();
SELECT softdelete.release(:held);
SELECT * FROM purge(1);
SELECT * FROM remaining();

------------------------------------------------------------------------------
-- Nor do live rows, or rows of tables that are not managed, keep more than what
-- they refer to
------------------------------------------------------------------------------
CREATE TABLE fan (id int PRIMARY KEY, deletion_id int, hero int REFERENCES a ON DELETE SET NULL);
SELECT fill();
INSERT INTO fan VALUES (1, NULL, 1), (2, NULL, 2);
CREATE TABLE unmanaged (id int PRIMARY KEY, deletion_id int, b int);
INSERT INTO unmanaged VALUES (2, NULL, 2);
SELECT delete_all() > 0 AS deleted;
-- (a key that is added over deleted rows without a look at them)
ALTER TABLE unmanaged ADD FOREIGN KEY (b) REFERENCES b NOT VALID;
SELECT backdate(t) FROM unnest('{a,b,c,note}'::regclass[]) t;
SELECT * FROM purge();
SELECT * FROM remaining();
SELECT id, hero FROM fan ORDER BY id;
DELETE FROM unmanaged;
SELECT * FROM purge();
SELECT id, hero FROM fan ORDER BY id;

------------------------------------------------------------------------------
-- By key a row takes along what cascades, round and round
------------------------------------------------------------------------------
CREATE TABLE sun (id int PRIMARY KEY, moon int);
CREATE TABLE moon (id int PRIMARY KEY, sun int REFERENCES sun ON DELETE CASCADE);
INSERT INTO sun VALUES (1, 1), (2, 3), (3, 2);
INSERT INTO moon VALUES (1, 1), (2, 2), (3, 3);
ALTER TABLE sun ADD FOREIGN KEY (moon) REFERENCES moon ON DELETE CASCADE;
SELECT softdelete.enable('sun', cascade => true);
DELETE FROM sun WHERE id = 1;
DELETE FROM moon WHERE id = 3;
SELECT softdelete.restore('sun', 2);
DELETE FROM moon WHERE id = 3;
SELECT softdelete.purge('sun', 1), softdelete.purge('moon', 2);
SELECT (SELECT count(*) FROM sun) AS live_suns, (SELECT count(*) FROM moon) AS live_moons;
SELECT ids FROM remaining() WHERE "table" IN ('sun'::regclass, 'moon'::regclass);
