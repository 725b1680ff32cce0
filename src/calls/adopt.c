/*
 * adopt.c
 *		adopt(), log_restored(): rows that were marked, or un-marked, while the
 *		table was not managed.
 *
 * Writes to the log what enable() found.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/own_objects.h"
#include "base/own_sql.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "engine/counts.h"
#include "engine/lognote.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(softdelete_adopt);
PG_FUNCTION_INFO_V1(softdelete_log_restored);

/* Raise for anybody but enable() on a table of the user's. */
static void
check_caller(Oid relid, const char *name)
{
	sd_check_owner(relid);
	if (sd_find_table(relid) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("softdelete.%s() is for softdelete.enable()", name)));
}

/*
 * adopt(table, rows, id) -> deletion id: a log row for rows that were marked
 * before the table was managed, or, by its id, more of them for one that there
 * is.  Who marked them, and why, is not known; the log says who took them over.
 */
Datum
softdelete_adopt(PG_FUNCTION_ARGS)
{
	Oid			types[5] = {REGCLASSOID, INT8OID, INT8OID, TEXTOID, TEXTOID};
	int64		id;
	Datum		values[5];

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	check_caller(PG_GETARG_OID(0), "adopt");
	values[0] = PG_GETARG_DATUM(0);
	values[1] = PG_GETARG_DATUM(1);
	if (!PG_ARGISNULL(2))
	{
		values[2] = PG_GETARG_DATUM(2);
		if (sd_write_own("UPDATE softdelete.deletion_log"
						 " SET marked = ARRAY[marked[1] OPERATOR(pg_catalog.+) $2]"
						 " WHERE id OPERATOR(pg_catalog.=) $3 AND target OPERATOR(pg_catalog.=) $1"
						 " AND pg_catalog.cardinality(tables) OPERATOR(pg_catalog.=) 1",
						 3, types, values) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_NO_DATA_FOUND),
					 errmsg("there is no such deletion")));
		PG_RETURN_DATUM(values[2]);
	}
	if (PG_GETARG_INT64(1) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of rows must be positive")));
	id = nextval_internal(sd_objects()->log_ids, false);
	values[2] = Int64GetDatum(id);
	values[3] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	values[4] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	sd_write_own("INSERT INTO softdelete.deletion_log (id, target, deleted_at, deleted_by,"
				 " session_role, reason, txid, tables, marked, restored, purged)"
				 " VALUES ($3, $1, pg_catalog.now(), $4::pg_catalog.name, $5::pg_catalog.name,"
				 " 'marked before softdelete.enable()', pg_catalog.txid_current(),"
				 " ARRAY[$1], ARRAY[$2], 0, 0)",
				 5, types, values);
	PG_RETURN_INT64(id);
}

/*
 * log_restored(table, deletion id, rows): an UPDATE brought so many rows of the
 * deletion back while the table was not managed.
 */
Datum
softdelete_log_restored(PG_FUNCTION_ARGS)
{
	HTAB	   *counts = NULL;

	check_caller(PG_GETARG_OID(0), "log_restored");
	sd_count_by_id(&counts, CurrentMemoryContext, PG_GETARG_INT64(1),
				   PG_GETARG_OID(0), PG_GETARG_INT64(2));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	sd_log_note(counts, GetUserId(), false);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PG_RETURN_VOID();
}
