/*
 * operation.c
 *		One delete or restore in progress.
 *
 * Owns the list of operations.  An operation lives in the query context of its
 * statement, so an aborted subtransaction leaves nothing behind; a reset
 * callback takes it off the list.  This file runs no SQL.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "engine/counts.h"
#include "engine/deletion.h"
#include "engine/frame.h"
#include "engine/keyset.h"
#include "engine/operation.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "tables/cluster.h"
#include "tables/foreignkeys.h"
#include "tables/table.h"
#include "utils/memutils.h"

typedef struct OpEntry
{
	dlist_node	node;
	SdOp		op;
	MemoryContextCallback callback;
} OpEntry;

static dlist_head ops = DLIST_STATIC_INIT(ops);

static void
op_gone(void *arg)
{
	dlist_delete(&((OpEntry *) arg)->node);
}

/* The operation of a statement, if it has begun; NULL otherwise. */
SdOp *
sd_op_of(EState *estate)
{
	dlist_iter	iter;

	dlist_foreach(iter, &ops)
	{
		OpEntry    *entry = dlist_container(OpEntry, node, iter.cur);

		if (entry->op.estate == estate)
			return &entry->op;
	}
	return NULL;
}

static SdOp *
begin_op(EState *estate, MemoryContext context)
{
	OpEntry    *entry = MemoryContextAllocZero(context, sizeof(OpEntry));

	entry->op.estate = estate;
	entry->op.context = context;
	entry->op.role = GetUserId();
	entry->callback.func = op_gone;
	entry->callback.arg = entry;
	MemoryContextRegisterResetCallback(context, &entry->callback);
	dlist_push_head(&ops, &entry->node);
	return &entry->op;
}

/* An operation that several statements join, by SdStatement.op. */
SdOp *
sd_op_begin(EState *estate)
{
	return begin_op(estate, estate->es_query_cxt);
}

/* the statement whose operation it is, see sd_current_op(); NULL for none */
static EState *
owner_estate(void)
{
	SdFrame    *owner = sd_frame;

	while (owner &&
		   (owner->query->estate->es_top_eflags & EXEC_FLAG_SKIP_TRIGGERS))
		owner = owner->outer;
	return owner ? owner->query->estate : NULL;
}

/* The operation of the running statement, if it has begun; NULL otherwise. */
SdOp *
sd_existing_op(void)
{
	if (sd_frame == NULL)
		return NULL;
	if (sd_frame->op)
		return sd_frame->op;
	if (sd_frame->statement && sd_frame->statement->op)
		return sd_frame->statement->op;
	return sd_op_of(owner_estate());
}

/*
 * The operation that a row marked just now belongs to.
 *
 * A statement that is run on behalf of another (its AFTER triggers are left to
 * the outer one: the engine's cascades, and RI's own actions) joins the outer
 * one's.  Without any frame (the library was loaded by the very trigger that
 * asks, or a deferred RI action runs at commit) there is one operation for the
 * transaction; its estate is NULL, and the trigger follows its keys at once.
 */
SdOp *
sd_current_op(void)
{
	EState	   *estate;
	MemoryContext context;
	SdOp	   *op;

	if (sd_frame && sd_frame->op)
		return sd_frame->op;
	if (sd_frame && sd_frame->statement && sd_frame->statement->op)
		return sd_frame->op = sd_frame->statement->op;

	estate = owner_estate();
	op = sd_op_of(estate);
	if (op == NULL)
	{
		context = estate ? estate->es_query_cxt :
			AllocSetContextCreate(TopTransactionContext, "softdelete operation",
								  ALLOCSET_SMALL_SIZES);
		op = begin_op(estate, context);
		op->restoring = sd_frame && sd_frame->statement &&
			sd_frame->statement->task == SD_TASK_RESTORE;
	}
	if (sd_frame)
		sd_frame->op = op;
	return op;
}

/* The deletion id of the operation; its first row draws it. */
int64
sd_op_id(SdOp *op)
{
	if (op->id == 0)
		op->id = sd_deletion_id(op->role, &op->drew);
	return op->id;
}

/* When are rows marked by the running statement?  All nodes of a cluster say the same. */
TimestampTz
sd_op_time(void)
{
	SdOp	   *op = sd_in_cluster() ? sd_existing_op() : NULL;

	return op && op->ordered && op->at != 0 ? op->at : GetCurrentTransactionStartTimestamp();
}

