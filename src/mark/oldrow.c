/*
 * oldrow.c
 *		RETURNING of a DELETE that marks shows the row as it was.
 *
 * An UPDATE evaluates RETURNING over the row's new version, a DELETE over the old
 * one: not only the marker differs, but also generated columns, what a BEFORE
 * UPDATE trigger touched, ctid and xmin.  So the projection of a converted DELETE
 * gets another one around it, that puts the old version in the new one's place.
 *
 * executor.c calls this as the statement starts.  A row that leaves its partition
 * as it is marked is returned by an INSERT: see plan/returning.c.  Owns no state.
 */
#include "postgres.h"

#include "compat.h"
#include "executor/executor.h"
#include "mark/oldrow.h"
#include "mark/triggerset.h"
#include "mark/watch.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/rel.h"

typedef struct OldProjection
{
	ProjectionInfo projection;	/* the executor's view of it */
	ProjectionInfo *original;
	ResultRelInfo *rel;
} OldProjection;

/* an ExprStateEvalFunc */
static Datum
project_old_row(ExprState *state, ExprContext *econtext, bool *isnull)
{
	OldProjection *self = state->evalfunc_private;
	ExprState  *original = &self->original->pi_state;
	TupleTableSlot *old = sd_old_version(self->rel);

	if (old != NULL)
	{
		old->tts_tableOid = RelationGetRelid(self->rel->ri_RelationDesc);
		econtext->ecxt_scantuple = old;
		original->flags = state->flags;
		sd_return_no_new_row(original, econtext, self->rel);
	}
	return original->evalfunc(original, econtext, isnull);
}

static void
return_old_row(ResultRelInfo *rel)
{
	ProjectionInfo *original = rel->ri_projectReturning;
	OldProjection *self;

	if (original == NULL)
		return;
	self = palloc0(sizeof(OldProjection));
	self->original = original;
	self->rel = rel;
	self->projection.type = T_ProjectionInfo;
	self->projection.pi_exprContext = original->pi_exprContext;
	/* ExecProject() looks at these */
	self->projection.pi_state.type = T_ExprState;
	self->projection.pi_state.flags = original->pi_state.flags;
	self->projection.pi_state.resultslot = original->pi_state.resultslot;
	self->projection.pi_state.evalfunc = project_old_row;
	self->projection.pi_state.evalfunc_private = self;
	rel->ri_projectReturning = &self->projection;
}

/* Let the converted DELETEs of the statement return their rows as they were. */
void
sd_return_old_rows(QueryDesc *query)
{
	EState	   *estate = query->estate;
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	List	   *nodes = lcons(query->planstate, list_copy(estate->es_auxmodifytables));
	ListCell   *lc;

	foreach(lc, nodes)
	{
		ModifyTableState *node = lfirst(lc);
		SdTable    *table;

		if (node == NULL || !IsA(node, ModifyTableState) || node->operation != CMD_UPDATE ||
			((ModifyTable *) node->ps.plan)->returningLists == NIL)
			continue;
		table = sd_table(node->rootResultRelInfo->ri_RelationDesc);
		if (table == NULL || table->moves ||
			!sd_is_converted(estate, node->rootResultRelInfo, table))
			continue;
		for (int i = 0; i < node->mt_nrels; i++)
			return_old_row(&node->resultRelInfo[i]);
	}
	list_free(nodes);
	MemoryContextSwitchTo(old);
}
