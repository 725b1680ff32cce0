/*
 * heldkey.c
 *		A row on hold keeps its key.
 *
 * A hold goes by the values of the primary key.  Under another key nothing would
 * hold the row any more, so an UPDATE that changes it is refused.  Looked at are
 * statements that assign to a column of the key, in tables with rows on hold; each
 * row that they have written is seen as in watch.c.
 *
 * Called by triggerset.c as a statement starts, and by guard.c for a row that leaves
 * its partition.  Owns no state: it is the query's.
 */
#include "postgres.h"

#include "base/errors.h"
#include "engine/holds.h"
#include "executor/executor.h"
#include "mark/heldkey.h"
#include "mark/watch.h"
#include "nodes/parsenodes.h"
#include "tables/names.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

typedef struct HeldKey
{
	ResultRelInfo *rel;
	SdTable    *table;
	CmdType		operation;
} HeldKey;

static void
raise_new_key(SdTable *table)
{
	ereport(ERROR,
			(errcode(SD_ERRCODE_ON_HOLD),
			 errmsg("row of table \"%s\" is on hold", get_rel_name(table->root)),
			 errdetail("The hold goes by the row's primary key, which this statement changes."),
			 errhint("Release the row, change its key and hold it again, in one transaction. SELECT target, key, why FROM softdelete.holds WHERE released_at IS NULL AND target = %s::regclass; says which rows are on hold.",
					 quote_literal_cstr(sd_qualified_name(table->root)))));
}

/* Is the row at hand a new version of that one?  MERGE inserts others, too. */
static bool
is_successor(TupleTableSlot *row, HeapTuple old)
{
	return ItemPointerEquals(&row->tts_tid, &old->t_data->t_ctid);
}

static Datum
see_row(ExprState *state, ExprContext *econtext, bool *isnull)
{
	HeldKey    *self = state->evalfunc_private;
	TupleTableSlot *row = econtext->ecxt_scantuple;
	TupleTableSlot *old = sd_old_version(self->rel);
	HeapTuple	tuple;
	HeapTuple	new_tuple;
	bool		free_tuple;
	bool		free_new;

	if (self->operation == CMD_INSERT)
		old = self->rel->ri_onConflict && !TTS_EMPTY(self->rel->ri_onConflict->oc_Existing) ?
			self->rel->ri_onConflict->oc_Existing : NULL;
	*isnull = false;
	if (old == NULL)
		return BoolGetDatum(true);
	tuple = ExecFetchSlotHeapTuple(old, false, &free_tuple);
	new_tuple = ExecFetchSlotHeapTuple(row, false, &free_new);
	if (sd_row_is_held(self->table, tuple, old->tts_tupleDescriptor) &&
		!sd_row_is_held(self->table, new_tuple, row->tts_tupleDescriptor) &&
		(self->operation != CMD_MERGE || is_successor(row, tuple)))
		raise_new_key(self->table);
	if (free_tuple)
		heap_freetuple(tuple);
	if (free_new)
		heap_freetuple(new_tuple);
	return BoolGetDatum(true);
}

/* See the rows of the relation that the statement updates, if it may change the key of one on hold. */
void
sd_watch_held(EState *estate, ResultRelInfo *rel, SdTable *table, CmdType operation)
{
	WithCheckOption *option;
	ExprState  *state;
	HeldKey    *self;
	MemoryContext old;

	if (!bms_overlap(table->key_columns, ExecGetUpdatedCols(rel, estate)) ||
		!sd_has_row_holds(table->root))
		return;
	old = MemoryContextSwitchTo(estate->es_query_cxt);
	self = palloc(sizeof(HeldKey));
	self->rel = rel;
	self->table = table;
	self->operation = operation;
	option = makeNode(WithCheckOption);
	option->kind = WCO_VIEW_CHECK;
	option->relname = RelationGetRelationName(rel->ri_RelationDesc);
	state = makeNode(ExprState);
	state->flags = EEO_FLAG_IS_QUAL;
	state->evalfunc = see_row;
	state->evalfunc_private = self;
	rel->ri_WithCheckOptions = lappend(list_copy(rel->ri_WithCheckOptions), option);
	rel->ri_WithCheckOptionExprs = lappend(list_copy(rel->ri_WithCheckOptionExprs), state);
	MemoryContextSwitchTo(old);
}

/*
 * The row leaves its partition, and not because its mark changes: the columns that
 * say which one it belongs to are part of the key.
 */
void
sd_refuse_new_key(SdTable *table, HeapTuple old, TupleDesc desc)
{
	if (sd_row_is_held(table, old, desc))
		raise_new_key(table);
}
