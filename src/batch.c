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

/* rows to erase */
typedef struct Batch
{
	SPIPlanPtr	plan;
	Datum	   *tids;
	int64	   *ids;			/* their deletion ids, 0 for none */
	int			n;
} Batch;

/*
 * Erase the rows of a batch, as far as they are still expired.  Without the
 * guard all of them have to go.
 */
static void
erase_batch(PurgeRun *run, SdStatement *statement, Batch *batch)
{
	Datum		values[4];

	values[0] = PointerGetDatum(construct_array(batch->tids, batch->n, TIDOID,
												sizeof(ItemPointerData), false,
												TYPALIGN_SHORT));
	values[1] = IntervalPGetDatum(run->retention);
	values[2] = TimestampTzGetDatum(run->now);
	sd_execute(batch->plan, values, statement, run->owner, true,
			   SD_VIEW_STATEMENT, 0);
	if (!statement->unguarded)
		return;
	if (SPI_processed != (uint64) batch->n)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("rows to purge were changed meanwhile")));
	statement->rows += batch->n;
	for (int i = 0; i < batch->n; i++)
		if (batch->ids[i] != 0)
			sd_count_by_id(&statement->purged, TopTransactionContext,
						   batch->ids[i], 1);
}

/*
 * The same in a subtransaction; false when it failed and nothing went.
 *
 * guarded: every row passes the guard trigger, which counts it.
 */
static bool
try_erase(PurgeRun *run, Batch *batch, bool guarded)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	SdStatement statement = {SD_TASK_PURGE};
	volatile bool done = false;

	statement.relid = run->relid;
	statement.purge_table = run->table->root;
	statement.retention = run->retention;
	statement.now = run->now;
	statement.guarded = guarded;
	sd_set_held(&statement, run->held);

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		erase_batch(run, &statement, batch);
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

/* Erase the rows with these ctids all at once, or, when that fails, one by one. */
void
sd_erase_batch(PurgeRun *run, SPIPlanPtr plan, Datum *tids, int64 *ids, int n)
{
	Batch		batch = {plan, tids, ids, n};

	if (n == 0 ||
		try_erase(run, &batch, false) ||
		try_erase(run, &batch, true))
		return;
	for (int i = 0; i < n; i++)
	{
		Batch		one = {plan, &tids[i], &ids[i], 1};

		CHECK_FOR_INTERRUPTS();
		if (n == 1 || !try_erase(run, &one, true))
			run->kept++;
	}
}
