/*
 * stamp.c
 *		What a row gets when it is marked: its deletion id, and the lock that
 *		keeps new references away.
 *
 * A converted DELETE evaluates stamp() in its target list, once a row and
 * again when EvalPlanQual finds a newer version.  The trigger for UPDATEs uses
 * the same lock.
 *
 * The lock: marking changes no key column, so the UPDATE alone would lock the
 * row FOR NO KEY UPDATE, which does not stop a concurrent INSERT of a child
 * (its check takes FOR KEY SHARE), and the child would be an orphan.  So the
 * old version is locked FOR UPDATE first.  heap_update() keeps the stronger of
 * the two locks of one transaction, and the child's check waits, then meets
 * the marked version.
 *
 * It does so where the row has that lock alone.  Beside other lockers, or when
 * another subtransaction has locked the row before, the two would be kept side
 * by side, and a child's check that sees the old version by its snapshot would
 * pass after the commit.  For such rows the marker counts as a key column, so
 * that heap_update() makes a key update of it.  An invalidation may undo that
 * just before; sd_check_key_updates() looks, when the statement is done,
 * whether it was one.  Owns no state.
 */
#include "postgres.h"

#include "mark/stamp.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/multixact.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "mark/executor.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"

PG_FUNCTION_INFO_V1(softdelete_stamp);
PG_FUNCTION_INFO_V1(softdelete_stamp_locked);

/* Let heap_update() take the marker for a key column. */
static void
make_key_column(Relation rel, SdTable *table)
{
	int			marker = table->marker - FirstLowInvalidHeapAttributeNumber;
	Bitmapset  *key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_KEY);
	MemoryContext old;

	/* that was a copy; the relcache has its own, which goes when it is stale */
	if (!bms_is_member(marker, key))
	{
		old = MemoryContextSwitchTo(CacheMemoryContext);
		rel->rd_keyattr = bms_add_member(rel->rd_keyattr, marker);
		MemoryContextSwitchTo(old);
	}
	bms_free(key);
}

/*
 * Lock a row exclusively and leave it in slot.  A row that another transaction
 * has changed meanwhile is left alone, and false returned: the UPDATE will find
 * that, too, and either come back with the new version or raise the
 * serialization failure.  So it does for a row that this statement has updated
 * already (a join may bring it twice).
 */
bool
sd_lock_row(SdTable *table, Relation rel, ItemPointer tid, Snapshot snapshot,
			CommandId cid, TupleTableSlot *slot)
{
	TM_FailureData tmfd;
	HeapTuple	tuple;

	if (table_tuple_lock(rel, tid, snapshot, slot, cid, LockTupleExclusive,
						 LockWaitBlock, 0, &tmfd) != TM_Ok)
		return false;
	if (!TTS_IS_BUFFERTUPLE(slot))
		return true;			/* not a heap; it has its own ways */
	tuple = ((BufferHeapTupleTableSlot *) slot)->base.tuple;
	if (table->children != NIL &&
		((tuple->t_data->t_infomask & HEAP_XMAX_IS_MULTI) ||
		 HeapTupleHeaderGetRawXmax(tuple->t_data) != GetCurrentTransactionId()))
	{
		make_key_column(rel, table);
		sd_op_lock_shared(sd_current_op(), RelationGetRelid(rel), tid);
	}
	return true;
}

/*
 * Was the row, if it was updated, updated by a key update?  Of a multixact the
 * flag in the header does not tell: a member that locked the row FOR UPDATE sets
 * it, too, as sd_lock_row() has.  The buffer is locked.
 */
static bool
is_key_update(HeapTupleHeader tuple)
{
	MultiXactMember *members = NULL;
	bool		result = true;
	int			n;

	if (HeapTupleHeaderIsOnlyLocked(tuple))
		return true;
	if (!(tuple->t_infomask & HEAP_XMAX_IS_MULTI))
		return (tuple->t_infomask2 & HEAP_KEYS_UPDATED) != 0;
	n = GetMultiXactIdMembers(HeapTupleHeaderGetRawXmax(tuple), &members, false, false);
	for (int i = 0; i < n; i++)
		if (members[i].status == MultiXactStatusNoKeyUpdate)
			result = false;
	if (n > 0)
		pfree(members);
	return result;
}

