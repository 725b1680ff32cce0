/*
 * stamp.c
 *		What a row gets when it is marked: its deletion id.
 *
 * A converted DELETE evaluates stamp() in its target list, once a row and
 * again when EvalPlanQual finds a newer version.  Where others may refer to the
 * row it is locked, too (rowlock.c).  Owns no state.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/multixact.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/own_objects.h"
#include "engine/frame.h"
#include "engine/operation.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "mark/rowlock.h"
#include "mark/watch.h"
#include "storage/bufmgr.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"

PG_FUNCTION_INFO_V1(softdelete_stamp);
PG_FUNCTION_INFO_V1(softdelete_stamp_locked);

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
	bool		by_update;		/* the UPDATE locks the row by itself */
} LockTarget;

/*
 * Can the UPDATE lock the rows by itself?  Where nothing is opened from now on until
 * the row is written; its indexes, which the executor opens with the first one, are
 * opened here.
 */
static bool
can_lock_by_update(ResultRelInfo *rel, SdTable *table)
{
	if (!table->opens_nothing ||
		(rel->ri_TrigDesc != NULL && rel->ri_TrigDesc->trig_update_before_row) ||
		!sd_watch_locks(rel))
		return false;
	if (rel->ri_IndexRelationDescs == NULL && rel->ri_RelationDesc->rd_rel->relhasindex)
		ExecOpenIndices(rel, false);
	return true;
}

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
			target->by_update = can_lock_by_update(info, target->table);
			target->next = flinfo->fn_extra;
			flinfo->fn_extra = target;
			MemoryContextSwitchTo(old);
			return target;
		}
	}
	return NULL;
}

static int64
current_id(void)
{
	/* a plan made here runs here, with the hooks in place */
	if (sd_frame == NULL)
		elog(ERROR, "softdelete.stamp() called outside a DELETE");
	return sd_op_id(sd_current_op());
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
 * triggerset.c), and does the locking.
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
	if (target != NULL && target->by_update)
		sd_make_key_column(target->rel, target->table);
	else if (target != NULL)
	{
		(void) sd_lock_row(target->table, target->rel, tid, estate->es_snapshot,
						   estate->es_output_cid, target->slot);
		ExecClearTuple(target->slot);
	}
	PG_RETURN_INT64(id);
}
