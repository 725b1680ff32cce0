/*
 * cycle.c
 *		Purging tables whose foreign keys refer to one another in a circle.
 *
 * There no table comes first.  Of all rows that are expired, those are left out
 * that have to stay because a row that stays refers to them, directly or not.
 * The others are erased in batches; a batch is completed by the rows that refer
 * to its rows, and all of them go in one query level, as if one statement had
 * deleted them, so that the keys find nothing to object to.
 *
 * purge.c purges a table by itself; what is expired says expiry.c.
 */
#include "postgres.h"

#include "base/identity.h"
#include "base/spi.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "engine/counts.h"
#include "engine/frame.h"
#include "engine/log.h"
#include "engine/statement.h"
#include "executor/executor.h"
#include "fk/deferred.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "purge/attempt.h"
#include "purge/batch.h"
#include "purge/cyclequery.h"
#include "purge/expiry.h"
#include "purge/purge.h"
#include "purge/replaced.h"
#include "tables/registry.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(softdelete_purge_cycle);

/* so that the parameters of a statement suffice */
#define MAX_CYCLE ((FUNC_MAX_ARGS - 1) / 3 - 1)

/* a set of rows, by table and ctid */
typedef struct RowSet
{
	Datum	   *relids;
	Datum	   *tids;
	int			n;
} RowSet;

static SdLeaf *
leaf_of(SdCycle *cycle, Oid relid)
{
	for (int i = 0; i < cycle->n_leaves; i++)
		if (cycle->leaves[i].run.relid == relid)
			return &cycle->leaves[i];
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" became a partition during the purge", get_rel_name(relid))));
	return NULL;
}

/* Sort the rows that SPI has found into the leaves' lists. */
static void
take_rows(SdCycle *cycle)
{
	for (int i = 0; i < cycle->n_leaves; i++)
	{
		cycle->leaves[i].n = cycle->leaves[i].allocated = 0;
		cycle->leaves[i].tids = NULL;
	}
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		bool		isnull;
		Datum		relid = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull);
		SdLeaf	   *leaf = leaf_of(cycle, DatumGetObjectId(relid));

		if (leaf->n == leaf->allocated)
		{
			leaf->allocated = Max(64, 2 * leaf->allocated);
			leaf->tids = leaf->tids ?
				repalloc_huge(leaf->tids, leaf->allocated * sizeof(Datum)) :
				palloc(leaf->allocated * sizeof(Datum));
		}
		leaf->tids[leaf->n++] = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull);
	}
}

typedef struct Attempt
{
	SdCycle	   *cycle;
	RowSet	   *rows;
	HTAB	   *purged;			/* out: rows by deletion */
} Attempt;

/* Erase the rows and all that refer to them. */
static void
erase_set(void *argument)
{
	Attempt    *attempt = argument;
	SdCycle	   *cycle = attempt->cycle;
	RowSet	   *rows = attempt->rows;
	SdStatement reading = {SD_TASK_READ, .restricted = true};
	SdIdentity	before;
	Datum		values[3];
	EState	   *estate = CreateExecutorState();
	QueryDesc	query = {.estate = estate};
	SdStatement rest = {SD_TASK_PURGE};
	SdFrame		frame = {NULL, &query, &rest, NULL};
	SPITupleTable *found;

	values[0] = PointerGetDatum(construct_array(rows->relids, rows->n, OIDOID,
												sizeof(Oid), true, TYPALIGN_INT));
	values[1] = PointerGetDatum(construct_array(rows->tids, rows->n, TIDOID,
												sizeof(ItemPointerData), false,
												TYPALIGN_SHORT));
	sd_execute(cycle->referrers, values, &reading, cycle->tables[0].owner, true,
			   SD_VIEW_STATEMENT, 0);
	take_rows(cycle);
	found = SPI_tuptable;

	attempt->purged = NULL;
	AfterTriggerBeginQuery();
	for (int i = 0; i < cycle->n_leaves; i++)
	{
		SdLeaf	   *leaf = &cycle->leaves[i];
		SdStatement statement = {0};

		leaf->run.purged = 0;	/* an attempt that failed may have set it */
		if (leaf->n == 0)
			continue;
		statement.guarded = true;
		sd_erase_rows(&leaf->run, &statement, leaf->eraser, leaf->tids, leaf->n, false);
		sd_tally_check(cycle->tally, statement.purged);
		sd_add_counts(&attempt->purged, CurrentMemoryContext, statement.purged);
		leaf->run.purged = statement.rows;
	}
	/* what foreign keys would take along besides is not ours to erase */
	sd_become(cycle->tables[0].owner, true, &before);
	SD_BEGIN_FRAME(&frame);
	{
		AfterTriggerEndQuery(estate);
	}
	SD_END_FRAME(&frame);
	sd_become_again(&before);
	ExecResetTupleTable(estate->es_tupleTable, false);
	ExecCloseResultRelations(estate);
	FreeExecutorState(estate);
	SPI_freetuptable(found);
}