/* The rows of the operation that heap_update() had to make a key update of. */
void
sd_check_key_updates(SdOp *op)
{
	ListCell   *lc;

	foreach(lc, op->shared_locks)
	{
		SdRowId    *row = lfirst(lc);
		Relation	rel = table_open(row->relid, AccessShareLock);
		HeapTupleData tuple;
		Buffer		buffer;
		bool		right = true;

		tuple.t_self = row->tid;
		if (heap_fetch(rel, SnapshotAny, &tuple, &buffer, false))
		{
			LockBuffer(buffer, BUFFER_LOCK_SHARE);
			right = is_key_update(tuple.t_data);
			UnlockReleaseBuffer(buffer);
		}
		if (!right)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not serialize access to table \"%s\" due to concurrent DDL",
							RelationGetRelationName(rel)),
					 errhint("Try the transaction again.")));
		table_close(rel, AccessShareLock);
	}
	op->shared_locks = NIL;
}

/*
 * A result relation with a slot for the lock, kept with the expression.  Most
 * statements have one; for a partitioned table the list grows to the number of
 * partitions that are hit.
 */
typedef struct LockTarget
{
	struct LockTarget *next;
	Relation	rel;
	TupleTableSlot *slot;
	SdTable    *table;
	bool		collect;		/* remember the keys of its rows; else the mark
								 * trigger does */
} LockTarget;

/* NULL when the statement has no such result relation */
static LockTarget *
find_target(FmgrInfo *flinfo, EState *estate, Oid relid)
{
	LockTarget *target;
	ListCell   *lc;

	for (target = flinfo->fn_extra; target; target = target->next)
		if (RelationGetRelid(target->rel) == relid)
			return target;

	foreach(lc, estate->es_opened_result_relations)
	{
		ResultRelInfo *info = lfirst(lc);
		Relation	rel = info->ri_RelationDesc;

		if (RelationGetRelid(rel) == relid)
		{
			MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);

			target = palloc(sizeof(LockTarget));
			target->rel = rel;
			target->slot = table_slot_create(rel, &estate->es_tupleTable);
			target->table = sd_table(rel);
			target->collect = sd_mark_trigger_is_off(info) &&
				SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA;
			target->next = flinfo->fn_extra;
			flinfo->fn_extra = target;
			MemoryContextSwitchTo(old);
			return target;
		}
	}
	return NULL;
}

/*
 * The table that a statement's deletion is logged for: the one that it names,
 * or else (a WITH query deletes) the first managed one it writes.
 */
static Oid
root_table(QueryDesc *query)
{
	ModifyTableState *top = (ModifyTableState *) query->planstate;
	ListCell   *lc;

	if (top && IsA(top, ModifyTableState) &&
		sd_table(top->rootResultRelInfo->ri_RelationDesc) != NULL)
		return sd_topmost(top->rootResultRelInfo->ri_RelationDesc);
	foreach(lc, query->estate->es_opened_result_relations)
	{
		SdTable    *table = sd_table(((ResultRelInfo *) lfirst(lc))->ri_RelationDesc);

		if (table != NULL)
			return table->root;
	}
	elog(ERROR, "softdelete.stamp() called outside a DELETE");
	return InvalidOid;
}

static int64
current_id(void)
{
	SdOp	   *op;

	/* a plan made here runs here, with the hooks in place */
	if (sd_frame == NULL)
		elog(ERROR, "softdelete.stamp() called outside a DELETE");
	op = sd_current_op();
	if (op->id != 0)
		return op->id;
	return sd_op_id(op, root_table(sd_frame->query));
}

/* stamp(engine) -> bigint: the deletion id of the running statement */
Datum
softdelete_stamp(PG_FUNCTION_ARGS)
{
	sd_check_engine_arg(fcinfo);
	PG_RETURN_INT64(current_id());
}

/*
 * stamp(engine, ctid, tableoid) -> bigint: the same, and lock that row.
 *
 * Where a BEFORE ROW trigger fetched the row, EvalPlanQual's tuple may come
 * without its table's OID.  Then our own BEFORE trigger is on, too (see
 * executor.c), and does the locking.
 */
Datum
softdelete_stamp_locked(PG_FUNCTION_ARGS)
{
	ItemPointer tid;
	int64		id;
	EState	   *estate;
	LockTarget *target;

	sd_check_engine_arg(fcinfo);
	tid = (ItemPointer) PG_GETARG_POINTER(1);
	id = current_id();
	estate = sd_frame->query->estate;
	target = find_target(fcinfo->flinfo, estate, PG_GETARG_OID(2));
	if (target != NULL)
	{
		if (sd_lock_row(target->table, target->rel, tid, estate->es_snapshot,
						estate->es_output_cid, target->slot) && target->collect)
			sd_op_collect(sd_current_op(), target->table, target->slot);
		ExecClearTuple(target->slot);
	}
	PG_RETURN_INT64(id);
}
