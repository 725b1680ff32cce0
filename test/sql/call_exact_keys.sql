-- A key that its column cannot hold exactly is an error (22P02) or finds no row
-- (P0002), as WHERE key = value would find none; it never leads to another row.
-- All calls by key read their keys alike.
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA call_exact_keys;
SET search_path = call_exact_keys;
CREATE TABLE num (id int PRIMARY KEY);
INSERT INTO num VALUES (0), (1), (2), (7);
CREATE TABLE big (id bigint PRIMARY KEY);
INSERT INTO big VALUES (2), (9007199254740993);
CREATE TABLE dec (id numeric(4,1) PRIMARY KEY);
INSERT INTO dec VALUES (1.2), (1.3);
CREATE TABLE code (id varchar(3) PRIMARY KEY);
INSERT INTO code VALUES ('abc'), ('12');
CREATE TABLE fixed (id char(3) PRIMARY KEY);
INSERT INTO fixed VALUES ('ab');
CREATE TABLE day (id date PRIMARY KEY);
INSERT INTO day VALUES ('2024-01-01');
CREATE TABLE second (id timestamptz(0) PRIMARY KEY);
INSERT INTO second VALUES ('2024-01-01 10:00:01+00');
CREATE TABLE flag (id bool PRIMARY KEY, n int);
INSERT INTO flag VALUES (true);
CREATE DOMAIN small AS smallint CHECK (value < 100);
CREATE TABLE pair (a small, b text, PRIMARY KEY (a, b));
INSERT INTO pair VALUES (2, 'x');
SELECT softdelete.enable(t) FROM unnest('{num,big,dec,code,fixed,day,second,flag,pair}'::regclass[]) t;

-- the outcome of a delete, undone
CREATE FUNCTION try(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT softdelete.' || call;
	RAISE EXCEPTION 'found' USING ERRCODE = 'FOUND';
EXCEPTION WHEN others THEN
	RETURN CASE SQLSTATE WHEN 'FOUND' THEN 'found' ELSE SQLSTATE END;
END $$;
SELECT call, try(call) FROM unnest(ARRAY[
	$$delete('num', 1.5)$$, $$delete('num', 1.5::float8)$$, $$delete('num', 1.5::real)$$, $$delete('num', 2.0)$$,
	$$delete('num', '2')$$, $$delete('num', ' 007 ')$$, $$delete('num', '2'::text)$$, $$delete('num', '1.5')$$, $$delete('num', '2.0'::text)$$,
	$$delete('num', 2::bigint)$$, $$delete('num', 3000000000)$$, $$delete('num', 'NaN'::float8)$$, $$delete('num', true)$$,
	$$delete('num', '99999999999')$$, $$delete('num', NULL)$$, $$delete('num', 0.4)$$, $$delete('num', -0.0)$$,
	$$delete('big', 2.5)$$, $$delete('big', 9007199254740993.0)$$, $$delete('big', 9007199254740992::float8)$$, $$delete('big', 1e30)$$,
	$$delete('dec', 1.2)$$, $$delete('dec', 1.25)$$, $$delete('dec', 1.20)$$, $$delete('dec', '1.25')$$, $$delete('dec', '1.20')$$,
	$$delete('dec', 1.2::float8)$$, $$delete('dec', 1.25::float8)$$, $$delete('dec', 12345)$$, $$delete('dec', 1)$$,
	$$delete('code', 'abc')$$, $$delete('code', 'abcd')$$, $$delete('code', 'abc '::text)$$, $$delete('code', 'abcd'::char(9))$$, $$delete('code', 12)$$, $$delete('code', 1234)$$,
	$$delete('fixed', 'ab')$$, $$delete('fixed', 'ab '::text)$$, $$delete('fixed', 'ab  x')$$, $$delete('fixed', 'ab      ')$$,
	$$delete('day', '2024-01-01')$$, $$delete('day', timestamp '2024-01-01')$$, $$delete('day', timestamp '2024-01-01 10:00')$$, $$delete('day', 'infinity'::timestamptz)$$,
	$$delete('second', '2024-01-01 10:00:01+00')$$, $$delete('second', '2024-01-01 10:00:01.4+00')$$,
	$$delete('second', timestamptz '2024-01-01 10:00:01.4+00')$$, $$delete('second', timestamptz '2024-01-01 12:00:01+02')$$,
	$$delete('flag', 't')$$, $$delete('flag', 1)$$, $$delete('flag', 2)$$, $$delete('flag', 1.0)$$,
	$$delete('pair', 2, 'x')$$, $$delete('pair', 2.4, 'x')$$, $$delete('pair', '2', 'x'::varchar)$$, $$delete('pair', 70000, 'x')$$, $$delete('pair', 2, 'X')$$
]) AS call;

-- the other calls
DELETE FROM num WHERE id = 2;
SELECT call, try(call) FROM unnest(ARRAY[
	$$restore('num', 1.5)$$, $$restore('num', 2.0)$$, $$purge('num', 1.5)$$, $$purge('num', 3000000000)$$, $$purge('num', 2.0)$$
]) AS call;
SELECT softdelete.delete('num', 1.5);
SELECT softdelete.delete('code', 'abcd');
SELECT softdelete.delete('num', 3000000000);
