/*
 * erasure.c
 *		erase(): a row that is to be gone at once, live or deleted.
 *
 * A live row is deleted first, as any DELETE would, so that what cascades, what
 * refuses and what triggers do is as ever; then it is purged with all that went
 * along, and with rows that have made room for it.  The log says that rows were erased, and by whom, not which.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/spi.h"
#include "calls/rowbykey.h"
#include "engine/statement.h"
#include "purge/purge.h"
#include "tables/rights.h"
#include "utils/guc.h"

PG_FUNCTION_INFO_V1(softdelete_erase);

/* Mark the row, as the table's owner. */
static void
delete_live(SdByKey *key)
{
	SdStatement statement = {SD_TASK_DELETE, .restricted = true};
	int			nest_level = NewGUCNestLevel();

	/* what the caller gave as a reason may name the person who is to be forgotten */
	(void) set_config_option("softdelete.reason", "erased", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	(void) sd_by_key_execute(key, &statement, sd_owner_of(key->relid));
	AtEOXact_GUC(false, nest_level);
}

/*
 * erase(table, VARIADIC key) -> rows erased, cascaded ones included.  Raises P0002
 * without such a row, 55D04 where it is on hold, 42501 unless the caller owns the
 * table or has softdelete.hard_delete on.
 */
Datum
softdelete_erase(PG_FUNCTION_ARGS)
{
	SdByKey    *key = sd_by_key(fcinfo);
	SdRowState	state;

	sd_check_may_purge(key->relid);
	sd_spi_connect();
	if (sd_probe(key, &state) && !state.deleted)
		delete_live(key);
	sd_spi_finish();
	CommandCounterIncrement();
	return softdelete_purge(fcinfo);
}
