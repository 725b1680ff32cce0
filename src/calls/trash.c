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
#include "funcapi.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "tables/trashquery.h"

PG_FUNCTION_INFO_V1(softdelete_trash);

/* Add the deleted rows of the table to the result, with the caller's rights. */
static void
put_rows(Oid relid, ReturnSetInfo *rsinfo)
{
	SdTable    *table = sd_table_by_oid(relid);
	Portal		portal;

	/* gone meanwhile, or a partition, whose rows are its table's */
	if (table == NULL || table->root != relid)
		return;
	portal = SPI_cursor_parse_open(NULL, sd_trash_query(table, false, true),
								   &(SPIParseOpenOptions) {.read_only = true});
	do
	{
		SPI_cursor_fetch(portal, true, 1000);
		for (uint64 i = 0; i < SPI_processed; i++)
			tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
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