/* Count n rows of a table (topmost) as marked. */
void
sd_op_count(SdOp *op, Oid relid, int64 n)
{
	ListCell   *lc;
	SdCount    *count;
	MemoryContext old;

	dlist_iter	iter;

	if (n == 0)
		return;

	/* a trigger deletes what the statement around it has restored? */
	dlist_foreach(iter, &ops)
	{
		SdOp	   *other = &dlist_container(OpEntry, node, iter.cur)->op;

		if (other != op && other->restored_total > 0)
			other->reversed = true;
	}
	op->marked_total += n;
	if (!OidIsValid(op->root))
		op->root = relid;
	foreach(lc, op->counts)
	{
		count = lfirst(lc);
		if (count->relid == relid)
		{
			count->n += n;
			return;
		}
	}
	old = MemoryContextSwitchTo(op->context);
	count = palloc(sizeof(SdCount));
	count->relid = relid;
	count->n = n;
	count->in_all = false;
	op->counts = lappend(op->counts, count);
	MemoryContextSwitchTo(old);
}

/*
 * The table that the statement names is the deletion's, if rows of it were
 * marked; else the first one of which any were.
 */
void
sd_op_prefer_root(SdOp *op, Oid relid)
{
	ListCell   *lc;

	foreach(lc, op->counts)
		if (((SdCount *) lfirst(lc))->relid == relid)
			op->root = relid;
}

/* Count n rows of a table that deletion id took (0: none knows which) as restored. */
void
sd_op_count_restored(SdOp *op, Oid relid, int64 id, int64 n)
{
	dlist_iter	iter;
	SdOp	   *logs = op;
	SdIdCount  *count;

	op->restored_total += n;
	if (id == 0 || n == 0)
		return;

	/*
	 * A trigger may restore what the statement around it has marked: then that
	 * one has not followed its keys yet, and its log row is still to come.
	 */
	dlist_foreach(iter, &ops)
	{
		SdOp	   *other = &dlist_container(OpEntry, node, iter.cur)->op;

		if (other == op || other->id != id)
			continue;
		other->reversed = true;
		if (!other->logged)
			logs = other;
	}
	count = logs->restored_last;
	if (count != NULL && count->key.id == id && count->key.relid == relid)
		count->n += n;
	else
		logs->restored_last = sd_count_by_id(&logs->restored, logs->context, id, relid, n);
}

static void
collect(SdOp *op, List **list, SdKey *key, bool restored, bool of_parents,
		int64 id, TupleTableSlot *slot)
{
	MemoryContext old;
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull;

	/* a key with a NULL refers to nothing */
	for (int i = 0; i < key->n; i++)
	{
		values[i] = slot_getattr(slot, key->own_atts[i], &isnull);
		if (isnull)
			return;
	}
	old = MemoryContextSwitchTo(op->context);
	sd_key_set_add(sd_key_set_find(list, key, restored, of_parents, id, 0), values);
	MemoryContextSwitchTo(old);
}

/*
 * The row in slot was marked: remember its keys, to follow those that cascade
 * and to check that nobody refers to it by the others.
 */
void
sd_op_marked(SdOp *op, SdTable *table, TupleTableSlot *slot)
{
	ListCell   *lc;

	foreach(lc, table->children)
	{
		SdKey	   *key = lfirst(lc);

		if (key->on_delete == FKCONSTR_ACTION_CASCADE)
			collect(op, &op->pending, key, false, false, 0, slot);
		else if (sd_key_needs_parent(key))
			collect(op, &op->childless, key, false, false, 0, slot);
	}
}

/* It was restored from deletion id: what went along with it comes back. */
void
sd_op_restored(SdOp *op, SdKey *key, int64 id, TupleTableSlot *slot)
{
	collect(op, &op->pending, key, true, false, id, slot);
}

/* It was restored: the row that it refers to by key must be there, and live. */
void
sd_op_parent(SdOp *op, SdKey *key, TupleTableSlot *slot)
{
	collect(op, &op->parents, key, true, true, 0, slot);
}

/* Look, when the operation is done, for live children of this key (new ones). */
void
sd_op_recheck(SdOp *op, SdKey *key, CommandId before, const Datum *values)
{
	MemoryContext old = MemoryContextSwitchTo(op->context);

	sd_key_set_add(sd_key_set_find(&op->childless, key, false, false, 0, before),
				   values);
	MemoryContextSwitchTo(old);
}

/* A row that others have locked, too, was locked to be marked. */
void
sd_op_lock_shared(SdOp *op, Oid relid, ItemPointer tid)
{
	MemoryContext old = MemoryContextSwitchTo(op->context);
	SdRowId    *row = palloc(sizeof(SdRowId));

	row->relid = relid;
	row->tid = *tid;
	op->shared_locks = lappend(op->shared_locks, row);
	MemoryContextSwitchTo(old);
}

bool
sd_op_has_work(SdOp *op)
{
	return op->pending != NIL || op->childless != NIL || op->parents != NIL ||
		op->held != NIL;
}
