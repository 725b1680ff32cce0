-- A library of one version in a database with the SQL objects of another: an error that says what to do, for functions that lack arguments, too; and ALTER EXTENSION gets through.
CREATE SCHEMA lib_other_version AUTHORIZATION sd_owner;
SET SESSION AUTHORIZATION sd_owner;
SET search_path = lib_other_version;
CREATE TABLE post (id int PRIMARY KEY);
CREATE TABLE plain (id int);
SELECT softdelete.enable('post');
INSERT INTO post VALUES (1);
RESET SESSION AUTHORIZATION;

-- a function as an older version may have declared it
CREATE FUNCTION check_retention(retention interval) RETURNS void AS '$libdir/softdelete', 'softdelete_check_retention' LANGUAGE C STRICT;
CREATE FUNCTION set_retention(target regclass) RETURNS void AS '$libdir/softdelete', 'softdelete_set_retention' LANGUAGE C;
CREATE FUNCTION restore() RETURNS bigint AS '$libdir/softdelete', 'softdelete_restore' LANGUAGE C;
SELECT lib_other_version.check_retention('1 day');
SELECT lib_other_version.set_retention('post');
SELECT lib_other_version.restore();

-- the objects say that they are others: nothing of a managed table is touched
\set VERBOSITY terse
SELECT softdelete.interface() AS interface \gset
CREATE OR REPLACE FUNCTION softdelete.interface() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT 'other'$$;
\c -
\set VERBOSITY terse
SET search_path = lib_other_version;
SELECT * FROM post;
DELETE FROM post;
SELECT softdelete.enable('plain');
SELECT count(*) FROM softdelete.tables;
SELECT * FROM softdelete.purge_expired('post');
ALTER TABLE post ADD COLUMN name text;
SELECT * FROM plain;
-- as an update makes it good, and the session goes on
SELECT format('CREATE OR REPLACE FUNCTION softdelete.interface() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L', format('SELECT %L', :'interface')) AS update \gset
:update;
DELETE FROM post;
SELECT count(*) AS live, (SELECT count(*) FROM softdelete.trash('post')) AS deleted FROM post;

-- one that does not know the function
ALTER FUNCTION softdelete.interface() RENAME TO outerface;
\c -
\set VERBOSITY terse
SELECT * FROM lib_other_version.post;
ALTER FUNCTION softdelete.outerface() RENAME TO interface;
SELECT count(*) FROM lib_other_version.post;
SET client_min_messages = warning;
DROP SCHEMA lib_other_version CASCADE;