static bool
try(Attempt *attempt, const char **why)
{
	SdCycle	   *cycle = attempt->cycle;

	if (!sd_attempt(erase_set, attempt, why))
		return false;
	sd_tally_add(cycle->tally, attempt->purged);
	for (int i = 0; i < cycle->n_leaves; i++)
		cycle->tables[cycle->leaves[i].which].purged += cycle->leaves[i].run.purged;
	return true;
}

static SdKept *
kept_of(SdCycle *cycle, Datum relid)
{
	return &cycle->tables[leaf_of(cycle, DatumGetObjectId(relid))->which].kept;
}

/* The same; where that fails, row by row, so that one stalls no other. */
static void
erase(SdCycle *cycle, RowSet *rows)
{
	Attempt		all = {cycle, rows};
	const char *why;

	if (rows->n == 0 || try(&all, &why))
		return;
	for (int i = 0; i < rows->n; i++)
	{
		RowSet		one = {&rows->relids[i], &rows->tids[i], 1};
		Attempt		attempt = {cycle, &one};

		CHECK_FOR_INTERRUPTS();
		if (rows->n == 1 || !try(&attempt, &why))
			sd_keep(kept_of(cycle, rows->relids[i]), why, 1);
	}
}

/*
 * Take rows of deletions that are on hold out of the set, and those that have to
 * wait for the rest of theirs: they have not expired.
 */
static void
leave_held(SdCycle *cycle, RowSet *rows, int64 *ids, Datum *times)
{
	int			n = 0;

	sd_tally_lock(cycle->tally, ids, rows->n, InvalidOid);
	for (int i = 0; i < rows->n; i++)
	{
		if (sd_tally_holds(cycle->tally, ids[i]))
		{
			sd_keep(kept_of(cycle, rows->relids[i]), sd_why_stays(NULL, SD_STAYS_HELD), 1);
			continue;
		}
		if (sd_tally_waits(cycle->tally, ids[i], times[i], TIMESTAMPTZOID, cycle->tables[0].now))
			continue;
		rows->relids[n] = rows->relids[i];
		rows->tids[n++] = rows->tids[i];
	}
	rows->n = n;
}

static void
add_leaves(SdCycle *cycle, int which)
{
	ListCell   *lc;

	foreach(lc, find_all_inheritors(cycle->tables[which].root, RowExclusiveLock, NULL))
	{
		SdLeaf	   *leaf;

		if (get_rel_relkind(lfirst_oid(lc)) != RELKIND_RELATION ||
			sd_table_by_oid(lfirst_oid(lc)) == NULL)
			continue;
		cycle->leaves = cycle->leaves ?
			repalloc(cycle->leaves, (cycle->n_leaves + 1) * sizeof(SdLeaf)) :
			palloc(sizeof(SdLeaf));
		leaf = &cycle->leaves[cycle->n_leaves++];
		memset(leaf, 0, sizeof(SdLeaf));
		leaf->run = cycle->tables[which];
		leaf->run.relid = lfirst_oid(lc);
		leaf->run.table = sd_table_by_oid(leaf->run.relid);
		leaf->which = which;
		leaf->eraser = sd_prepare_eraser(&leaf->run);
	}
}

