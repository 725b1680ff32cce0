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

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "engine/counts.h"
#include "engine/holds.h"
#include "engine/log.h"
#include "engine/statement.h"
#include "miscadmin.h"
#include "purge/batch.h"
#include "purge/expiry.h"
#include "tables/names.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

/* Tell the statement which deletions it has to leave alone. */
void
sd_set_held(SdStatement *statement, ArrayType *held)
{
	deconstruct_array(held, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &statement->held, NULL, &statement->n_held);
}

/* raised by code in a procedural language, such as plpgsql's pl_exec.c? */
static bool
is_raised_by_user(ErrorData *error)
{
	return error->filename != NULL && strncmp(error->filename, "pl", 2) == 0;
}

/*
 * Errors that end the purge instead of keeping a row.  A user's trigger may
 * raise any SQLSTATE: that it cannot cancel everybody's purge is why a cancel
 * has to come from where PostgreSQL raises it, and the others not from where a
 * trigger does.  An internal error is the row's as well, as it is plpgsql's WHEN
 * OTHERS': so many languages raise their own errors as one.  Conflicts of a
 * transaction with one snapshot stay what they are when tried again.
 */
static bool
is_fatal(ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	if (category == ERRCODE_OPERATOR_INTERVENTION)
		return error->funcname != NULL &&
			strcmp(error->funcname, "ProcessInterrupts") == 0;
	if (is_raised_by_user(error))
		return false;
	if (category == ERRCODE_TRANSACTION_ROLLBACK)
		return IsolationUsesXactSnapshot();
	return category == ERRCODE_INSUFFICIENT_RESOURCES ||
		category == ERRCODE_SYSTEM_ERROR ||
		(error->sqlerrcode == ERRCODE_READ_ONLY_SQL_TRANSACTION && XactReadOnly);
}

/*
 * Run work(argument) in a subtransaction; false when it failed and left
 * nothing behind.  Errors that no smaller batch could avoid are passed on.
 */
bool
sd_attempt(void (*work) (void *), void *argument)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(argument);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
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
		if (is_fatal(error))
			ReThrowError(error);
		FreeErrorData(error);
	}
	PG_END_TRY();
	return done;
}

/* the statement that erases expired rows of run->relid by their ctids */
SPIPlanPtr
sd_prepare_eraser(PurgeRun *run)
{
	Oid			types[4] = {TIDARRAYOID, INTERVALOID, TIMESTAMPTZOID};
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "DELETE FROM ONLY %s t WHERE t.ctid OPERATOR(pg_catalog.=) ANY ($1)"
					 " AND CASE WHEN ",
					 sd_qualified_name(run->relid));
	sd_append_expired(&text, run->table, "t", 2, 3);
	appendStringInfoString(&text, " THEN true END AND $4 IS NULL");

	/*
	 * By ctid and no other way.  CASE hides the condition from the planner,
	 * which would like the index over deleted rows better where statistics do
	 * not know of any yet; and a plan for each batch's ctids would scan the
	 * whole table.
	 */
	return sd_prepare(text.data, 3, types, run->owner, CURSOR_OPT_GENERIC_PLAN);
}

/*
 * Erase the rows with these ctids that are still expired.  With statement's
 * guarded, every row passes the guard trigger, which counts it.  triggers_now:
 * as for sd_execute().
 */
void
sd_erase_rows(PurgeRun *run, SdStatement *statement, SPIPlanPtr eraser,
			  Datum *tids, int n, bool triggers_now)
{
	Datum		values[4];

	statement->task = SD_TASK_PURGE;
	statement->restricted = true;
	statement->relid = run->relid;
	statement->purge_table = run->table->root;
	statement->retention = run->retention;
	statement->now = run->now;
	statement->context = CurrentMemoryContext;
	sd_set_held(statement, run->held);

	values[0] = PointerGetDatum(construct_array(tids, n, TIDOID,
												sizeof(ItemPointerData), false,
												TYPALIGN_SHORT));
	values[1] = IntervalPGetDatum(run->retention);
	values[2] = TimestampTzGetDatum(run->now);
	sd_execute(eraser, values, statement, run->owner, triggers_now,
			   SD_VIEW_STATEMENT, 0);
}

/* rows of one table to erase */
typedef struct Batch
{
	PurgeRun   *run;
	SPIPlanPtr	eraser;
	Datum	   *tids;
	int64	   *ids;			/* their deletion ids, 0 for none */
	int			n;
	bool		guarded;
} Batch;

/* Without the guard all of the rows have to go. */
static void
erase_batch(void *argument)
{
	Batch	   *batch = argument;
	SdStatement statement = {0};

	statement.guarded = batch->guarded;
	sd_erase_rows(batch->run, &statement, batch->eraser, batch->tids, batch->n, true);
	if (statement.unguarded)
	{
		if (SPI_processed != (uint64) batch->n)
			ereport(ERROR,
					(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
					 errmsg("rows to purge were changed meanwhile")));
		statement.rows += batch->n;
		/* rows of one deletion mostly lie side by side */
		for (int i = 0, next; i < batch->n; i = next)
		{
			for (next = i + 1; next < batch->n && batch->ids[next] == batch->ids[i];)
				next++;
			if (batch->ids[i] != 0)
				sd_count_by_id(&statement.purged, statement.context,
							   batch->ids[i], batch->run->root, next - i);
		}
	}
	sd_log_note(statement.purged, GetUserId(), true);
	batch->run->purged += statement.rows;
}

/* Erase the rows with these ctids all at once, or, when that fails, one by one. */
void
sd_erase_batch(PurgeRun *run, SPIPlanPtr eraser, Datum *tids, int64 *ids, int n)
{
	Batch		batch = {run, eraser, tids, ids, n, sd_has_row_holds(run->root)};

	if (n == 0 || sd_attempt(erase_batch, &batch))
		return;
	batch.guarded = true;
	if (sd_attempt(erase_batch, &batch))
		return;
	for (int i = 0; i < n; i++)
	{
		Batch		one = {run, eraser, &tids[i], &ids[i], 1, true};

		CHECK_FOR_INTERRUPTS();
		if (n == 1 || !sd_attempt(erase_batch, &one))
			run->kept++;
	}
}
