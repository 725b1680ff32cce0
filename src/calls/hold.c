/*
 * hold.c
 *		hold() and release(): deletions that no purge may touch.
 *
 * Writes what the log says of the hold.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "tables/rights.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(softdelete_hold);
PG_FUNCTION_INFO_V1(softdelete_release);

/* raise unless the caller owns the table of the deletion */
static void
check_owns_deletion(int64 id)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(id)};
	bool		isnull;
	Oid			relid;

	sd_spi_connect();
	if (sd_own_sql("SELECT target FROM softdelete.deletion_log"
				   " WHERE id OPERATOR(pg_catalog.=) $1", 1, types, values) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no deletion " INT64_FORMAT, id),
				 errhint("SELECT id, target, deleted_at FROM softdelete.deletions lists them.")));
	relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1, &isnull));
	sd_spi_finish();
	sd_check_owner(relid);
}

/* hold(deletion id, why): a purge passes over its rows */
Datum
softdelete_hold(PG_FUNCTION_ARGS)
{
	Oid			types[3] = {INT8OID, TEXTOID, TEXTOID};
	Datum		values[3];

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("deletion id must not be null")));
	check_owns_deletion(PG_GETARG_INT64(0));
	values[0] = PG_GETARG_DATUM(0);
	values[1] = PG_ARGISNULL(1) ? CStringGetTextDatum("") : PG_GETARG_DATUM(1);
	values[2] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	if (sd_write_own("UPDATE softdelete.deletion_log SET held_at = pg_catalog.now(),"
					 " held_why = NULLIF($2, ''), held_by = $3::pg_catalog.name"
					 " WHERE id OPERATOR(pg_catalog.=) $1"
					 " AND restored OPERATOR(pg_catalog.+) purged OPERATOR(pg_catalog.<)"
					 " (SELECT pg_catalog.sum(n) FROM pg_catalog.unnest(marked) n)",
					 3, types, values) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("deletion " INT64_FORMAT " has no rows left to hold", PG_GETARG_INT64(0)),
				 errdetail("All of its rows were restored or purged.")));
	PG_RETURN_VOID();
}

Datum
softdelete_release(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {PG_GETARG_DATUM(0)};

	check_owns_deletion(PG_GETARG_INT64(0));
	sd_write_own("UPDATE softdelete.deletion_log SET held_at = NULL, held_why = NULL,"
				 " held_by = NULL WHERE id OPERATOR(pg_catalog.=) $1", 1, types, values);
	PG_RETURN_VOID();
}
