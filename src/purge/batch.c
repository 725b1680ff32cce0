/*
 * batch.c
 *		Erasing one batch of expired rows.
 *
 * Without a statement where that can be (erase.c), else by one; in a
 * subtransaction.  Where that fails, the rows are tried one by one, so that a
 * row which cannot go stays and stalls none of the others.  A statement of whose
 * rows every one has to go needs no guard; else the guard trigger counts the
 * rows and refuses any that a foreign key would take along wrongly.
 *
 * Called by purge.c and, for its statements, cycle.c.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "engine/holds.h"
#include "engine/statement.h"
#include "miscadmin.h"
#include "purge/attempt.h"
#include "purge/batch.h"
#include "purge/erase.h"
#include "purge/expiry.h"
#include "purge/heldabove.h"
#include "tables/names.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static Datum
tid_array(Datum *tids, int n)
{
	return PointerGetDatum(construct_array(tids, n, TIDOID, sizeof(ItemPointerData),
										   false, TYPALIGN_SHORT));
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
	deconstruct_array(run->held, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &statement->held, NULL, &statement->n_held);

	values[0] = tid_array(tids, n);
	values[1] = IntervalPGetDatum(run->retention);
	values[2] = TimestampTzGetDatum(run->now);
	sd_execute(eraser, values, statement, run->owner, triggers_now,
			   SD_VIEW_STATEMENT, 0);
}

/* an attempt at some rows of a batch */
typedef struct Attempt
{
	PurgeRun   *run;
	PurgeRows  *batch;
	int			from;
	int			n;
	bool		guarded;
	SdErased	result;			/* of one without a statement */
	bool		all;			/* out: its rows went, and besides them ... */
	HTAB	   *purged;			/* ... these, by deletion ... */
	int64		rows;			/* ... and in all */
} Attempt;

static void
erase_directly(void *argument)
{
	Attempt    *attempt = argument;

	attempt->result = sd_erase_directly(attempt->run, attempt->batch);
	if (attempt->result != SD_ERASED)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("rows to purge are not free to go")));
	attempt->all = true;
}

static void
erase_by_statement(void *argument)
{
	Attempt    *attempt = argument;
	PurgeRun   *run = attempt->run;
	SdStatement statement = {.guarded = attempt->guarded};
	Datum	   *tids = palloc(sizeof(Datum) * attempt->n);

	for (int i = 0; i < attempt->n; i++)
		tids[i] = PointerGetDatum(&attempt->batch->rows[attempt->from + i].tid);
	if (run->eraser == NULL)
	{
		run->eraser = sd_prepare_eraser(run);
		SPI_keepplan(run->eraser);
	}
	sd_erase_rows(run, &statement, run->eraser, tids, attempt->n, true);
	/* without the guard all of the rows have to go */
	if (statement.unguarded && SPI_processed != (uint64) attempt->n)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("rows to purge were changed meanwhile")));
	sd_tally_check(run->tally, statement.purged);
	attempt->purged = statement.purged;
	attempt->rows = statement.rows;
	attempt->all = statement.unguarded;
}

static bool
try(Attempt *attempt, void (*work) (void *), const char **why)
{
	PurgeRun   *run = attempt->run;
	PurgeRow   *rows = &attempt->batch->rows[attempt->from];

	attempt->all = false;
	attempt->purged = NULL;
	attempt->rows = 0;
	if (!sd_attempt(work, attempt, why))
		return false;
	if (attempt->all)
	{
		attempt->rows += attempt->n;
		for (int i = 0; i < attempt->n; i++)
			sd_tally_count(run->tally, rows[i].id, run->root, 1);
	}
	sd_tally_add(run->tally, attempt->purged);
	run->purged += attempt->rows;
	return true;
}

/*
 * Take rows of deletions that are on hold out of the batch, and those whose time
 * has not come: they have not expired.  all_go: the others are likely to go.
 */
static void
leave_held(PurgeRun *run, PurgeRows *batch, bool all_go)
{
	int64	   *ids = palloc(sizeof(int64) * batch->n);
	Oid			type = getBaseType(TupleDescAttr(RelationGetDescr(run->rel),
												 run->table->time - 1)->atttypid);
	int			n = 0;
	int			held = 0;

	for (int i = 0; i < batch->n; i++)
		ids[i] = batch->rows[i].id;
	sd_tally_lock(run->tally, ids, batch->n, all_go ? run->root : InvalidOid);
	for (int i = 0; i < batch->n; i++)
	{
		if (sd_tally_holds(run->tally, ids[i]))
			held++;
		else if (run->longer == NULL ||
				 !sd_tally_waits(run->tally, ids[i], batch->rows[i].time, type, run->now))
			batch->rows[n++] = batch->rows[i];
	}
	sd_keep(&run->kept, sd_why_stays(run->table, SD_STAYS_HELD), held);
	batch->n = n;
	pfree(ids);
}

