/*
 * parentcheck.c
 *		What PostgreSQL's own foreign-key check may see of a deleted parent.
 *
 * The check of a child's reference gets "live OR deleted_parent_ok(...)" as its
 * condition on the parent (visibility.c).  The function runs only when the
 * parent is deleted.  It asks whether a live child refers to it: the row that
 * is being checked is visible by now, so if that one is live it is found, and
 * the check fails as if the parent were gone; if it is deleted itself, its
 * reference to a deleted parent is as it should be.
 *
 * While a statement marks or restores rows, the others have yet to come; then the
 * parent passes and is looked at again when the operation is done.  Owns no state.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/own_objects.h"
#include "base/spi.h"
#include "engine/frame.h"
#include "engine/keyset.h"
#include "engine/operation.h"
#include "executor/executor.h"
#include "fk/orphan.h"
#include "fk/parentcheck.h"
#include "tables/foreignkeys.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "tables/table.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(softdelete_deleted_parent_ok);

/*
 * Do the key's columns of the parent stand among the checked ones?  Fills
 * values in the key's order.
 */
static bool
key_values(SdKey *key, int2vector *atts, const Datum *checked, Datum *values)
{
	if (key->n != atts->dim1)
		return false;
	for (int i = 0; i < key->n; i++)
	{
		int			j;

		for (j = 0; j < atts->dim1; j++)
			if (atts->values[j] == key->parent_atts[i])
				break;
		if (j == atts->dim1)
			return false;
		values[i] = checked[j];
	}
	return true;
}

/*
 * The command after the one of this transaction that marked the parent (or
 * updated it since), 0 if none did: children that a SET NULL or SET DEFAULT key
 * ties to it may have been written before.
 */
static CommandId
marked_before(Oid relid, ItemPointer tid)
{
	Relation	rel = table_open(relid, NoLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	CommandId	before = 0;

	if (table_tuple_fetch_row_version(rel, tid, SnapshotAny, slot) &&
		TTS_IS_BUFFERTUPLE(slot))
	{
		HeapTupleHeader tuple = ((BufferHeapTupleTableSlot *) slot)->base.tuple->t_data;

		if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple)))
			before = HeapTupleHeaderGetCmin(tuple) + 1;
	}
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
	return before;
}

/*
 * May a child be written whose parent is the deleted row at tid?  checked are the
 * parent's values in these columns.
 */
bool
sd_deleted_parent_ok(SdTable *table, int2vector *atts, ItemPointer tid, Oid tableoid,
					 const Datum *checked)
{
	SdOp	   *op = NULL;
	bool		found = false;
	ListCell   *lc;

	op = sd_existing_op();
	if (op == NULL && sd_frame != NULL && sd_frame->statement != NULL &&
		sd_frame->statement->task == SD_TASK_RESTORE)
		op = sd_current_op();
	if (op != NULL && op->id == 0 && !op->restoring)
		op = NULL;

	if (op == NULL)
		sd_spi_connect();
	foreach(lc, table->children)
	{
		SdKey	   *key = lfirst(lc);
		Datum		values[INDEX_MAX_KEYS];
		CommandId	before = 0;

		if (found || !key_values(key, atts, checked, values))
			continue;
		if (!sd_key_needs_parent(key))
		{
			/* a data-only load, see pg_dump, brings all as they were */
			if (!row_security)
				continue;
			before = marked_before(tableoid, tid);
		}
		if (op != NULL)
			sd_op_recheck(op, key, before, values);
		else
		{
			SdKeySet   *set = sd_key_set(key, false, false, 0);

			set->before = before;
			sd_key_set_add(set, values);
			found = sd_find_orphan(set, false);
			if (found && sd_frame != NULL && !sd_key_needs_parent(key))
				sd_frame->kept_parent = key->parent;
		}
	}
	if (op == NULL)
		sd_spi_finish();
	return !found;
}

/*
 * deleted_parent_ok(engine, table, key columns, parent's ctid and tableoid,
 * VARIADIC key values)
 */
Datum
softdelete_deleted_parent_ok(PG_FUNCTION_ARGS)
{
	SdTable    *table;
	int2vector *atts = (int2vector *) PG_GETARG_POINTER(2);
	Datum		checked[INDEX_MAX_KEYS];

	sd_check_engine_arg(fcinfo);
	table = sd_table_by_oid(PG_GETARG_OID(1));
	if (table == NULL)
		PG_RETURN_BOOL(true);
	for (int i = 0; i < atts->dim1; i++)
		checked[i] = PG_GETARG_DATUM(i + 5);
	PG_RETURN_BOOL(sd_deleted_parent_ok(table, atts, (ItemPointer) PG_GETARG_POINTER(3),
										PG_GETARG_OID(4), checked));
}

/*
 * Called as an error is raised while the AFTER triggers of a statement fire: RI's
 * own, where the reference that it refuses may have been read from a row that keeps
 * one.
 */
void
sd_hint_kept_link(void *frame)
{
	SdFrame    *user = frame;
	Oid			parent = user->kept_parent;

	if (OidIsValid(parent) && user->statement == NULL &&
		geterrcode() == ERRCODE_FOREIGN_KEY_VIOLATION && sd_may_see(parent))
		errhint("The row of table \"%s\" is deleted, and rows that referred to it keep the reference until it is purged. To copy one of them, write NULL for the reference, or restore the row first.",
				get_rel_name(parent));
}
