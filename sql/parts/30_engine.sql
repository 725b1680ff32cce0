------------------------------------------------------------------------------
-- What the engine calls
------------------------------------------------------------------------------

-- What only the planner hook can write into a query.  The type has no value that
-- SQL could make: a call by hand can pass NULL at the most, and is refused.
CREATE TYPE engine;
CREATE FUNCTION engine_in(cstring) RETURNS engine
	AS 'MODULE_PATHNAME', 'softdelete_engine_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION engine_in(cstring) IS 'raises: the type has no values that can be written (internal)';
CREATE FUNCTION engine_out(engine) RETURNS cstring
	AS 'MODULE_PATHNAME', 'softdelete_engine_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION engine_out(engine) IS 'shows the argument in EXPLAIN VERBOSE (internal)';
CREATE TYPE engine (INPUT = engine_in, OUTPUT = engine_out, INTERNALLENGTH = 4, PASSEDBYVALUE);
COMMENT ON TYPE engine IS 'argument of the functions that only the extension itself can call';

CREATE FUNCTION stamp(engine) RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_stamp' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION stamp(engine) IS 'deletion id of the running DELETE (internal)';

CREATE FUNCTION stamp(engine, tid, oid) RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_stamp_locked' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION stamp(engine, tid, oid) IS 'lock a row that others refer to; deletion id of the running DELETE (internal)';

CREATE FUNCTION deleted_parent_ok(engine, oid, int2vector, tid, oid, VARIADIC "any") RETURNS boolean
	AS 'MODULE_PATHNAME', 'softdelete_deleted_parent_ok' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION deleted_parent_ok(engine, oid, int2vector, tid, oid, "any") IS 'does no live row refer to this deleted one? (internal)';

CREATE FUNCTION raise_deleted_row(engine, oid, int2vector, VARIADIC "any") RETURNS boolean
	AS 'MODULE_PATHNAME', 'softdelete_raise_deleted_row' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION raise_deleted_row(engine, oid, int2vector, "any") IS 'ON CONFLICT DO UPDATE met a deleted row (internal)';

CREATE FUNCTION former_unknown(engine, oid, anyelement) RETURNS anyelement
	AS 'MODULE_PATHNAME', 'softdelete_former_unknown' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION former_unknown(engine, oid, anyelement) IS 'a restore does not know the former status (internal)';

