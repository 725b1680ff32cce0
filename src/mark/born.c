/*
 * born.c
 *		Rows that are inserted with the mark already set.
 *
 *	born	AFTER INSERT, WHEN the new row is deleted and belongs to no deletion:
 *			it is a deletion of its own, or rather of its statement's, and gets
 *			its id and, unless given, its time.
 *
 * AFTER, since a BEFORE trigger would have COPY insert every row by itself.  The
 * row is updated as it lies there: that is still part of inserting it, so no
 * trigger sees an UPDATE.  COPY runs outside the executor's hooks: its rows are
 * counted, and logged when it is done (sd_born_copied()).  Owns that state.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "engine/frame.h"
#include "engine/operation.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "mark/born.h"
#include "mark/triggers.h"
#include "tables/registry.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(softdelete_born);

/* > 0 while COPY runs with our hooks around it */
int			sd_copy_depth = 0;

/* Give the row, which lies at that place, its id and its time. */
static bool
stamp_in_place(Relation rel, SdTable *table, ItemPointer tid)
{
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *result = makeNode(ResultRelInfo);
	TupleTableSlot *old = table_slot_create(rel, &estate->es_tupleTable);
	TupleTableSlot *new = ExecInitExtraTupleSlot(estate, RelationGetDescr(rel),
												 &TTSOpsVirtual);
	int			natts = RelationGetNumberOfAttributes(rel);
	bool		there;

	InitResultRelInfo(result, rel, 0, NULL, 0);
	result->ri_TrigDesc = NULL;

	/* the row is this very command's; and not one that another trigger has changed */
	CommandCounterIncrement();
	there = table_tuple_fetch_row_version(rel, tid, SnapshotSelf, old);
	if (there)
	{
		slot_getallattrs(old);
		memcpy(new->tts_values, old->tts_values, sizeof(Datum) * natts);
		memcpy(new->tts_isnull, old->tts_isnull, sizeof(bool) * natts);
		new->tts_values[table->id - 1] =
			Int64GetDatum(sd_op_id(sd_current_op()));
		new->tts_isnull[table->id - 1] = false;
		if (new->tts_isnull[table->time - 1])
		{
			new->tts_values[table->time - 1] = sd_now_as(RelationGetDescr(rel), table->time);
			new->tts_isnull[table->time - 1] = false;
		}
		ExecStoreVirtualTuple(new);
		ExecOpenIndices(result, false);
		ExecSimpleRelationUpdate(result, estate, NULL, old, new);
		ExecCloseIndices(result);
	}
	ExecResetTupleTable(estate->es_tupleTable, false);
	FreeExecutorState(estate);
	return there;
}

Datum
softdelete_born(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	SdTable    *table = sd_trigger_table(fcinfo, "born");
	TupleTableSlot *row = trigdata->tg_trigslot;
	SdOp	   *op;

	/*
	 * A dump that is being restored brings rows as they are; a row whose id or
	 * time says in which partition it lies stays where it was put.
	 */
	if (!TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) || !row_security ||
		table->moves || !sd_slot_is_deleted(table, row))
		return PointerGetDatum(NULL);
	op = sd_current_op();
	if (stamp_in_place(trigdata->tg_relation, table, &row->tts_tid))
	{
		sd_op_count(op, table->root, 1);
		if (sd_copy_depth == 0)
			sd_flush_loose(op);
	}
	return PointerGetDatum(NULL);
}

/* A COPY is done: log what it brought along. */
void
sd_born_copied(void)
{
	SdOp	   *op = sd_copy_depth == 0 ? sd_op_of(NULL) : NULL;

	if (op != NULL)
		sd_flush_loose(op);
}
