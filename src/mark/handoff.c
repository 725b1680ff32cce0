/*
 * handoff.c
 *		A relation whose UPDATE fires its users' triggers for DELETE or INSERT.
 *
 * Row triggers: stand-ins are put in front of the statement's private copy of
 * the trigger descriptor, triggers for UPDATE, before or after, with a WHEN
 * condition.  PostgreSQL evaluates that at exactly the moment at which a user's
 * trigger for DELETE is due, with the old and the new row at hand.  It is a C
 * function that has PostgreSQL fire, or queue, the triggers for DELETE and then
 * says no, so that the stand-in itself does not fire.  (But for the one before,
 * which does so, and does nothing, where a BEFORE DELETE trigger keeps the row.)
 *
 * Statement triggers: the ModifyTable node's function is wrapped by one that
 * fires them first and last.  A stand-in would not do, as PostgreSQL counts
 * statement triggers by table and event, and the same query may UPDATE the
 * table, too.
 *
 * So order, transition tables, deferral, replication role, nesting depth and
 * EXPLAIN ANALYZE are PostgreSQL's own.  The triggers for DELETE are fired by a
 * second ResultRelInfo of the relation, which has the users' triggers alone:
 * foreign keys are the engine's (fk/).
 *
 * usertriggers.c decides which relations need one.  All is the query's; nothing
 * is kept.
 */
#include "postgres.h"

#include "base/own_objects.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "compat.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "executor/instrument.h"
#include "mark/handoff.h"
#include "mark/rowlock.h"
#include "mark/userevents.h"
#include "pgstat.h"
#include "tables/table.h"
#include "utils/rel.h"

/*
 * The row in a slot, which goes on holding it, as triggers want it; of a table
 * that is no heap a copy, made in the row's memory context.  For the slot of the
 * users' own ResultRelInfo, see sd_make_handoff().
 */
static HeapTuple
row_in(EState *estate, TupleTableSlot *slot)
{
	MemoryContext context = MemoryContextSwitchTo(GetPerTupleMemoryContext(estate));
	bool		is_copy;
	HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, &is_copy);

	if (is_copy)
	{
		tuple->t_self = slot->tts_tid;
		tuple->t_tableOid = slot->tts_tableOid;
	}
	MemoryContextSwitchTo(context);
	return tuple;
}

/*
 * In a MERGE, is this row marked, by an action that was a DELETE, or updated?
 * Users' triggers for UPDATE, and their transition tables, are for the latter.
 */
static void
look_at_merged_row(SdHandoff *handoff, TupleTableSlot *old, TupleTableSlot *new)
{
	TriggerDesc *users = handoff->users->ri_TrigDesc;
	TriggerDesc *desc = handoff->rel->ri_TrigDesc;
	int			shift = desc->numtriggers - users->numtriggers;
	bool		updates;

	handoff->applies = !sd_slot_is_deleted(handoff->table, old) &&
		sd_slot_is_deleted(handoff->table, new);
	updates = !handoff->applies || handoff->table->trigger_mode == SD_TRIGGERS_BOTH;
	for (int i = 0; i < users->numtriggers; i++)
		if (sd_is_users_trigger(&users->triggers[i]) &&
			TRIGGER_FOR_ROW(users->triggers[i].tgtype))
		{
			desc->triggers[shift + i].tgtype = users->triggers[i].tgtype;
			if (!updates)
				desc->triggers[shift + i].tgtype &= ~TRIGGER_TYPE_UPDATE;
		}
	if (handoff->capture)
	{
		handoff->capture->tcs_update_old_table = updates && handoff->captures_old;
		handoff->capture->tcs_update_new_table = updates && handoff->captures_new;
	}
}

/*
 * Will the executor take the row to another partition?  It does so by a DELETE
 * and an INSERT that fire triggers by themselves, of which those that are not
 * due are switched off here.  The other partition may be one that the executor
 * opens only then, so have it opened.
 */
static bool
will_move(SdHandoff *handoff, TupleTableSlot *new)
{
	ModifyTableState *node = handoff->node;
	ResultRelInfo *root = node->rootResultRelInfo;
	EState	   *estate = handoff->estate;
	TupleConversionMap *map;
	ResultRelInfo *to;

	if (!handoff->table->moves || handoff->rel == root ||
		ExecPartitionCheck(handoff->rel, new, estate, false))
		return false;
	if (node->mt_partition_tuple_routing == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);

		node->mt_partition_tuple_routing =
			ExecSetupPartitionTupleRouting(estate, root->ri_RelationDesc);
		node->mt_root_tuple_slot = table_slot_create(root->ri_RelationDesc, NULL);
		MemoryContextSwitchTo(old);
	}
	map = ExecGetChildToRootMap(handoff->rel);
	if (map != NULL)
		new = execute_attr_map_slot(map->attrMap, new, node->mt_root_tuple_slot);
	to = ExecFindPartition(node, root, node->mt_partition_tuple_routing, new, estate);
	sd_take_event(to, TRIGGER_TYPE_INSERT, handoff->restore);
	return true;
}

