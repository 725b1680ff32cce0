/*
 * trash.c
 *		softdelete.trash(): the deleted rows, of one table or of all.
 *
 * Runs where the planner could not put the query in the place of the call:
 * when no table is given, or which one is known only as it runs.
 */
#include "postgres.h"

#include "base/spi.h"
#include "calls/rowbykey.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "tables/trashquery.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(softdelete_trash);

static void
put_found(ReturnSetInfo *rsinfo)
{
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	SPI_freetuptable(SPI_tuptable);
}

/* The rows that SPI has fetched from shards, together with what the log says of them. */
static void
put_fetched(SdTable *table, ReturnSetInfo *rsinfo)
{
	Oid			types[4] = {INT8ARRAYOID, TIMESTAMPTZARRAYOID, JSONBARRAYOID, JSONBARRAYOID};
	Oid			elements[4] = {INT8OID, TIMESTAMPTZOID, JSONBOID, JSONBOID};
	Datum		values[4];
	SPITupleTable *fetched = SPI_tuptable;
	uint64		n = SPI_processed;

	for (int column = 0; column < 4; column++)
	{
		ArrayBuildState *array = initArrayResult(elements[column], CurrentMemoryContext, false);

		for (uint64 i = 0; i < n; i++)
		{
			bool		isnull;
			Datum		value = SPI_getbinval(fetched->vals[i], fetched->tupdesc, column + 1, &isnull);

			array = accumArrayResult(array, value, isnull, elements[column], CurrentMemoryContext);
		}
		values[column] = makeArrayResult(array, CurrentMemoryContext);
	}
	SPI_freetuptable(fetched);
	if (SPI_execute_with_args(sd_trash_query(table, false, true), 4, types, values, NULL,
							  true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed");
	put_found(rsinfo);
	for (int column = 0; column < 4; column++)
		pfree(DatumGetPointer(values[column]));
}

/* Add the deleted rows of the table to the result, with the caller's rights. */
static void
put_rows(Oid relid, ReturnSetInfo *rsinfo)
{
	SdTable    *table = sd_table_by_oid(relid);
	Portal		portal;
	uint64		found;

	/* gone meanwhile, or a partition, whose rows are its table's */
	if (table == NULL || table->root != relid)
		return;
	portal = SPI_cursor_parse_open(NULL, table->distributed ? sd_trash_rows(table, false, true) :
								   sd_trash_query(table, false, true),
								   &(SPIParseOpenOptions) {.read_only = true});
	do
	{
		CHECK_FOR_INTERRUPTS();
		SPI_cursor_fetch(portal, true, 1000);
		found = SPI_processed;
		if (table->distributed)
			put_fetched(table, rsinfo);
		else
			put_found(rsinfo);
	} while (found > 0);
	SPI_cursor_close(portal);
}

/* trash(table): see the script */
Datum
softdelete_trash(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	sd_spi_connect();
	if (!PG_ARGISNULL(0))
	{
		sd_require_managed(PG_GETARG_OID(0));
		put_rows(PG_GETARG_OID(0), rsinfo);
	}
	else
	{
		SPITupleTable *tables;
		uint64		n;

		/* unasked, other people's policies are not evaluated */
		if (SPI_execute("SELECT m.target FROM softdelete.tables m JOIN pg_catalog.pg_class c"
						" ON c.oid OPERATOR(pg_catalog.=) m.target"
						" WHERE pg_catalog.has_table_privilege(m.target, 'SELECT')"
						" AND (NOT pg_catalog.row_security_active(m.target) OR pg_catalog.pg_has_role(c.relowner, 'USAGE'))"
						" ORDER BY m.target::pg_catalog.text", true, 0) != SPI_OK_SELECT)
			elog(ERROR, "SPI_execute failed");
		tables = SPI_tuptable;
		n = SPI_processed;
		for (uint64 i = 0; i < n; i++)
		{
			bool		isnull;
			Datum		relid = SPI_getbinval(tables->vals[i], tables->tupdesc, 1, &isnull);

			put_rows(DatumGetObjectId(relid), rsinfo);
		}
	}
	sd_spi_finish();
	return (Datum) 0;
}
