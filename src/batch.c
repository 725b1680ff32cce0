/*
 * batch.c
 *		Erasing one batch of expired rows.
 *
 * In a subtransaction.  Where that fails, the rows are tried one by one, so
 * that a row which cannot go stays and stalls none of the others.  A batch of
 * which every row has to go needs no guard; else the guard trigger counts the
 * rows and refuses any that a foreign key would take along wrongly.
 */
#include "postgres.h"

#include "batch.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "deletions.h"
#include "miscadmin.h"
#include "query.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* Tell the statement which deletions it has to leave alone. */
void
sd_set_held(SdStatement *statement, ArrayType *held)
{
	deconstruct_array(held, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &statement->held, NULL, &statement->n_held);
}

/*
 * Erase the rows with these ctids, as far as they are still expired.  The
 * statement's counts tell what went.
 */
static void
erase(PurgeRun *run, SPIPlanPtr plan, Datum *tids, int n, SdStatement *statement)
{
	Datum		values[4];

	values[0] = PointerGetDatum(construct_array(tids, n, TIDOID,
												sizeof(ItemPointerData), false,
												TYPALIGN_SHORT));
	values[1] = IntervalPGetDatum(run->retention);
	values[2] = TimestampTzGetDatum(run->now);
	sd_execute(plan, values, statement, run->owner, true, SD_VIEW_STATEMENT, 0);
}

/* errors that end the purge instead of keeping a row */
static bool
is_fatal(int sqlerrcode)
{
	int			category = ERRCODE_TO_CATEGORY(sqlerrcode);

	return category == ERRCODE_OPERATOR_INTERVENTION ||
		category == ERRCODE_INSUFFICIENT_RESOURCES ||
		category == ERRCODE_TRANSACTION_ROLLBACK ||
		category == ERRCODE_INTERNAL_ERROR ||
		category == ERRCODE_SYSTEM_ERROR;
}

/*
 * The same in a subtransaction; false when it failed and nothing went.
 *
 * guarded: every row passes the guard trigger, which counts it.  Otherwise all
 * of them have to go, and are counted by their deletion ids, 0 for none.
 */
static bool
try_erase(PurgeRun *run, SPIPlanPtr plan, Datum *tids, int64 *ids, int n, bool guarded)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	SdStatement statement = {SD_TASK_PURGE};
	volatile bool done = false;

	statement.relid = run->relid;
	statement.purge_table = run->table->root;
	statement.guarded = guarded;
	sd_set_held(&statement, run->held);
	statement.retention = run->retention;
	statement.now = run->now;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		erase(run, plan, tids, n, &statement);
		if (statement.unguarded)
		{
			if (SPI_processed != (uint64) n)
				ereport(ERROR,
						(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
						 errmsg("rows to purge were changed meanwhile")));
			statement.rows += n;
			for (int i = 0; i < n; i++)
				if (ids[i] != 0)
					sd_count_by_id(&statement.purged, TopTransactionContext, ids[i], 1);
		}
		sd_log_note(statement.purged, GetUserId(), true);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		run->purged += statement.rows;
		done = true;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (is_fatal(error->sqlerrcode))
			ReThrowError(error);
		FreeErrorData(error);
	}
	PG_END_TRY();
	if (statement.purged)
		hash_destroy(statement.purged);
	return done;
}

/* All at once, or, when that fails, one by one. */
void
sd_erase_batch(PurgeRun *run, SPIPlanPtr plan, Datum *tids, int64 *ids, int n)
{
	if (n == 0 ||
		try_erase(run, plan, tids, ids, n, false) ||
		try_erase(run, plan, tids, ids, n, true))
		return;
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (n == 1 || !try_erase(run, plan, &tids[i], &ids[i], 1, true))
			run->kept++;
	}
}
