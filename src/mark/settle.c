/*
 * settle.c
 *		The end of an operation: what is left to follow, to check and to tell.
 *
 * executor.c comes here when a statement is done.  First the keys are followed
 * (cascade.c).  A restore leaves children deleted that need another deleted row
 * as well.  Where such rows hold only each other, as two that refer to one
 * another do, they are tried together.  Then the keys that may refuse are checked:
 * RESTRICT and NO ACTION ones, cascades that a user's trigger or rule may have
 * stopped, and parents of restored rows.  Owns no state.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/spi.h"
#include "engine/counts.h"
#include "engine/frame.h"
#include "engine/keyset.h"
#include "engine/operation.h"
#include "engine/restorequery.h"
#include "executor/executor.h"
#include "fk/check.h"
#include "fk/orphan.h"
#include "mark/cascade.h"
#include "mark/settle.h"
#include "mark/tell.h"
#include "miscadmin.h"
#include "tables/foreignkeys.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* Do rows of the table need rows of the other, by one key or several? */
static bool
needs(Oid relid, Oid other, List **visited)
{
	SdTable    *table = sd_table_by_oid(relid);
	ListCell   *lc;

	if (table == NULL || list_member_oid(*visited, relid))
		return false;
	*visited = lappend_oid(*visited, relid);
	foreach(lc, table->parents)
	{
		SdKey	   *key = lfirst(lc);

		if (sd_key_needs_parent(key) &&
			(key->parent == other || needs(key->parent, other, visited)))
			return true;
	}
	return false;
}

/* Could children that were left deleted hold each other? */
static bool
may_be_circle(SdOp *op)
{
	ListCell   *lc;

	foreach(lc, op->held)
	{
		Oid			child = ((SdKeySet *) lfirst(lc))->key->child;
		List	   *visited = NIL;

		if (needs(child, child, &visited))
			return true;
	}
	return false;
}

static SdKeySet *
copy_set(SdKeySet *from)
{
	SdKeySet   *set = sd_key_set(from->key, from->restored, from->of_parents, from->id);
	Datum		values[INDEX_MAX_KEYS];

	for (int row = 0; row < from->n; row++)
	{
		for (int i = 0; i < from->key->n; i++)
			values[i] = from->values[i][row];
		sd_key_set_add(set, values);
	}
	return set;
}

/* What a trial restored was restored by the operation. */
static void
take_over(SdOp *op, SdOp *trial)
{
	HASH_SEQ_STATUS scan;
	SdIdCount  *count;
	MemoryContext old;
	ListCell   *lc;

	if (trial->restored != NULL)
	{
		hash_seq_init(&scan, trial->restored);
		while ((count = hash_seq_search(&scan)) != NULL)
			sd_op_count_restored(op, (Oid) count->key.relid, count->key.id, count->n);
	}
	old = MemoryContextSwitchTo(op->context);
	foreach(lc, trial->parents)
		op->parents = lappend(op->parents, copy_set(lfirst(lc)));
	MemoryContextSwitchTo(old);
}

/*
 * Restore the children that were left deleted, and what hangs on them, together,
 * but not those that refer to the rows in *but.  What they need that is deleted
 * still is added to *but.  Returns the number of rows; they are restored if *but
 * has become no longer.
 */
static int64
try_held(SdOp *op, List **but)
{
	EState	   *estate = CreateExecutorState();
	QueryDesc	query = {.estate = estate};
	SdFrame		frame = {NULL, &query, NULL, sd_op_begin(estate)};
	SdOp	   *trial = frame.op;
	MemoryContext old = MemoryContextSwitchTo(trial->context);
	int64		rows;
	ListCell   *lc;

	trial->restoring = true;
	trial->trial = true;
	trial->trial_but = *but;
	foreach(lc, op->held)
		trial->pending = lappend(trial->pending, copy_set(lfirst(lc)));
	MemoryContextSwitchTo(op->context);
	SD_BEGIN_FRAME(&frame);
	{
		sd_follow(trial, estate);
		foreach(lc, trial->parents)
		{
			SdKeySet   *set = lfirst(lc);
			SdKeySet   *deleted;

			if (!sd_key_needs_parent(set->key) || sd_table_by_oid(set->key->parent) == NULL)
				continue;
			deleted = sd_only_deleted(set);
			if (deleted->n > 0)
				*but = lappend(list_copy(*but), deleted);
		}
	}
	SD_END_FRAME(&frame);
	rows = trial->restored_total;
	if (*but == trial->trial_but)
		take_over(op, trial);
	MemoryContextSwitchTo(old);
	ExecResetTupleTable(estate->es_tupleTable, false);
	ExecCloseResultRelations(estate);
	FreeExecutorState(estate);
	return rows;
}

/*
 * Rows that hold each other come back together, or not at all.  Each trial finds
 * who stands in the way of the one before; the last one stands.
 */
static void
restore_circles(SdOp *op)
{
	List	   *but = NIL;
	bool		done = false;

	if (!may_be_circle(op))
		return;
	while (!done)
	{
		MemoryContext context = CurrentMemoryContext;
		ResourceOwner owner = CurrentResourceOwner;
		List	   *before = but;
		int64		rows;

		CHECK_FOR_INTERRUPTS();
		BeginInternalSubTransaction(NULL);
		MemoryContextSwitchTo(context);
		PG_TRY();
		{
			rows = try_held(op, &but);
		}
		PG_CATCH();
		{
			ErrorData  *error;

			MemoryContextSwitchTo(context);
			error = CopyErrorData();
			FlushErrorState();
			RollbackAndReleaseCurrentSubTransaction();
			CurrentResourceOwner = owner;
			ReThrowError(error);
		}
		PG_END_TRY();
		done = but == before;
		if (done)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		done = done || rows == 0;
	}
}

/* Follow what the operation has pending, and check what it has left to check. */
void
sd_cascade(SdOp *op, EState *estate)
{
	ListCell   *lc;

	if (op->pending != NIL || op->reversed)
		sd_follow(op, estate);
	if (op->held == NIL && op->childless == NIL && op->parents == NIL)
		return;
	sd_spi_connect();
	if (op->held != NIL)
		restore_circles(op);
	foreach(lc, op->parents)
		sd_check_parent(lfirst(lc));
	foreach(lc, op->childless)
		if (((SdKeySet *) lfirst(lc))->n > 0)
			sd_check_children(lfirst(lc));
	if (op->held != NIL)
		sd_tell_held(op->held);
	op->held = NIL;
	op->childless = NIL;
	op->parents = NIL;
	sd_spi_finish();
}
