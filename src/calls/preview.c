/*
 * preview.c
 *		preview(): what a delete of one row would take.
 *
 * Finds the row, as the caller; the walk along the foreign keys is SQL
 * (preview_row), which runs as the caller, too, and reads only.
 */
#include "postgres.h"

#include "base/spi.h"
#include "calls/rowbykey.h"
#include "catalog/pg_type.h"
#include "engine/statement.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(softdelete_preview);

/*
 * preview(table, VARIADIC key) -> rows by table and what becomes of them.  Raises
 * P0002 where there is no such row; of one that is deleted nothing is to be taken.
 */
Datum
softdelete_preview(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SdByKey    *key = sd_by_key(fcinfo);
	SdStatement statement = {SD_TASK_READ};
	Oid			types[] = {REGCLASSOID, OIDOID, TIDOID};
	Datum		values[3];
	Datum		deleted;
	bool		isnull;

	InitMaterializedSRF(fcinfo, 0);
	if (key->has_null)
		sd_raise_no_row(key);
	sd_spi_connect();
	sd_execute(sd_prepare(psprintf("SELECT t.tableoid, t.ctid, %s FROM %s t WHERE %s",
								   sd_table_predicate(key->table, false, "t"),
								   sd_qualified_name(key->relid), key->where),
						  key->n, key->types, InvalidOid, 0),
			   key->values, &statement, InvalidOid, true, SD_VIEW_STATEMENT, 1);
	if (SPI_processed == 0)
		sd_raise_no_row(key);

	values[0] = ObjectIdGetDatum(key->table->root);
	values[1] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	values[2] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	deleted = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3, &isnull);
	if (!isnull && DatumGetBool(deleted))
	{
		Datum		row[4] = {values[0], Int64GetDatum(0), 0, CStringGetTextDatum("deleted already")};
		bool		nulls[4] = {false, false, true, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
	else
	{
		if (SPI_execute_with_args("SELECT p.target, p.rows, p.on_delete, p.outcome"
								  " FROM softdelete.preview_row($1, $2, $3) p",
								  3, types, values, NULL, true, 0) != SPI_OK_SELECT)
			elog(ERROR, "SPI_execute_with_args failed");
		for (uint64 i = 0; i < SPI_processed; i++)
			tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	}
	sd_spi_finish();
	return (Datum) 0;
}
