/*
 * watch.c
 *		Each row that a converted statement has marked or restored is seen.
 *
 * A DELETE that the planner has made an UPDATE changes the mark of every row
 * that it writes, so there is nothing for the mark trigger to find out, and an
 * AFTER ROW trigger is dear: the executor fetches the old row and queues an
 * event.  es_processed is no count, either: WITH queries and what a rule adds
 * are not in it.
 *
 * So we look on as a view with WITH CHECK OPTION does.  Its condition is
 * evaluated over the new row, once for each row that was updated in the end,
 * whichever node of the plan did so, and not for one that a trigger refused,
 * that somebody else has changed or that a join has brought twice.  Ours notes
 * the row and is true.  Owns no state: it is the query's.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "engine/operation.h"
#include "engine/statement.h"
#include "executor/executor.h"
#include "mark/rowlock.h"
#include "mark/triggers.h"
#include "mark/watch.h"
#include "nodes/parsenodes.h"
#include "tables/table.h"
#include "utils/rel.h"

typedef struct Watch
{
	SdTable    *table;
	SdStatement *restore;		/* NULL: rows are marked */
	bool		follow;			/* and what refers to them is, too */
	ResultRelInfo *locked;		/* NULL, or: the UPDATE had to lock the row against
								 * new references */
} Watch;

static Datum
see_row(ExprState *state, ExprContext *econtext, bool *isnull)
{
	Watch	   *watch = state->evalfunc_private;
	TupleTableSlot *row = econtext->ecxt_scantuple;

	/* unless a user's BEFORE trigger has kept it as it was */
	if (sd_slot_is_deleted(watch->table, row) == (watch->restore == NULL))
	{
		SdOp	   *op = sd_current_op();

		if (watch->restore)
			sd_note_restored(op, watch->table, watch->restore->id,
							 watch->follow ? row : NULL, watch->restore->via);
		else
		{
			sd_check_stamp(op, watch->table, row);
			if (watch->locked)
				sd_check_key_update(op, watch->locked->ri_RelationDesc,
									sd_old_version(watch->locked));
			sd_note_marked(op, watch->table, watch->follow ? row : NULL);
		}
	}
	*isnull = false;
	return BoolGetDatum(true);
}

/*
 * Note each row of the relation that its statement marks; or restores, where
 * that is what this statement of the engine's own is for.
 */
void
sd_watch_rows(EState *estate, ResultRelInfo *rel, SdTable *table,
			  SdStatement *restore)
{
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	WithCheckOption *option = makeNode(WithCheckOption);
	ExprState  *state = makeNode(ExprState);
	Watch	   *watch = palloc0(sizeof(Watch));

	watch->table = table;
	watch->restore = restore;
	/* replayed changes cascade where they come from, as with RI */
	watch->follow = SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA;
	option->kind = WCO_VIEW_CHECK;
	option->relname = RelationGetRelationName(rel->ri_RelationDesc);
	state->flags = EEO_FLAG_IS_QUAL;
	state->evalfunc = see_row;
	state->evalfunc_private = watch;

	/* the lists may be the plan's; ours comes last, as theirs may refuse the row */
	rel->ri_WithCheckOptions = lappend(list_copy(rel->ri_WithCheckOptions), option);
	rel->ri_WithCheckOptionExprs = lappend(list_copy(rel->ri_WithCheckOptionExprs), state);
	MemoryContextSwitchTo(old);
}

/*
 * The UPDATE is to lock the rows by itself: see that it does.  false where rows are
 * not seen here, or somebody else has a condition for them.
 */
bool
sd_watch_locks(ResultRelInfo *rel)
{
	ExprState  *state;

	if (list_length(rel->ri_WithCheckOptionExprs) != 1)
		return false;
	state = linitial(rel->ri_WithCheckOptionExprs);
	if (state->evalfunc != see_row)
		return false;
	((Watch *) state->evalfunc_private)->locked = rel;
	return true;
}

/* The version that an UPDATE has found at the row at hand, NULL when that is not known. */
TupleTableSlot *
sd_old_version(ResultRelInfo *rel)
{
	/* a BEFORE trigger locks the row, and may have found a newer version */
	if (rel->ri_TrigDesc && rel->ri_TrigDesc->trig_update_before_row &&
		rel->ri_TrigOldSlot && !TTS_EMPTY(rel->ri_TrigOldSlot))
		return rel->ri_TrigOldSlot;
	if (rel->ri_oldTupleSlot && !TTS_EMPTY(rel->ri_oldTupleSlot))
		return rel->ri_oldTupleSlot;
	return NULL;
}
