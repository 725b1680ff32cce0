/*
 * rowlock.c
 *		The lock that keeps new references away from a row that is marked.
 *
 * Marking changes no key column, so the UPDATE alone would lock the row FOR NO
 * KEY UPDATE, which does not stop a concurrent INSERT of a child (its check
 * takes FOR KEY SHARE), and the child would be an orphan.  So for the UPDATE the
 * marker counts as a key column: heap_update() makes a key update of it, the
 * child's check waits, and then meets the marked version.  An invalidation of the
 * table may undo that just before, so each row is looked at when it is written
 * whether it was one.  stamp.c sees to it that nothing is opened in between, which
 * is when invalidations are heard of.
 *
 * Where that cannot be said (a trigger or a function of the user's runs between),
 * the old version is locked FOR UPDATE first.  heap_update() keeps the stronger of
 * the two locks of one transaction, where the row has that lock alone.  Beside
 * other lockers, or when another subtransaction has locked the row before, the two
 * would be kept side by side, and a child's check that sees the old version by its
 * snapshot would pass after the commit.  Such rows need the key update as well;
 * sd_check_key_updates() looks, when the statement is done, whether it was one.
 * Owns no state.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/multixact.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "engine/operation.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "mark/rowlock.h"
#include "storage/bufmgr.h"
#include "tables/table.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"

/* Let heap_update() take the marker for a key column. */
void
sd_make_key_column(Relation rel, SdTable *table)
{
	int			marker = table->marker - FirstLowInvalidHeapAttributeNumber;
	Bitmapset  *key;
	MemoryContext old;

	/* the relcache's own, which goes when it is stale */
	if (bms_is_member(marker, rel->rd_keyattr))
		return;
	key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_KEY);
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
		sd_make_key_column(rel, table);
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

static void
raise_no_key_update(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access to table \"%s\" due to concurrent DDL",
					RelationGetRelationName(rel)),
			 errhint("Try the transaction again.")));
}

/*
 * heap_update() had to make a key update of a row, whose version before is old: did
 * it?  Nobody else can change that version any more, so that the buffer need not be
 * locked.
 */
void
sd_check_key_update(SdOp *op, Relation rel, TupleTableSlot *old)
{
	if (TTS_IS_BUFFERTUPLE(old) && BufferIsValid(((BufferHeapTupleTableSlot *) old)->buffer))
	{
		if (!is_key_update(((BufferHeapTupleTableSlot *) old)->base.tuple->t_data))
			raise_no_key_update(rel);
	}
	else
		sd_op_lock_shared(op, RelationGetRelid(rel), &old->tts_tid);
}

/* Likewise, of the rows of the operation that were noted. */
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
			raise_no_key_update(rel);
		table_close(rel, AccessShareLock);
	}
	op->shared_locks = NIL;
}
