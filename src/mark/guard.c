/*
 * guard.c
 *		The triggers of a managed table for DELETE and TRUNCATE.
 *
 *	guard			BEFORE DELETE: let a purge through, and make a mark of a
 *					DELETE that was planned without the library.
 *	refuse_truncate	BEFORE TRUNCATE.
 *
 * Where the library planned the DELETE, guard fires for purges, foreign-key
 * actions and rows on their way to another partition only.  Keeps nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/errors.h"
#include "base/guc.h"
#include "base/spi.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "engine/counts.h"
#include "engine/frame.h"
#include "engine/holds.h"
#include "engine/operation.h"
#include "engine/statement.h"
#include "executor/executor.h"
#include "mark/guard.h"
#include "mark/heldkey.h"
#include "mark/triggers.h"
#include "tables/names.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(softdelete_guard);
PG_FUNCTION_INFO_V1(softdelete_refuse_truncate);

/* mark the row that a DELETE, planned without the library, is about to erase */
static void
mark_instead(Relation rel, ItemPointer tid)
{
	SdStatement statement = {SD_TASK_DELETE, RelationGetRelid(rel), .by_guard = true};
	Oid			types[2] = {TIDOID};
	Datum		values[2] = {PointerGetDatum(tid)};
	char	   *text;

	sd_spi_connect();
	text = psprintf("DELETE FROM ONLY %s t WHERE t.ctid OPERATOR(pg_catalog.=) $1 AND $2 IS NULL",
					sd_qualified_name(RelationGetRelid(rel)));
	sd_execute(sd_prepare(text, 1, types, InvalidOid, 0), values, &statement, InvalidOid,
			   true, SD_VIEW_STATEMENT, 0);
	sd_spi_finish();
}

/* the ModifyTable of the running statement that writes rel; NULL if none */
static ModifyTableState *
writer_of(Relation rel)
{
	EState	   *estate = sd_frame->query->estate;
	List	   *nodes = list_make1(sd_frame->query->planstate);
	ListCell   *lc;

	nodes = list_concat(nodes, estate->es_auxmodifytables);
	foreach(lc, nodes)
	{
		ModifyTableState *node = lfirst(lc);

		if (node == NULL || !IsA(node, ModifyTableState))
			continue;
		for (int i = 0; i < node->mt_nrels; i++)
			if (node->resultRelInfo[i].ri_RelationDesc == rel)
				return node;
	}
	return NULL;
}

/*
 * Is the row on its way from one partition to another?  An UPDATE does nothing
 * else that fires this trigger; in a MERGE on a managed table no action is a
 * DELETE any more.  Otherwise it is a real DELETE, that came to a managed
 * partition by a root that is not.
 */
static bool
moves_row(Relation rel)
{
	ModifyTableState *node;

	if (sd_frame == NULL || !rel->rd_rel->relispartition)
		return false;
	node = writer_of(rel);
	return node != NULL &&
		(node->operation == CMD_UPDATE ||
		 (node->operation == CMD_MERGE && !sd_hard_delete &&
		  sd_table(node->rootResultRelInfo->ri_RelationDesc) != NULL));
}

/*
 * A row that the stamp trigger has just seen leaves its partition, by a DELETE
 * and an INSERT: mark() will not fire for it, so its part is done here.
 */
static void
note_move(Relation rel, SdTable *table, HeapTuple old)
{
	SdOp	   *op = sd_current_op();
	TupleTableSlot *slot;

	if (op->moving_relid != RelationGetRelid(rel) ||
		!ItemPointerEquals(&op->moving_tid, &old->t_self))
		return;
	op->moving_relid = InvalidOid;
	slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	ExecStoreHeapTuple(old, slot, false);
	if (op->moving_deleted)
		sd_note_marked(op, table, slot);
	else
	{
		bool		isnull;
		int64		id = DatumGetInt64(slot_getattr(slot, table->id, &isnull));

		sd_note_restored(op, table, isnull ? 0 : id, slot, NULL);
	}
	ExecDropSingleTupleTableSlot(slot);
	sd_flush_loose(op);
}

/* Is the retention of a row over that was deleted at that time (of that type)? */
bool
sd_is_over(Datum time, Oid type, Interval *retention, TimestampTz now)
{
	if (type == TIMESTAMPOID)
	{
		int			overflow;

		time = TimestampTzGetDatum(timestamp2timestamptz_opt_overflow(DatumGetTimestamp(time),
																	  &overflow));
	}
	/* to one that is to come nothing can be added for sure */
	if (DatumGetTimestampTz(time) > now)
		return false;
	time = DirectFunctionCall2(timestamptz_pl_interval, time, IntervalPGetDatum(retention));
	return DatumGetTimestampTz(time) <= now;
}

