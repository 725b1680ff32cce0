/*
 * restore.c
 *		restore(): the strict call for one row and what went along with it.
 *
 * Runs as the caller, so that privileges and row security hold by themselves.
 * Owns no state.
 */
#include "postgres.h"

#include "base/spi.h"
#include "calls/bringback.h"
#include "calls/events.h"
#include "calls/refusal.h"
#include "calls/rowbykey.h"
#include "engine/statement.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "tables/names.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(softdelete_restore);

/* restore(table, VARIADIC key) -> rows brought back, cascaded ones included */
Datum
softdelete_restore(PG_FUNCTION_ARGS)
{
	SdByKey    *key = sd_by_key(fcinfo);
	SdByKey		bound = *key;
	SdStatement statement;
	SdRowState	state = {false, PG_INT64_MIN};
	ErrorContextCallback callback;
	int			rows;

	sd_spi_connect();
	callback.previous = error_context_stack;
	callback.callback = sd_clash_hint;
	callback.arg = get_rel_name(key->relid);
	do
	{
		int64		id = state.id;

		CHECK_FOR_INTERRUPTS();
		if (!sd_probe(key, &state) &&
			!(sd_bring_back_key(key) && sd_probe(key, &state)))
			sd_raise_no_row(key);
		if (!state.deleted)
			sd_raise_already(key, false, 0);
		if (state.id == id)
			sd_raise_refused(key, "restore");

		/*
		 * Of that deletion, which the log will say was restored: somebody may
		 * restore the row just now, and have it deleted again.
		 */
		statement = (SdStatement) {SD_TASK_RESTORE, .id = state.id};
		bound.where = psprintf("COALESCE(t.%s, 0) OPERATOR(pg_catalog.=) '" INT64_FORMAT "'::pg_catalog.int8 AND %s",
							   sd_column_name(key->relid, key->table->id),
							   state.id, key->where);
		error_context_stack = &callback;
		rows = sd_by_key_execute(&bound, &statement, InvalidOid);
		error_context_stack = callback.previous;
	} while (rows == 0);
	sd_name_event(key, state.id, "restored");
	sd_tell_replaced(statement.id);
	sd_spi_finish();
	PG_RETURN_INT64(statement.rows);
}