-- For shards (src/plan/orders.c): the condition is true wherever it is evaluated.
CREATE FUNCTION remote(bigint, text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'softdelete_remote' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION remote(bigint, text) IS 'carries an order to the shards of a distributed table; true (internal)';

CREATE FUNCTION remote_order(engine, oid, text, text) RETURNS text
	AS 'MODULE_PATHNAME', 'softdelete_remote_order' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION remote_order(engine, oid, text, text) IS 'the order for the shards of a distributed table (internal)';

CREATE FUNCTION stamped_at(engine) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'softdelete_stamped_at' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION stamped_at(engine) IS 'when the running DELETE marks rows, on every node of a cluster (internal)';

CREATE FUNCTION key_digest() RETURNS text
	AS 'MODULE_PATHNAME', 'softdelete_key_digest' LANGUAGE C STABLE;
COMMENT ON FUNCTION key_digest() IS 'the same on nodes that have the same softdelete.cluster_key; NULL where none is set (internal)';

CREATE FUNCTION stamp_trigger() RETURNS trigger
	AS 'MODULE_PATHNAME', 'softdelete_stamp_trigger' LANGUAGE C;
COMMENT ON FUNCTION stamp_trigger() IS 'fills the companion columns when an UPDATE sets or clears the mark';

CREATE FUNCTION mark() RETURNS trigger
	AS 'MODULE_PATHNAME', 'softdelete_mark' LANGUAGE C;
COMMENT ON FUNCTION mark() IS 'cascades deletes and restores; its trigger makes a table managed';

CREATE FUNCTION born() RETURNS trigger
	AS 'MODULE_PATHNAME', 'softdelete_born' LANGUAGE C;
COMMENT ON FUNCTION born() IS 'stamps rows that are inserted with the mark';

CREATE FUNCTION guard() RETURNS trigger
	AS 'MODULE_PATHNAME', 'softdelete_guard' LANGUAGE C;
COMMENT ON FUNCTION guard() IS 'keeps rows from being erased other than by a purge';

CREATE FUNCTION refuse_truncate() RETURNS trigger
	AS 'MODULE_PATHNAME', 'softdelete_refuse_truncate' LANGUAGE C;
COMMENT ON FUNCTION refuse_truncate() IS 'refuses TRUNCATE of a managed table';

CREATE FUNCTION describe(target regclass,
	OUT marker name, OUT kind text, OUT deleted_value text, OUT time_column name,
	OUT id_column name, OUT former_column name, OUT live_predicate text, OUT deleted_predicate text,
	OUT triggers text, OUT hide boolean)
	AS 'MODULE_PATHNAME', 'softdelete_describe' LANGUAGE C STABLE STRICT COST 100;
COMMENT ON FUNCTION describe(regclass) IS 'how a managed table marks its deleted rows; NULLs for others';

CREATE FUNCTION preloaded() RETURNS boolean
	AS 'MODULE_PATHNAME', 'softdelete_preloaded' LANGUAGE C STABLE;
COMMENT ON FUNCTION preloaded() IS 'will new sessions in this database load the library?';

CREATE FUNCTION preload_command() RETURNS text
	AS 'MODULE_PATHNAME', 'softdelete_preload_command' LANGUAGE C STABLE;
COMMENT ON FUNCTION preload_command() IS 'the command that makes sessions in this database load the library';

CREATE FUNCTION predicate(target regclass, marker name, kind text, deleted_value text, live boolean, alias text DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME', 'softdelete_predicate' LANGUAGE C STABLE;
COMMENT ON FUNCTION predicate(regclass, name, text, text, boolean, text) IS 'the condition that a row is live, or deleted (internal)';

CREATE FUNCTION has_statistics(target regclass, name name) RETURNS boolean
	AS 'MODULE_PATHNAME', 'softdelete_has_statistics' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION has_statistics(regclass, name) IS 'has ANALYZE seen the column? (internal)';

CREATE FUNCTION as_owner(target regclass, command text) RETURNS text
	AS 'MODULE_PATHNAME', 'softdelete_as_owner' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION as_owner(regclass, text) IS 'run a command as the owner of a table, whose rights the caller has to have (internal)';

CREATE FUNCTION adopt(target regclass, rows bigint, id bigint DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'softdelete_adopt' LANGUAGE C VOLATILE;
COMMENT ON FUNCTION adopt(regclass, bigint, bigint) IS 'log rows that were marked before the table was managed (internal)';

CREATE FUNCTION log_restored(target regclass, deletion_id bigint, rows bigint) RETURNS void
	AS 'MODULE_PATHNAME', 'softdelete_log_restored' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION log_restored(regclass, bigint, bigint) IS 'log rows that were un-marked while the table was not managed (internal)';

CREATE FUNCTION forget(target regclass) RETURNS void
	AS 'MODULE_PATHNAME', 'softdelete_forget' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION forget(regclass) IS 'drop the retention of a table (internal)';

CREATE FUNCTION drop_triggers(target regclass) RETURNS integer
	AS 'MODULE_PATHNAME', 'softdelete_drop_triggers' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION drop_triggers(regclass) IS 'drop the triggers of a managed table, whatever their names; returns their number (internal; use disable)';

CREATE FUNCTION number_of_triggers() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$ SELECT 5 $$;
COMMENT ON FUNCTION number_of_triggers() IS 'how many kinds of trigger a managed table has (internal)';

CREATE FUNCTION drop_triggers(target regclass, function regprocedure) RETURNS integer
	AS 'MODULE_PATHNAME', 'softdelete_drop_triggers' LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION drop_triggers(regclass, regprocedure) IS 'the same for those that call this function (internal)';

CREATE FUNCTION own_triggers(target regclass) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT count(DISTINCT t.tgfoid) FROM pg_trigger t
	 WHERE t.tgrelid = target AND t.tgparentid = 0
	   AND t.tgfoid IN ('softdelete.stamp_trigger()'::regprocedure, 'softdelete.guard()'::regprocedure,
						'softdelete.refuse_truncate()'::regprocedure, 'softdelete.mark()'::regprocedure,
						'softdelete.born()'::regprocedure)
$$;
COMMENT ON FUNCTION own_triggers(regclass) IS 'how many of the kinds of trigger of a managed table it has, whatever their names (internal)';