static bool
is_held(SdStatement *purge, int64 id)
{
	for (int i = 0; i < purge->n_held; i++)
		if (DatumGetInt64(purge->held[i]) == id)
			return true;
	return false;
}

/* may the purge erase this row?  It does so for rows of its own table. */
static bool
may_erase(SdStatement *purge, SdTable *table, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		time;

	Datum		id = heap_getattr(tuple, table->id, desc, &isnull);

	if (!sd_tuple_is_deleted(table, tuple, desc))
		return false;
	if (!isnull && is_held(purge, DatumGetInt64(id)))
		return false;
	if (purge->task == SD_TASK_ERASE)
		return true;
	if (purge->purge_table != table->root)
		return false;
	time = heap_getattr(tuple, table->time, desc, &isnull);
	if (isnull)
		return false;
	return sd_is_over(time, getBaseType(TupleDescAttr(desc, table->time - 1)->atttypid),
					  purge->retention, purge->now);
}

/* Whatever erases the row, it may not if the row is on hold by itself. */
static void
refuse_held(SdTable *table, HeapTuple tuple, TupleDesc desc)
{
	if (sd_row_is_held(table, tuple, desc))
		ereport(ERROR,
				(errcode(SD_ERRCODE_ON_HOLD),
				 errmsg("row of table \"%s\" is on hold", get_rel_name(table->root)),
				 errhint("SELECT target, key, why FROM softdelete.holds WHERE released_at IS NULL AND target = %s::regclass; says which and why.",
						 quote_literal_cstr(sd_qualified_name(table->root)))));
}

/*
 * A deleted row goes, and not by a purge: noted in the log when the statement is
 * done, which fails if it turns out to be on hold.
 */
static void
note_erased(SdTable *table, HeapTuple tuple, TupleDesc desc)
{
	SdOp	   *op = sd_current_op();
	bool		isnull;
	Datum		id = heap_getattr(tuple, table->id, desc, &isnull);

	if (!isnull)
		sd_count_by_id(&op->purged, op->context, DatumGetInt64(id), table->root, 1);
	sd_flush_loose(op);
}

Datum
softdelete_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	SdTable    *table = sd_trigger_table(fcinfo, "guard");
	Relation	rel = trigdata->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	HeapTuple	old = trigdata->tg_trigtuple;
	SdStatement *purge = sd_erasing();
	bool		is_deleted = sd_tuple_is_deleted(table, old, desc);

	if (purge != NULL)
	{
		bool		isnull;
		Datum		id = heap_getattr(old, table->id, desc, &isnull);

		if (!may_erase(purge, table, old, desc))
			ereport(ERROR,
					(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
					 errmsg("purge would take a row of table \"%s\" along that must stay",
							RelationGetRelationName(rel)),
					 errdetail(is_deleted ? "The row's own retention is not over, or it is on hold." :
							   "The row is not deleted.")));
		refuse_held(table, old, desc);
		purge->rows++;
		if (!isnull)
			sd_count_by_id(&purge->purged, purge->context,
						   DatumGetInt64(id), table->root, 1);
		return PointerGetDatum(old);
	}
	if (moves_row(rel))
	{
		if (sd_current_op()->moving_relid != RelationGetRelid(rel))
			sd_refuse_new_key(table, old, desc);
		note_move(rel, table, old);
		return PointerGetDatum(old);
	}
	if (sd_hard_delete)
	{
		refuse_held(table, old, desc);
		if (is_deleted)
			note_erased(table, old, desc);
		return PointerGetDatum(old);
	}

	/* RI's cascade from a parent that is erased */
	if (sd_frame != NULL &&
		(sd_frame->query->estate->es_top_eflags & EXEC_FLAG_SKIP_TRIGGERS))
	{
		if (is_deleted)
		{
			refuse_held(table, old, desc);
			note_erased(table, old, desc);
			return PointerGetDatum(old);
		}
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("delete would erase rows of managed table \"%s\"",
						RelationGetRelationName(rel)),
				 errdetail("They refer to a row of a table that is not managed, ON DELETE CASCADE."),
				 errhint("Manage the referred-to table, too (softdelete.enable), or delete the rows of \"%s\" first.",
						 RelationGetRelationName(rel))));
	}

	if (!is_deleted)
		mark_instead(rel, &old->t_self);
	return PointerGetDatum(NULL);
}

Datum
softdelete_refuse_truncate(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		(void) sd_trigger_table(fcinfo, "refuse_truncate");
	if (!sd_hard_delete)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot truncate managed table \"%s\"",
						RelationGetRelationName(((TriggerData *) fcinfo->context)->tg_relation)),
				 errdetail("TRUNCATE erases rows that could not be restored."),
				 errhint("Use DELETE, or SET softdelete.hard_delete = on to erase the rows for good.")));
	return PointerGetDatum(NULL);
}
