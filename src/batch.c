/*
 * batch.c
 *		Erasing expired rows: a batch of them, or all.
 *
 * A batch goes in a subtransaction.  Where that fails, the rows are tried one by one, so
 * that a row which cannot go stays and stalls none of the others.  A batch of
 * which every row has to go needs no guard; else the guard trigger counts the
 * rows and refuses any that a foreign key would take along wrongly.
 */
#include "postgres.h"

#include "batch.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "deletions.h"
#include "miscadmin.h"
#include "predicate.h"
#include "query.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
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

/* what is done in a subtransaction; batch is NULL for all rows */
typedef void (*EraseWork) (PurgeRun *run, SdStatement *statement, Batch *batch);

/*
 * Do work in a subtransaction; false when it failed and nothing went.
 *
 * guarded: every row passes the guard trigger, which counts it.  Otherwise work
 * counts them.
 */
static bool
try_erase(PurgeRun *run, EraseWork work, Batch *batch, bool guarded)
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
		work(run, &statement, batch);
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

/* does anybody have a say in which rows go? */
static bool
is_simple(PurgeRun *run)
{
	Relation	rel = table_open(run->relid, RowExclusiveLock);
	bool		simple = run->table->children == NIL && rel->rd_rules == NULL &&
		ARR_NDIM(run->held) == 0;

	for (int i = 0; simple && rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
		simple = !TRIGGER_FOR_DELETE(rel->trigdesc->triggers[i].tgtype) ||
			sd_is_own_trigger(&rel->trigdesc->triggers[i]);
	table_close(rel, NoLock);
	return simple;
}

/* ----------
 * WITH gone AS (DELETE FROM ONLY table t
 *	 WHERE t.deleted_at <= $1 AND <expired by $2, $3> RETURNING t.deletion_id)
 *	SELECT g.deletion_id, count(*) FROM gone g WHERE $4 IS NULL GROUP BY 1
 * ----------
 */
static void
erase_all(PurgeRun *run, SdStatement *statement, Batch *batch)
{
	SdTable    *table = run->table;
	Oid			time_type = getBaseType(get_atttype(table->relid, table->time));
	Oid			types[4] = {time_type, INTERVALOID, TIMESTAMPTZOID};
	Datum		values[4];
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "WITH gone AS (DELETE FROM ONLY %s t WHERE t.%s OPERATOR(pg_catalog.<=) $1 AND ",
					 sd_qualified_name(run->relid),
					 sd_column_name(table->relid, table->time));
	sd_append_expired(&text, table, "t", 2, 3);
	appendStringInfo(&text, " RETURNING t.%s AS id) SELECT g.id, pg_catalog.count(*) FROM gone g"
					 " WHERE $4 IS NULL GROUP BY g.id",
					 sd_column_name(table->relid, table->id));
	values[0] = sd_upper_bound(run, time_type);
	values[1] = IntervalPGetDatum(run->retention);
	values[2] = TimestampTzGetDatum(run->now);
	sd_execute(sd_prepare(text.data, 3, types, run->owner, CURSOR_OPT_CUSTOM_PLAN),
			   values, statement, run->owner, true, SD_VIEW_STATEMENT, 0);

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		id_null;
		bool		isnull;
		Datum		id = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &id_null);
		int64		n = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
													SPI_tuptable->tupdesc, 2, &isnull));

		statement->rows += n;
		if (!id_null)
			sd_count_by_id(&statement->purged, TopTransactionContext,
						   DatumGetInt64(id), n);
	}
}

/*
 * Erase all expired rows of a table at once, where nobody refers to them, has a
 * trigger that might object, or put one on hold: then batches would save
 * nothing.  false where that is not so, or something came in between.
 */
bool
sd_erase_all(PurgeRun *run)
{
	return is_simple(run) && try_erase(run, erase_all, NULL, false);
}

/* Erase the rows with these ctids all at once, or, when that fails, one by one. */
void
sd_erase_batch(PurgeRun *run, SPIPlanPtr plan, Datum *tids, int64 *ids, int n)
{
	Batch		batch = {plan, tids, ids, n};

	if (n == 0 ||
		try_erase(run, erase_batch, &batch, false) ||
		try_erase(run, erase_batch, &batch, true))
		return;
	for (int i = 0; i < n; i++)
	{
		Batch		one = {plan, &tids[i], &ids[i], 1};

		CHECK_FOR_INTERRUPTS();
		if (n == 1 || !try_erase(run, erase_batch, &one, true))
			run->kept++;
	}
}