static void
purge_cycle(SdCycle *cycle)
{
	SdStatement reading = {SD_TASK_READ, .restricted = true};
	Oid			owner = cycle->tables[0].owner;
	int			batch_size = cycle->tables[0].batch_size;
	Oid			types[FUNC_MAX_ARGS];
	Datum		values[FUNC_MAX_ARGS];
	RowSet		rows;
	int64	   *ids = palloc(sizeof(int64) * batch_size);
	Datum	   *times = palloc(sizeof(Datum) * batch_size);
	Portal		portal;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "softdelete purge",
												  ALLOCSET_DEFAULT_SIZES);
	int			found;

	rows.relids = palloc(sizeof(Datum) * batch_size);
	rows.tids = palloc(sizeof(Datum) * batch_size);
	cycle->referrers = sd_prepare_referrers(cycle);
	sd_expiry_values(cycle->tables, cycle->n_tables, types, values);
	portal = sd_open_cursor(sd_cycle_candidates(cycle), SD_EXPIRY_PARAMS(cycle->n_tables),
							types, values, &reading, owner);

	while ((found = sd_fetch(portal, owner, batch_size)) > 0)
	{
		SPITupleTable *batch = SPI_tuptable;
		MemoryContext old = MemoryContextSwitchTo(context);

		CHECK_FOR_INTERRUPTS();
		rows.n = 0;
		for (int i = 0; i < found; i++)
		{
			bool		isnull;
			Datum		relid = SPI_getbinval(batch->vals[i], batch->tupdesc, 1, &isnull);
			int64		id = DatumGetInt64(SPI_getbinval(batch->vals[i], batch->tupdesc, 3, &isnull));

			if (isnull)
				id = 0;
			if (DatumGetBool(SPI_getbinval(batch->vals[i], batch->tupdesc, 4, &isnull)))
			{
				int			why = DatumGetInt32(SPI_getbinval(batch->vals[i], batch->tupdesc, 5, &isnull));

				sd_keep(kept_of(cycle, relid),
						isnull ? "rows that stay refer to it" :
						sd_why_stays(leaf_of(cycle, DatumGetObjectId(relid))->run.table, why), 1);
				continue;
			}
			rows.relids[rows.n] = relid;
			rows.tids[rows.n] = SPI_getbinval(batch->vals[i], batch->tupdesc, 2, &isnull);
			times[rows.n] = SPI_getbinval(batch->vals[i], batch->tupdesc, 6, &isnull);
			ids[rows.n++] = id;
		}
		leave_held(cycle, &rows, ids, times);
		erase(cycle, &rows);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
		SPI_freetuptable(batch);
	}
	sd_close_cursor(portal);
	MemoryContextDelete(context);
}

/*
 * purge_cycle(tables, retentions, batch_size) -> (target, expired, purged,
 * kept, why) for each: erase the expired rows of tables of one owner that refer to
 * one another.
 */
Datum
softdelete_purge_cycle(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	SdCycle		cycle = {0};
	Datum	   *relids;
	Datum	   *retentions;
	int			n_retentions;
	List	   *waiting = NIL;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), REGCLASSOID, sizeof(Oid), true,
					  TYPALIGN_INT, &relids, NULL, &cycle.n_tables);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), INTERVALOID, sizeof(Interval), false,
					  TYPALIGN_DOUBLE, &retentions, NULL, &n_retentions);
	if (cycle.n_tables < 1 || cycle.n_tables > MAX_CYCLE || n_retentions != cycle.n_tables)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a cycle has between 1 and %d tables, and each a retention", (int) MAX_CYCLE)));
	InitMaterializedSRF(fcinfo, 0);

	PreventCommandIfReadOnly("softdelete.purge_cycle()");
	cycle.tables = palloc0(sizeof(PurgeRun) * cycle.n_tables);
	sd_spi_connect();
	cycle.tally = sd_tally_begin();
	for (int i = 0; i < cycle.n_tables; i++)
	{
		PurgeRun   *run = &cycle.tables[i];

		sd_start_purge(run, DatumGetObjectId(relids[i]),
					   DatumGetIntervalP(retentions[i]), PG_GETARG_INT32(2),
					   cycle.tally);
		if (run->table->distributed)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("distributed tables that refer to one another in a circle cannot be purged"),
					 errdetail("Table \"%s\" is one of them.", get_rel_name(run->root)),
					 errhint("Purge their rows one by one with softdelete.purge(), which takes along what cascades.")));
		if (run->owner != cycle.tables[0].owner)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("tables that refer to one another are purged only if they have one owner")));
	}
	for (int i = 0; i < cycle.n_tables; i++)
	{
		add_leaves(&cycle, i);
		if (cycle.tables[i].owner != GetUserId())
			waiting = list_concat(waiting, sd_make_immediate(cycle.tables[i].root));
	}
	purge_cycle(&cycle);
	sd_tally_write(cycle.tally);
	sd_make_deferred(waiting);
	for (int i = 0; i < cycle.n_tables; i++)
		cycle.tables[i].purged += sd_purge_replaced(cycle.tables[i].root, cycle.tables[i].retention,
													cycle.tables[i].now);

	for (int i = 0; i < cycle.n_tables; i++)
	{
		PurgeRun   *run = &cycle.tables[i];
		Datum		values[5] = {relids[i], Int64GetDatum(run->purged + run->kept.rows),
			Int64GetDatum(run->purged), Int64GetDatum(run->kept.rows)};
		bool		nulls[5] = {false, false, false, false, run->kept.rows == 0};

		if (run->kept.rows > 0)
			values[4] = sd_kept_jsonb(&run->kept);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	sd_spi_finish();
	return (Datum) 0;
}
