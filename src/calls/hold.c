/*
 * hold.c
 *		Holds: deletions, and single rows, that nothing may erase.
 *
 * Writes what the log says of a deletion's hold, and softdelete.hold_log, which
 * keeps every hold with its end.  engine/holds.c asks for those of rows.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "calls/deletionowner.h"
#include "calls/rowbykey.h"
#include "catalog/pg_type.h"
#include "engine/holds.h"
#include "miscadmin.h"
#include "tables/names.h"
#include "tables/primarykey.h"
#include "tables/rights.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(softdelete_hold);
PG_FUNCTION_INFO_V1(softdelete_release);
PG_FUNCTION_INFO_V1(softdelete_hold_row);
PG_FUNCTION_INFO_V1(softdelete_release_row);

static Datum
user_name(void)
{
	return DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(GetUserId(), false)));
}

/* hold(deletion id, why): a purge passes over its rows */
Datum
softdelete_hold(PG_FUNCTION_ARGS)
{
	Oid			types[3] = {INT8OID, TEXTOID, NAMEOID};
	Datum		values[3];

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("deletion id must not be null")));
	sd_check_owns_deletion(PG_GETARG_INT64(0));
	values[0] = PG_GETARG_DATUM(0);
	values[1] = PG_ARGISNULL(1) ? CStringGetTextDatum("") : PG_GETARG_DATUM(1);
	values[2] = user_name();
	sd_spi_connect();
	if (sd_own_sql("UPDATE softdelete.deletion_log SET held_at = pg_catalog.now(),"
				   " held_why = NULLIF($2, ''), held_by = $3"
				   " WHERE id OPERATOR(pg_catalog.=) $1"
				   " AND restored OPERATOR(pg_catalog.+) purged OPERATOR(pg_catalog.<)"
				   " (SELECT pg_catalog.sum(n) FROM pg_catalog.unnest(marked) n)",
				   3, types, values) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("deletion " INT64_FORMAT " has no rows left to hold", PG_GETARG_INT64(0)),
				 errdetail("All of its rows were restored or purged.")));
	/* another reason for the same hold ends the one and begins the other */
	(void) sd_own_sql("UPDATE softdelete.hold_log SET released_at = pg_catalog.now(), released_by = $3"
					  " WHERE deletion_id OPERATOR(pg_catalog.=) $1 AND released_at IS NULL"
					  " AND $2 IS NOT NULL", 3, types, values);
	(void) sd_own_sql("INSERT INTO softdelete.hold_log (deletion_id, target, since, held_by, why)"
					  " SELECT l.id, l.target, pg_catalog.now(), $3, NULLIF($2, '')"
					  " FROM softdelete.deletion_log l WHERE l.id OPERATOR(pg_catalog.=) $1",
					  3, types, values);
	sd_spi_finish();
	PG_RETURN_VOID();
}

/* release(deletion id): raises nothing where it is not on hold */
Datum
softdelete_release(PG_FUNCTION_ARGS)
{
	Oid			types[2] = {INT8OID, NAMEOID};
	Datum		values[2] = {PG_GETARG_DATUM(0), user_name()};

	sd_check_owns_deletion(PG_GETARG_INT64(0));
	(void) sd_write_own("UPDATE softdelete.deletion_log SET held_at = NULL, held_why = NULL,"
						" held_by = NULL WHERE id OPERATOR(pg_catalog.=) $1", 1, types, values);
	(void) sd_write_own("UPDATE softdelete.hold_log SET released_at = pg_catalog.now(), released_by = $2"
						" WHERE deletion_id OPERATOR(pg_catalog.=) $1 AND released_at IS NULL",
						2, types, values);
	PG_RETURN_VOID();
}

