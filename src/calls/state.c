/*
 * state.c
 *		state(): is a row live, deleted, or not there?
 *
 * Runs a SELECT as the caller, so that privileges and row security hold by
 * themselves.  Owns no state.
 */
#include "postgres.h"

#include "base/spi.h"
#include "calls/rowbykey.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(softdelete_state);

/* state(table, VARIADIC key) -> 'live', 'deleted', NULL where there is no such row */
Datum
softdelete_state(PG_FUNCTION_ARGS)
{
	SdByKey    *key = sd_by_key(fcinfo);
	SdRowState	state;
	bool		found;

	sd_spi_connect();
	found = sd_probe(key, &state);
	sd_spi_finish();
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(state.deleted ? "deleted" : "live"));
}