/* fire BEFORE DELETE triggers; does none of them keep the row? */
static bool
fire_before_delete(SdHandoff *handoff, TupleTableSlot *old)
{
	EState	   *estate = handoff->estate;
	HeapTuple	tuple = row_in(estate, old);
	bool		goes_on;

	/* what EvalPlanQual came back with may not be locked yet, see stamp.c */
	if (handoff->table->children != NIL)
	{
		(void) sd_lock_row(handoff->table, handoff->rel->ri_RelationDesc, &tuple->t_self,
						   estate->es_snapshot, estate->es_output_cid,
						   handoff->locked);
		ExecClearTuple(handoff->locked);
	}
	goes_on = sd_exec_before_delete(estate, handoff->users, tuple);
	ExecClearTuple(handoff->users->ri_TrigOldSlot);
	return goes_on;
}

/*
 * The condition of the stand-in before a row: true where a trigger keeps it, so
 * that the stand-in fires, see keep_row().  Conditions are evaluated in the row's
 * memory context; what is called here expects the query's, and keeps things in it.
 */
static Datum
before_row(ExprState *state, ExprContext *econtext, bool *isnull)
{
	SdHandoff  *handoff = state->evalfunc_private;
	TupleTableSlot *old = econtext->ecxt_innertuple;
	TupleTableSlot *new = econtext->ecxt_outertuple;
	MemoryContext context = MemoryContextSwitchTo(handoff->estate->es_query_cxt);
	bool		keep = false;

	if (handoff->node->operation == CMD_MERGE)
		look_at_merged_row(handoff, old, new);
	if (handoff->applies && !will_move(handoff, new) && !handoff->restore)
		keep = !fire_before_delete(handoff, old);
	MemoryContextSwitchTo(context);
	*isnull = false;
	return BoolGetDatum(keep);
}

/* the condition of the one after a row */
static Datum
after_row(ExprState *state, ExprContext *econtext, bool *isnull)
{
	SdHandoff  *handoff = state->evalfunc_private;
	MemoryContext context = MemoryContextSwitchTo(handoff->estate->es_query_cxt);

	if (handoff->applies && handoff->restore)
		ExecARInsertTriggers(handoff->estate, handoff->users,
							 econtext->ecxt_outertuple, NIL, handoff->capture);
	else if (handoff->applies)
	{
		ExecARDeleteTriggers(handoff->estate, handoff->users, NULL,
							 row_in(handoff->estate, econtext->ecxt_innertuple), handoff->capture,
							 false);
		ExecClearTuple(handoff->users->ri_TrigOldSlot);
	}
	MemoryContextSwitchTo(context);
	*isnull = false;
	return BoolGetDatum(false);
}

/* the function of the BEFORE ROW stand-in: the row stays as it is */
static Datum
keep_row(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(NULL);
}

/* A trigger for UPDATE of ours; type 0: one that only carries the handoff. */
static void
put_stand_in(SdHandoff *handoff, int i, int16 type, ExprStateEvalFunc condition)
{
	ResultRelInfo *rel = handoff->rel;
	Trigger    *trigger = &rel->ri_TrigDesc->triggers[i];
	FmgrInfo   *function = &rel->ri_TrigFunctions[i];
	ExprState  *state = makeNode(ExprState);

	trigger->tgname = "~softdelete";
	trigger->tgfoid = sd_objects()->stamp_trigger;
	trigger->tgtype = type;
	trigger->tgenabled = TRIGGER_FIRES_ALWAYS;
	trigger->tgisinternal = true;
	trigger->tgqual = "";		/* there is a condition; this is it: */

	state->flags = EEO_FLAG_IS_QUAL;
	state->evalfunc = condition;
	state->evalfunc_private = handoff;
	rel->ri_TrigWhenExprs[i] = state;

	function->fn_addr = keep_row;
	function->fn_oid = trigger->tgfoid;
	function->fn_stats = TRACK_FUNC_ALL;	/* is never counted */
	function->fn_mcxt = CurrentMemoryContext;
}

/*
 * The function of a ModifyTable node whose statement triggers are ours to fire.
 * The carrier among the root table's triggers says which.
 */