/* the key as trash() shows it, {"id": 7}; SPI is connected */
static Datum
key_as_json(SdByKey *key)
{
	Relation	rel = table_open(key->relid, AccessShareLock);
	Relation	index = index_open(sd_primary_key(rel), AccessShareLock);
	int			nest_level = NewGUCNestLevel();
	StringInfoData buf;
	bool		isnull;

	/* the same key from every session: these are what jsonb heeds */
	(void) set_config_option("TimeZone", "UTC", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("IntervalStyle", "postgres", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	(void) set_config_option("bytea_output", "hex", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	initStringInfo(&buf);
	for (int i = 0; i < key->n; i++)
		appendStringInfo(&buf, "%s%s, $%d", i ? ", " : "SELECT pg_catalog.jsonb_build_object(",
						 quote_literal_cstr(get_attname(key->relid, index->rd_index->indkey.values[i], false)),
						 i + 1);
	appendStringInfoChar(&buf, ')');
	index_close(index, NoLock);
	table_close(rel, NoLock);
	if (SPI_execute_with_args(buf.data, key->n, key->types, key->values, NULL,
							  true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed");
	AtEOXact_GUC(true, nest_level);
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
}

/*
 * hold_row(table, why, VARIADIC key): nothing erases the row, live or deleted, until
 * release_row().  Waits for purges of the table that are under way.
 */
Datum
softdelete_hold_row(PG_FUNCTION_ARGS)
{
	SdByKey    *key = sd_by_key_from(fcinfo, 2);
	SdRowState	state;
	Oid			types[4] = {REGCLASSOID, JSONBOID, NAMEOID, TEXTOID};
	Datum		values[4];

	sd_check_owner(key->relid);
	if (key->table->distributed)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("row of distributed table \"%s\" cannot be held by itself",
						get_rel_name(key->relid)),
				 errdetail("Its shards do not know of such holds."),
				 errhint("DELETE it and hold its deletion: SELECT softdelete.hold(softdelete.delete(%s, %s), 'why').",
						 quote_literal_cstr(sd_qualified_name(key->relid)), key->literals)));
	sd_lock_holds(key->table->root);
	sd_spi_connect();
	if (!sd_probe(key, &state))
		sd_raise_no_row(key);
	values[0] = ObjectIdGetDatum(key->table->root);
	values[1] = key_as_json(key);
	values[2] = user_name();
	values[3] = PG_ARGISNULL(1) ? CStringGetTextDatum("") : PG_GETARG_DATUM(1);
	if (sd_own_sql("INSERT INTO softdelete.hold_log (target, key, since, held_by, why)"
				   " SELECT $1, $2, pg_catalog.now(), $3, NULLIF($4, '') WHERE NOT EXISTS"
				   " (SELECT FROM softdelete.hold_log h WHERE h.target OPERATOR(pg_catalog.=) $1"
				   " AND h.key OPERATOR(pg_catalog.=) $2 AND h.released_at IS NULL)",
				   4, types, values) == 0)
		ereport(NOTICE,
				(errmsg("row of table \"%s\" with key %s is on hold already",
						get_rel_name(key->relid), key->text)));
	sd_forget_holds();
	sd_spi_finish();
	PG_RETURN_VOID();
}

/* release_row(table, VARIADIC key): raises 55000 where the row is not on hold */
Datum
softdelete_release_row(PG_FUNCTION_ARGS)
{
	SdByKey    *key = sd_by_key(fcinfo);
	Oid			types[3] = {REGCLASSOID, JSONBOID, NAMEOID};
	Datum		values[3];

	sd_check_owner(key->relid);
	sd_spi_connect();
	values[0] = ObjectIdGetDatum(key->table->root);
	values[1] = key->has_null ? (Datum) 0 : key_as_json(key);
	values[2] = user_name();
	if (key->has_null ||
		sd_own_sql("UPDATE softdelete.hold_log SET released_at = pg_catalog.now(), released_by = $3"
				   " WHERE target OPERATOR(pg_catalog.=) $1 AND key OPERATOR(pg_catalog.=) $2"
				   " AND released_at IS NULL", 3, types, values) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("row of table \"%s\" is not on hold", get_rel_name(key->relid)),
				 errdetail("No hold of the row with key %s is in force by itself; its deletion may be on hold.",
						   key->text)));
	sd_forget_holds();
	sd_spi_finish();
	PG_RETURN_VOID();
}