/* ----------
 * SELECT x.c, x.stays FROM (SELECT t.ctid, <stays> FROM ONLY table t
 *	WHERE t.ctid = ANY ($n)) AS x(c, stays) WHERE x.stays IS NOT NULL
 * ----------
 */
static SPIPlanPtr
prepare_finder(PurgeRun *run, Oid *types)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "SELECT x.c, x.stays FROM (SELECT t.ctid, ");
	sd_append_stays(&text, run->table, run, 1, 0);
	appendStringInfo(&text, " FROM ONLY %s t WHERE t.ctid OPERATOR(pg_catalog.=) ANY ($%d))"
					 " AS x(c, stays) WHERE x.stays IS NOT NULL AND $%d IS NULL",
					 sd_qualified_name(run->relid), SD_EXPIRY_PARAMS(1) + 1,
					 SD_EXPIRY_PARAMS(1) + 2);
	return sd_prepare(text.data, SD_EXPIRY_PARAMS(1) + 1, types, run->owner,
					  CURSOR_OPT_GENERIC_PLAN);
}

/* Take rows that others refer to out of the batch. */
static void
leave_referred(PurgeRun *run, PurgeRows *batch)
{
	SdStatement reading = {SD_TASK_READ, .restricted = true};
	Oid			types[SD_EXPIRY_PARAMS(1) + 2];
	Datum		values[SD_EXPIRY_PARAMS(1) + 2];
	Datum	   *tids = palloc(sizeof(Datum) * batch->n);
	int			n = 0;
	uint64		found = 0;

	for (int i = 0; i < batch->n; i++)
		tids[i] = PointerGetDatum(&batch->rows[i].tid);
	sd_expiry_values(run, 1, types, values);
	types[SD_EXPIRY_PARAMS(1)] = TIDARRAYOID;
	values[SD_EXPIRY_PARAMS(1)] = tid_array(tids, batch->n);
	if (run->finder == NULL)
	{
		run->finder = prepare_finder(run, types);
		SPI_keepplan(run->finder);
	}
	sd_execute(run->finder, values, &reading, run->owner, true, SD_VIEW_STATEMENT, 0);

	/* both come in the order of the heap */
	sd_sort_rows(batch);
	for (int i = 0; i < batch->n; i++)
	{
		bool		isnull;
		Datum		tid = found < SPI_processed ?
			SPI_getbinval(SPI_tuptable->vals[found], SPI_tuptable->tupdesc, 1, &isnull) :
			(Datum) 0;

		if (found < SPI_processed &&
			ItemPointerEquals(&batch->rows[i].tid, (ItemPointer) DatumGetPointer(tid)))
			sd_keep(&run->kept,
					sd_why_stays(run->table,
								 DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[found++],
															 SPI_tuptable->tupdesc, 2, &isnull))), 1);
		else
			batch->rows[n++] = batch->rows[i];
	}
	SPI_freetuptable(SPI_tuptable);
	batch->n = n;
}

/*
 * Erase these rows, all at once or, when that fails, one by one.  What is to stay
 * is counted as kept.
 */
void
sd_erase_batch(PurgeRun *run, PurgeRows *batch)
{
	/* only the guard knows rows that are on hold by themselves */
	bool		guarded = sd_has_row_holds(run->root);
	bool		direct = run->direct && !guarded;
	Attempt		attempt = {run, batch, 0, 0, guarded};
	const char *why;

	/* rows that others may refer to, only when some have gone */
	leave_held(run, batch, direct && !run->crowded && run->kept.rows == 0 &&
			   (run->n_atts == 0 || run->purged > 0));
	sd_leave_held_above(run, batch);
	attempt.n = batch->n;
	if (attempt.n > 0 && direct && !run->crowded)
	{
		if (try(&attempt, erase_directly, &why))
			return;
		run->crowded = attempt.result == SD_REFERRED;
	}
	if (batch->n > 0 && run->n_atts > 0)
		leave_referred(run, batch);
	attempt.n = batch->n;
	if (attempt.n > 0 && direct && run->crowded)
	{
		if (try(&attempt, erase_directly, &why))
			return;
		/* by others than those, which only the keys' own actions deal with */
		run->direct = attempt.result != SD_REFERRED;
	}
	if (attempt.n == 0 || try(&attempt, erase_by_statement, &why))
		return;
	attempt.guarded = true;
	if (try(&attempt, erase_by_statement, &why))
		return;
	if (batch->n == 1)
	{
		sd_keep(&run->kept, why, 1);
		return;
	}
	attempt.n = 1;
	for (; attempt.from < batch->n; attempt.from++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!try(&attempt, erase_by_statement, &why))
			sd_keep(&run->kept, why, 1);
	}
}
