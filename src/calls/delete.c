/*
 * delete.c
 *		delete(): the strict call for one row.
 *
 * Runs a DELETE as the caller, so that privileges and row security hold by
 * themselves.  Owns no state.
 */
#include "postgres.h"

#include "base/spi.h"
#include "calls/refusal.h"
#include "calls/rowbykey.h"
#include "engine/statement.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(softdelete_delete);

/* delete(table, VARIADIC key) -> deletion id */
Datum
softdelete_delete(PG_FUNCTION_ARGS)
{
	SdByKey    *key = sd_by_key(fcinfo);
	SdStatement statement = {SD_TASK_DELETE};
	SdRowState	state;

	sd_spi_connect();
	/* a row that was restored between the two looks is tried once more */
	for (int attempt = 1; key->has_null ||
		 sd_by_key_execute(key, &statement, InvalidOid) == 0; attempt++)
	{
		if (!sd_probe(key, &state))
			sd_raise_no_row(key);
		if (state.deleted)
			sd_raise_already(key, true, state.id);
		if (attempt == 2)
			sd_raise_refused(key, "delete");
	}
	sd_spi_finish();
	PG_RETURN_INT64(statement.id);
}
