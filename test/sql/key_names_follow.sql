-- What a migration does to a unique key by name is the same whether the key is a
-- constraint or, in a managed table, an index of live rows: each command has the
-- outcome that it has for a native twin, and disable() leaves what the twin has.
SET SESSION AUTHORIZATION sd_owner;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA native_names;
CREATE SCHEMA "managed Names";
CREATE FUNCTION native_names.build(schema text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL search_path = %I', schema);
	CREATE TABLE t (id int PRIMARY KEY, a int CONSTRAINT ua UNIQUE, b int CONSTRAINT "U b" UNIQUE, c int CONSTRAINT uc UNIQUE DEFERRABLE,
					d text, e int4range, f int CONSTRAINT uf UNIQUE NULLS NOT DISTINCT, g int, h int CONSTRAINT uh UNIQUE, "time" timestamptz,
					CONSTRAINT ue EXCLUDE USING gist (e WITH &&) WHERE (lower(e) > 0 AND d > 'd ''d' AND "time" > '-infinity'::timestamp with time zone),
					CONSTRAINT uag UNIQUE (a, g) INCLUDE (d));
	CREATE UNIQUE INDEX ud ON t (d) WHERE a > 0;
	COMMENT ON CONSTRAINT ua ON t IS E'the a of ''t''\n\nand its b';
	COMMENT ON CONSTRAINT uc ON t IS 'can wait';
	COMMENT ON INDEX ud IS 'by a, and by d';
	COMMENT ON INDEX ua IS 'for a';
	COMMENT ON CONSTRAINT ue ON t IS E'no two.\n\nNot even at once';
	CREATE TABLE p (id int, at int, v int, w int, PRIMARY KEY (id, at), CONSTRAINT pv UNIQUE (v, at), CONSTRAINT pw UNIQUE (w, at)) PARTITION BY RANGE (at);
	COMMENT ON CONSTRAINT pv ON p IS 'of parts';
	CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
	CREATE DOMAIN code AS int;
	CREATE TABLE k (id int PRIMARY KEY, a code CONSTRAINT ka UNIQUE);
	CREATE TABLE o (id int PRIMARY KEY, UNIQUE (id));
END $$;
SELECT native_names.build('native_names'), native_names.build('managed Names');
SELECT softdelete.enable('"managed Names".t'), softdelete.enable('"managed Names".p'), softdelete.enable('"managed Names".k');

-- what a command comes to, and the names of keys and constraints after it; a partitioned table has no stand-ins
CREATE FUNCTION native_names.outcome(schema text, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said	text := 'done';
	hint	text;
BEGIN
	EXECUTE format('SET LOCAL search_path = %I', schema);
	BEGIN
		EXECUTE command;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
		said := concat_ws(' ', SQLSTATE, SQLERRM, nullif(hint, ''));
	END;
	RETURN concat_ws('; ', said,
		(SELECT string_agg(x.indexrelid::regclass::text, ', ' ORDER BY x.indexrelid::regclass::text) FROM pg_index x
		  WHERE x.indrelid IN ('t'::regclass, 'p'::regclass, 'k'::regclass) AND x.indexrelid::regclass::text ~ '^("?U|u|p|k)' AND x.indexrelid::regclass::text !~ 'deleted'),
		(SELECT string_agg(c.conname, ', ' ORDER BY c.conname) FROM pg_constraint c WHERE c.conrelid IN ('t'::regclass, 'k'::regclass) AND c.contype <> 'n'));
END $$;
CREATE FUNCTION native_names.twins(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	native	text := native_names.outcome('native_names', command);
	managed	text := native_names.outcome('managed Names', command);
BEGIN
	RETURN CASE WHEN native = managed THEN split_part(native, ';', 1) ELSE format(E'DIFFERS\n%s\n%s', native, managed) END;
END $$;

SELECT command, native_names.twins(command) AS outcome FROM (VALUES
	-- the index is the constraint's: it goes and is renamed with it
	('DROP INDEX ua'),
	('DROP INDEX ud, ua'),
	('DROP INDEX "U b" CASCADE'),
	('DROP INDEX IF EXISTS nonesuch, ua'),
	('ALTER INDEX ua RENAME TO "UA"'),
	('ALTER TABLE "UA" RENAME TO ua2'),
	('ALTER TABLE t RENAME CONSTRAINT ua2 TO ua3'),
	('ALTER INDEX ua3 RENAME TO t_pkey'),
	('ALTER INDEX ua3 RENAME TO "U b"'),
	('ALTER TABLE t RENAME CONSTRAINT ua3 TO "U b"'),
	('ALTER TABLE t RENAME CONSTRAINT ue TO ue2'),
	('ALTER INDEX ud RENAME TO ud2'),
	-- columns
	('ALTER TABLE t RENAME a TO "A"'),
	('ALTER TABLE t RENAME c TO c2'),
	('ALTER TABLE t RENAME d TO lower'),
	('ALTER TABLE t RENAME e TO d'),
	('ALTER TABLE t RENAME "time" TO "at ""once"""'),
	('ALTER TABLE t ALTER "A" TYPE bigint'),
	('ALTER TABLE t DROP COLUMN f'),
	('ALTER TABLE t DROP COLUMN g'),
	('DROP DOMAIN code CASCADE'),
	-- constraints that are made anew, under their name, in one command
	('ALTER TABLE t DROP CONSTRAINT "U b", ADD CONSTRAINT "U b" UNIQUE (b, id)'),
	('ALTER TABLE t DROP CONSTRAINT uh, ADD CONSTRAINT uh UNIQUE (h) DEFERRABLE'),
	('ALTER TABLE t DROP CONSTRAINT uh, ADD CONSTRAINT uh CHECK (h > 0)'),
	('ALTER TABLE t DROP CONSTRAINT "U b", DROP CONSTRAINT nonesuch'),
	('ALTER TABLE t DROP CONSTRAINT "U b", ADD i int, DROP CONSTRAINT IF EXISTS nonesuch'),
	('ALTER TABLE t DROP CONSTRAINT "U b"'),
	-- a partitioned table
	('ALTER TABLE p RENAME CONSTRAINT pv TO pv2'),
	('ALTER TABLE p RENAME v TO v2'),
	('ALTER TABLE p DROP CONSTRAINT IF EXISTS pw'),
	('ALTER TABLE p DROP CONSTRAINT IF EXISTS pw, ADD x int'),
	('ALTER TABLE p DROP CONSTRAINT pw')
) c(command);

-- by another: told what he is told of any table
SET SESSION AUTHORIZATION sd_user;
ALTER TABLE "managed Names".t DROP CONSTRAINT ua3;
DROP INDEX "managed Names".ua3;
SET SESSION AUTHORIZATION sd_owner;

-- a dump that is restored over what is there drops both by name, in its order
BEGIN;
SET LOCAL row_security = off;
DROP INDEX "managed Names".ua3;
ALTER TABLE "managed Names".t DROP CONSTRAINT ua3;
ROLLBACK;

-- back: the twin's keys
SELECT softdelete.disable('"managed Names".t'), softdelete.disable('"managed Names".p'), softdelete.disable('"managed Names".k');
CREATE FUNCTION native_names.keys(schema text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid), obj_description(c.oid)) FROM pg_constraint c
	 WHERE c.connamespace = schema::regnamespace AND c.conrelid <> 0 AND c.conparentid = 0 AND c.contype <> 'n'
	UNION ALL
	SELECT concat_ws(' ', pg_get_indexdef(x.indexrelid), obj_description(x.indexrelid)) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
	 WHERE i.relnamespace = schema::regnamespace AND x.indisunique AND NOT i.relispartition
$$;
SELECT replace(k, '"managed Names".', '') AS managed FROM native_names.keys('"managed Names"') k
EXCEPT ALL SELECT replace(k, 'native_names.', '') FROM native_names.keys('native_names') k;
SELECT replace(k, 'native_names.', '') AS native FROM native_names.keys('native_names') k
EXCEPT ALL SELECT replace(k, '"managed Names".', '') AS managed FROM native_names.keys('"managed Names"') k;
SELECT replace(k, 'native_names.', '') AS native FROM native_names.keys('native_names') k ORDER BY k COLLATE "C";
DROP SCHEMA native_names CASCADE;
DROP SCHEMA "managed Names" CASCADE;
RESET SESSION AUTHORIZATION;
