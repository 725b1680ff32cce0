-- Foreign keys with partitioned tables on either side and on both: deletes
-- through the root, a sub-partitioned table and leaves whose columns stand in
-- another order, children that move from one partition to another, partitions
-- that leave and come back.  Each combination runs beside a native twin, one
-- transaction for each statement, and has to come to the same, constraint name
-- included; SET NULL and SET DEFAULT links alone wait for the purge.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA fk_partitions;
CREATE SCHEMA "fk_partitions Native";
CREATE SCHEMA "fk_partitions Managed";
SET search_path = fk_partitions;
CREATE TABLE outcomes (n int GENERATED ALWAYS AS IDENTITY, parent text, child text, action text, steps int, difference text);

-- what becomes of a statement in one of the schemas
CREATE FUNCTION outcome(schema text, sql text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	n			bigint;
	failed_at	text;
	declared	text;
BEGIN
	PERFORM set_config('search_path', quote_ident(schema), true);
	EXECUTE sql;
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM set_config('search_path', 'fk_partitions', true);
	RETURN n || ' rows';
EXCEPTION WHEN integrity_constraint_violation THEN
	GET STACKED DIAGNOSTICS failed_at = CONSTRAINT_NAME;
	-- native PostgreSQL may name the copy that a partition has of the constraint
	WITH RECURSIVE up AS (
		SELECT oid, conname, conparentid FROM pg_constraint WHERE conname = failed_at AND connamespace = quote_ident(schema)::regnamespace
		UNION ALL
		SELECT c.oid, c.conname, c.conparentid FROM up JOIN pg_constraint c ON c.oid = up.conparentid
	) SELECT conname INTO declared FROM up WHERE conparentid = 0 LIMIT 1;
	-- from 18 on RESTRICT has an SQLSTATE of its own
	RETURN replace(SQLSTATE, '23001', '23503') || ' ' || declared;
END $$;

-- the rows of all tables of a schema, without the columns that are left out
CREATE FUNCTION shown(schema text, visible text, left_out text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	this	record;
	one		text;
	result	text := '';
BEGIN
	PERFORM set_config('softdelete.visibility', visible, true);
	FOR this IN
		SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) AS columns
		  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		 WHERE c.relnamespace = '"fk_partitions Native"'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		   AND a.attname <> ALL (left_out)
		 GROUP BY c.relname ORDER BY c.relname
	LOOP
		EXECUTE format('SELECT coalesce(string_agg(t::text, '' '' ORDER BY t::text), ''none'') FROM (SELECT %s FROM %I.%I) t',
					   this.columns, schema, this.relname) INTO one;
		result := result || format('%s: %s. ', this.relname, one);
	END LOOP;
	PERFORM set_config('softdelete.visibility', 'live', true);
	RETURN result;
END $$;

-- run a statement (if any) in both schemas; what they differ in, and after it
CREATE FUNCTION difference(sql text, visible text DEFAULT 'live', left_out text[] DEFAULT '{}') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	native	text;
	managed	text;
BEGIN
	IF sql IS NOT NULL THEN
		native := outcome('fk_partitions Native', sql);
		managed := outcome('fk_partitions Managed', sql);
		IF native <> managed THEN
			RETURN format('%s: native %s, managed %s', sql, native, managed);
		END IF;
	END IF;
	native := shown('fk_partitions Native', visible, left_out);
	managed := shown('fk_partitions Managed', visible, left_out);
	IF native <> managed THEN
		RETURN format('after %s: native %s, managed %s', coalesce(sql, 'that'), native, managed);
	END IF;
	RETURN NULL;
END $$;

-- the parent and child tables of one twin
CREATE FUNCTION create_tables(parent text, child text, action text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE "Parent" (id int PRIMARY KEY, note text) %s', CASE parent WHEN 'partitioned' THEN 'PARTITION BY RANGE (id)' ELSE '' END);
	IF parent = 'partitioned' THEN
		CREATE TABLE p_1 PARTITION OF "Parent" FOR VALUES FROM (0) TO (10);
		CREATE TABLE p_2 PARTITION OF "Parent" FOR VALUES FROM (10) TO (30) PARTITION BY RANGE (id);
		CREATE TABLE p_2a PARTITION OF p_2 FOR VALUES FROM (10) TO (15);
		CREATE TABLE "P 2b" (note text, junk int, id int NOT NULL);
		ALTER TABLE "P 2b" DROP COLUMN junk;
		ALTER TABLE p_2 ATTACH PARTITION "P 2b" FOR VALUES FROM (15) TO (30);
	END IF;
	INSERT INTO "Parent" SELECT n FROM generate_series(1, 19) n WHERE n <> 10;
	EXECUTE format('CREATE TABLE "Child" (id int, kind text, p int DEFAULT 7 CONSTRAINT "The Key" REFERENCES "Parent" ON DELETE %s, note text, PRIMARY KEY (id, kind)) %s',
				   action, CASE child WHEN 'partitioned' THEN 'PARTITION BY LIST (kind)' ELSE '' END);
	IF child = 'partitioned' THEN
		CREATE TABLE c_a PARTITION OF "Child" FOR VALUES IN ('a');
		CREATE TABLE "C b" (junk int, note text, p int DEFAULT 7, kind text NOT NULL, id int NOT NULL);
		ALTER TABLE "C b" DROP COLUMN junk;
		ALTER TABLE "Child" ATTACH PARTITION "C b" FOR VALUES IN ('b');
		CREATE TABLE c_c PARTITION OF "Child" DEFAULT PARTITION BY HASH (id);
		CREATE TABLE c_c0 PARTITION OF c_c FOR VALUES WITH (MODULUS 2, REMAINDER 0);
		CREATE TABLE c_c1 PARTITION OF c_c FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	END IF;
	INSERT INTO "Child" SELECT n, (ARRAY['a', 'b', 'c'])[n % 3 + 1], n FROM unnest('{1,2,3,4,5,11,12,13,15,16,17}'::int[]) n;
END $$;

-- one combination, from its tables to the last purge
CREATE PROCEDURE go_through(parent text, child text, action text)
LANGUAGE plpgsql AS $$
DECLARE
	name		text;
	-- a link of a deleted parent's child is kept until the purge
	left_out	text[] := CASE WHEN action LIKE 'SET%' THEN '{p}' ELSE '{}' END;
	sql			text;
	found		text;
	differences	text;
	steps		int := 0;
BEGIN
	FOREACH name IN ARRAY ARRAY['fk_partitions Native', 'fk_partitions Managed'] LOOP
		PERFORM set_config('search_path', format('%I, fk_partitions', name), true);
		PERFORM create_tables(parent, child, action);
		COMMIT;
	END LOOP;
	PERFORM softdelete.enable('"fk_partitions Managed"."Child"'), softdelete.enable('"fk_partitions Managed"."Parent"');
	COMMIT;

	-- deleted and restored is as if nothing had happened, links included
	IF outcome('fk_partitions Managed', 'DELETE FROM "Parent" WHERE id IN (1, 9, 11, 15, 17, 19)') = '6 rows' THEN
		COMMIT;
		PERFORM softdelete.undo(max(d.id)) FROM softdelete.deletions d WHERE d.target = '"fk_partitions Managed"."Parent"'::regclass;
		COMMIT;
		differences := difference(NULL, 'all');
	END IF;

	FOREACH sql IN ARRAY ARRAY[
		'DELETE FROM "Parent" WHERE id IN (9, 14, 19)',			-- nobody refers to these
		'DELETE FROM "Parent" WHERE id IN (1, 18)',				-- a child refers to one
		'DELETE FROM p_1 WHERE id = 2',							-- through a leaf
		'DELETE FROM p_2 WHERE id = 11',						-- through what lies between
		'DELETE FROM "P 2b" WHERE id IN (15, 18)',
		'DELETE FROM "Child" WHERE id = 16',
		'DELETE FROM "Parent" WHERE id = 16',
		'WITH c AS (DELETE FROM "C b" WHERE id = 13 RETURNING p) DELETE FROM "P 2b" USING c WHERE "P 2b".id = c.p + 4',
		'DELETE FROM c_c1 WHERE id IN (5, 17)',
		'DELETE FROM "Parent" WHERE id = 17',
		'UPDATE "Child" SET kind = ''c'' WHERE id = 12',		-- the child moves, and goes with its parent
		'DELETE FROM "Parent" WHERE id = 12',
		'INSERT INTO "Child" VALUES (21, ''a'', 9)',			-- new references to deleted rows
		'INSERT INTO "C b" (id, kind, p) VALUES (21, ''b'', 19)',
		'UPDATE "Child" SET p = 14 WHERE id = 3',
		'UPDATE "Child" SET p = 19, kind = ''b'' WHERE id = 3',
		'UPDATE "Child" SET note = ''changed''',				-- with links that are kept
		'UPDATE "Child" SET kind = ''a'' WHERE id IN (1, 2)',	-- one moves with such a link
		'UPDATE "Parent" SET id = 25 WHERE id = 8',				-- a parent moves, and one with a child
		'UPDATE "Parent" SET id = 26 WHERE id = 4',
		'INSERT INTO "Child" VALUES (22, ''b'', 25), (23, ''d'', NULL)',
		'DELETE FROM "Parent" WHERE id = 25',
		'purge',
		'UPDATE "Child" SET note = ''purged'', kind = ''a'' WHERE kind = ''b''',
		'ALTER TABLE "Child" DETACH PARTITION c_a',
		'DELETE FROM "Parent" WHERE id = 3',					-- the key stays with the partition that has left
		'ALTER TABLE "Child" ATTACH PARTITION c_a FOR VALUES IN (''a'')',
		'purge',
		'ALTER TABLE "Parent" DETACH PARTITION p_1',			-- rows that others refer to cannot leave
		'DELETE FROM "Child"',
		'purge',
		'ALTER TABLE p_2 DETACH PARTITION p_2a',
		'ALTER TABLE p_2 ATTACH PARTITION p_2a FOR VALUES FROM (10) TO (15)',
		'INSERT INTO "Child" VALUES (31, ''a'', 13)',
		'DELETE FROM p_2a WHERE id = 13',
		'DELETE FROM "Child"',
		'purge',
		'DELETE FROM "Parent"',
		'purge']
	LOOP
		-- where there are no partitions there is the one table
		CONTINUE WHEN sql ~ 'ALTER TABLE "Child"' AND child <> 'partitioned' OR sql ~ 'ALTER TABLE ("Parent"|p_2)' AND parent <> 'partitioned';
		-- (as a table of its own it is not managed, and CASCADE cannot follow)
		CONTINUE WHEN action = 'CASCADE' AND child = 'partitioned' AND sql = 'DELETE FROM "Parent" WHERE id = 3';
		IF parent <> 'partitioned' THEN
			sql := regexp_replace(sql, '\mp_\w+|"P 2b"', '"Parent"', 'g');
		END IF;
		IF child <> 'partitioned' THEN
			sql := regexp_replace(sql, '\mc_\w+|"C b"', '"Child"', 'g');
		END IF;
		IF sql = 'purge' THEN
			PERFORM softdelete.purge_expired('"fk_partitions Managed"."Child"', older_than => '0');
			PERFORM softdelete.purge_expired('"fk_partitions Managed"."Parent"', older_than => '0', batch_size => 1);
			found := difference(NULL, 'all');
		ELSE
			found := difference(sql, 'live', left_out);
		END IF;
		steps := steps + 1;
		differences := coalesce(differences || '; ' || found, found, differences);
		COMMIT;
	END LOOP;
	INSERT INTO fk_partitions.outcomes (parent, child, action, steps, difference) VALUES (parent, child, action, steps, differences);
	DROP TABLE "fk_partitions Native"."Child", "fk_partitions Native"."Parent", "fk_partitions Managed"."Child", "fk_partitions Managed"."Parent";
	COMMIT;
END $$;

CREATE PROCEDURE go_through_all()
LANGUAGE plpgsql AS $$
DECLARE
	side	text[];
	action	text;
BEGIN
	FOREACH side SLICE 1 IN ARRAY ARRAY[['plain', 'plain'], ['partitioned', 'plain'], ['plain', 'partitioned'], ['partitioned', 'partitioned']] LOOP
		FOREACH action IN ARRAY ARRAY['CASCADE', 'RESTRICT', 'NO ACTION', 'SET NULL', 'SET DEFAULT'] LOOP
			CALL go_through(side[1], side[2], action);
		END LOOP;
	END LOOP;
END $$;
CALL go_through_all();
SELECT parent, child, action, steps, coalesce(difference, 'ok') AS outcome FROM outcomes ORDER BY n;

------------------------------------------------------------------------------
-- A key of one partition alone, to a managed table
------------------------------------------------------------------------------
CREATE TABLE author (id int PRIMARY KEY);
CREATE TABLE post (id int, author int) PARTITION BY RANGE (id);
CREATE TABLE post_1 PARTITION OF post FOR VALUES FROM (0) TO (10);
CREATE TABLE "Post 2" PARTITION OF post FOR VALUES FROM (10) TO (20);
CREATE TABLE post_3 PARTITION OF post FOR VALUES FROM (20) TO (30);
ALTER TABLE post_1 ADD CONSTRAINT "Post's Author" FOREIGN KEY (author) REFERENCES author ON DELETE CASCADE;
ALTER TABLE "Post 2" ADD CONSTRAINT "Post 2's Author" FOREIGN KEY (author) REFERENCES author;
ALTER TABLE post_3 ADD CONSTRAINT "Post 3's Author" FOREIGN KEY (author) REFERENCES author ON DELETE SET NULL;
INSERT INTO author SELECT generate_series(1, 5);
INSERT INTO post VALUES (1, 1), (2, 2), (11, 3), (21, 4), (22, 4);
-- a partition is managed with its table, and so cascade => true takes that
SELECT softdelete.enable('author');
SELECT softdelete.enable('author', cascade => true);
SELECT softdelete.enable('post');
SELECT softdelete.enable('author');
DELETE FROM author WHERE id = 1;
DELETE FROM author WHERE id = 3;
DELETE FROM author WHERE id = 4;
INSERT INTO post VALUES (3, 1);
INSERT INTO post VALUES (13, 1);
SELECT id, author FROM post ORDER BY id;
SELECT rows FROM softdelete.deletions WHERE target = 'author'::regclass ORDER BY id;
SELECT softdelete.restore('author', 1);
DELETE FROM "Post 2";
DELETE FROM author WHERE id = 3;
DELETE FROM author WHERE id = 2;
DELETE FROM post WHERE id = 21;
SELECT id, author FROM post ORDER BY id;
SELECT id FROM author ORDER BY id;
-- purged along with what cascades, and the link of a live row is cut
SELECT softdelete.purge('author', 4);
SELECT target, expired, purged, kept FROM softdelete.purge_expired('post', older_than => '0');
SELECT target, expired, purged, kept FROM softdelete.purge_expired('author', older_than => '0');
SET softdelete.visibility = 'all';
SELECT id, author, deletion_id IS NOT NULL AS deleted FROM post ORDER BY id;
SELECT id, deletion_id IS NOT NULL AS deleted FROM author ORDER BY id;
RESET softdelete.visibility;