static TupleTableSlot *
exec_node(PlanState *state)
{
	ModifyTableState *node = castNode(ModifyTableState, state);
	SdHandoff  *handoff = node->rootResultRelInfo->ri_TrigWhenExprs[0]->evalfunc_private;
	bool		was_done = node->mt_done;
	TupleTableSlot *result;

	if (node->fireBSTriggers && (handoff->moments & BEFORE_STATEMENT))
		ExecBSDeleteTriggers(handoff->estate, handoff->users);
	result = handoff->exec(state);
	if (node->mt_done && !was_done && (handoff->moments & AFTER_STATEMENT))
	{
		if (handoff->restore)
			ExecASInsertTriggers(handoff->estate, handoff->users, handoff->capture);
		else
			ExecASDeleteTriggers(handoff->estate, handoff->users, handoff->capture);
	}
	return result;
}

/* Put the stand-ins of a relation in front of its triggers. */
static void
arm(SdHandoff *handoff)
{
	ResultRelInfo *rel = handoff->rel;
	ResultRelInfo *users = handoff->users;
	TriggerDesc *desc = rel->ri_TrigDesc;
	Trigger    *triggers = desc->triggers;
	const int	n = 3;			/* the carrier, before, after */

	/* nothing has fired yet, so what is kept with the triggers is empty */
	desc->numtriggers += n;
	desc->triggers = palloc0(sizeof(Trigger) * desc->numtriggers);
	memcpy(desc->triggers + n, triggers, sizeof(Trigger) * (desc->numtriggers - n));
	rel->ri_TrigFunctions = palloc0(sizeof(FmgrInfo) * desc->numtriggers);
	rel->ri_TrigWhenExprs = palloc0(sizeof(ExprState *) * desc->numtriggers);
	if (rel->ri_TrigInstrument)
		rel->ri_TrigInstrument = InstrAlloc(desc->numtriggers,
											handoff->estate->es_instrument, false);

	put_stand_in(handoff, 0, 0, NULL);
	put_stand_in(handoff, 1, handoff->moments & BEFORE_ROW ?
				 TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_ROW : 0,
				 before_row);
	put_stand_in(handoff, 2, handoff->moments & AFTER_ROW ?
				 TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_AFTER | TRIGGER_TYPE_ROW : 0,
				 after_row);
	if (handoff->moments & BEFORE_ROW)
		desc->trig_update_before_row = true;
	if (handoff->moments & AFTER_ROW)
		desc->trig_update_after_row = true;

	/* the same triggers, the same place to keep what they need */
	users->ri_TrigFunctions = rel->ri_TrigFunctions + n;
	users->ri_TrigWhenExprs = rel->ri_TrigWhenExprs + n;
	users->ri_TrigInstrument = rel->ri_TrigInstrument ? rel->ri_TrigInstrument + n : NULL;

	if (handoff->moments & ANY_STATEMENT)
	{
		PlanState  *state = &handoff->node->ps;

		handoff->exec = state->ExecProcNodeReal;
		state->ExecProcNodeReal = exec_node;
	}
}

/*
 * Prepare a relation for it; sd_arm_handoffs() does the rest.  The current memory
 * context is the query's.
 */
SdHandoff *
sd_make_handoff(EState *estate, ModifyTableState *node, ResultRelInfo *rel,
				SdTable *table, TransitionCaptureState *capture, bool restore,
				int moments)
{
	SdHandoff  *handoff = palloc0(sizeof(SdHandoff));
	ResultRelInfo *users = makeNode(ResultRelInfo);
	TupleDesc	desc = RelationGetDescr(rel->ri_RelationDesc);

	*users = *rel;
	users->ri_TrigDesc = CopyTriggerDesc(rel->ri_TrigDesc);
	for (int i = 0; i < users->ri_TrigDesc->numtriggers; i++)
		if (!sd_is_users_trigger(&users->ri_TrigDesc->triggers[i]))
			users->ri_TrigDesc->triggers[i].tgtype = 0;
	/* holds a row that another slot has, without a copy */
	users->ri_TrigOldSlot = ExecInitExtraTupleSlot(estate, desc, &TTSOpsHeapTuple);
	users->ri_TrigNewSlot = NULL;

	handoff->table = table;
	handoff->estate = estate;
	handoff->node = node;
	handoff->rel = rel;
	handoff->users = users;
	handoff->capture = capture;
	if (capture)
	{
		handoff->captures_old = capture->tcs_update_old_table;
		handoff->captures_new = capture->tcs_update_new_table;
	}
	handoff->moments = moments;
	handoff->restore = restore;
	handoff->applies = true;
	if ((moments & BEFORE_ROW) && table->children != NIL)
		handoff->locked = table_slot_create(rel->ri_RelationDesc, &estate->es_tupleTable);
	return handoff;
}

/* Put the stand-ins in place. */
void
sd_arm_handoffs(EState *estate, List *handoffs)
{
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	ListCell   *lc;

	foreach(lc, handoffs)
		arm(lfirst(lc));
	MemoryContextSwitchTo(old);
}
