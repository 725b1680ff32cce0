/*
 * logrow.c
 *		Rows of the log, written and locked without the executor.
 *
 * As catalogs are written, since a single-row DELETE would otherwise spend as
 * much on its log row as on itself, and a purge more on the log than on the rows.
 * The tables are the extension's own, but their owner may have put indexes,
 * triggers and the like on them, which this way knows nothing of: then the
 * callers use SQL.
 *
 * Called by log.c, lognote.c and loglock.c.  Keeps nothing.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/own_objects.h"
#include "base/own_sql.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "engine/logrow.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "tables/primarykey.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* a role's name, as the log keeps it */
Datum
sd_log_role(Oid role)
{
	return CStringGetTextDatum(GetUserNameFromId(role, false));
}

/* a setting as the log keeps it, which has no empty ones */
Datum
sd_log_text(const char *value, bool *isnull)
{
	*isnull = value == NULL || value[0] == '\0';
	return *isnull ? (Datum) 0 : CStringGetTextDatum(value);
}

/*
 * The column of which the index has the rows where it is not null; 0 for an index
 * that has all rows.  false: it is an index of some other kind.
 */
static bool
is_plain_index(Relation index, IndexInfo *info, AttrNumber *not_null)
{
	NullTest   *test;

	*not_null = 0;
	if (info->ii_Expressions != NIL || info->ii_ExclusionOps != NULL ||
		!index->rd_index->indimmediate || index->rd_rel->relam != BTREE_AM_OID)
		return false;
	if (info->ii_Predicate == NIL)
		return true;
	test = linitial(info->ii_Predicate);
	if (list_length(info->ii_Predicate) != 1 || !IsA(test, NullTest) ||
		test->nulltesttype != IS_NOT_NULL || !IsA(test->arg, Var))
		return false;
	*not_null = ((Var *) test->arg)->varattno;
	return *not_null > 0;
}

/*
 * May rows be written without the executor?  Not where an index has expressions or
 * a condition of some kind, or is not checked at once, nor past triggers,
 * constraints, rules and row security.
 */
bool
sd_is_plain_table(Relation rel, CatalogIndexState indexes)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	if (rel->trigdesc != NULL || rel->rd_rules != NULL ||
		rel->rd_rel->relrowsecurity || rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		(constr != NULL && (constr->num_check > 0 || constr->has_generated_stored)))
		return false;
	for (int i = 0; i < indexes->ri_NumIndices; i++)
	{
		AttrNumber	not_null;

		if (!is_plain_index(indexes->ri_IndexRelationDescs[i],
							indexes->ri_IndexRelationInfo[i], &not_null))
			return false;
	}
	return true;
}

static void
enter_into_indexes(Relation rel, CatalogIndexState indexes, TupleTableSlot *slot)
{
	for (int i = 0; i < indexes->ri_NumIndices; i++)
	{
		Relation	index = indexes->ri_IndexRelationDescs[i];
		IndexInfo  *info = indexes->ri_IndexRelationInfo[i];
		Datum		values[INDEX_MAX_KEYS];
		bool		nulls[INDEX_MAX_KEYS];
		AttrNumber	not_null;

		if (!info->ii_ReadyForInserts || !is_plain_index(index, info, &not_null) ||
			(not_null != 0 && slot_attisnull(slot, not_null)))
			continue;
		FormIndexDatum(info, slot, NULL, values, nulls);
		index_insert(index, values, nulls, &slot->tts_tid, rel,
					 info->ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, info);
	}
}

static void
enter_tuple(Relation rel, CatalogIndexState indexes, HeapTuple tuple)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);

	ExecStoreHeapTuple(tuple, slot, false);
	enter_into_indexes(rel, indexes, slot);
	ExecDropSingleTupleTableSlot(slot);
}

/* Insert a row of a plain table. */
void
sd_plain_insert(Relation rel, CatalogIndexState indexes, HeapTuple tuple)
{
	simple_heap_insert(rel, tuple);
	enter_tuple(rel, indexes, tuple);
}

/* Insert some. */
void
sd_plain_insert_many(Relation rel, CatalogIndexState indexes, TupleTableSlot **slots, int n)
{
	heap_multi_insert(rel, slots, n, GetCurrentCommandId(true), 0, NULL);
	for (int i = 0; i < n; i++)
		enter_into_indexes(rel, indexes, slots[i]);
}

/* Put the tuple in the place of a row that nobody else can change meanwhile. */
void
sd_plain_update(Relation rel, CatalogIndexState indexes, ItemPointer old, HeapTuple tuple)
{
	if (sd_simple_heap_update(rel, old, tuple))
		enter_tuple(rel, indexes, tuple);
}

/*
 * The same for a row that others may be changing: waits for them.  false, and
 * nothing is done, where they have.
 */
bool
sd_plain_update_unchanged(Relation rel, CatalogIndexState indexes, ItemPointer old,
						  HeapTuple tuple)
{
	if (sd_heap_update(rel, old, tuple) != TM_Ok)
		return false;
	if (!HeapTupleIsHeapOnly(tuple))
		enter_tuple(rel, indexes, tuple);
	return true;
}

/*
 * Open the log.  false, and nothing is open: its rows cannot be changed without
 * SQL.  Nor can they in a transaction with one snapshot, which has errors of its
 * own for rows that others have changed.
 */
bool
sd_open_log_rows(SdLogRows *rows)
{
	Oid			primary;

	if (IsolationUsesXactSnapshot())
		return false;
	rows->rel = table_open(sd_objects()->log, RowExclusiveLock);
	rows->indexes = CatalogOpenIndexes(rows->rel);
	primary = sd_primary_key(rows->rel);
	if (!OidIsValid(primary) || !sd_is_plain_table(rows->rel, rows->indexes) ||
		RelationGetNumberOfAttributes(rows->rel) != LOG_COLUMNS)
	{
		CatalogCloseIndexes(rows->indexes);
		table_close(rows->rel, NoLock);
		return false;
	}
	CheckCmdReplicaIdentity(rows->rel, CMD_UPDATE);
	CommandCounterIncrement();
	rows->snapshot = RegisterSnapshot(GetLatestSnapshot());
	rows->slot = table_slot_create(rows->rel, NULL);
	rows->primary = index_open(primary, AccessShareLock);
	rows->scan = sd_index_beginscan(rows->rel, rows->primary, rows->snapshot, 1);
	return true;
}

/*
 * Lock the row at hand, as an UPDATE of it would, in its last version; false where
 * it is gone.
 */
bool
sd_lock_row_at_hand(SdLogRows *rows)
{
	TM_FailureData failure;
	TM_Result	result;

	result = table_tuple_lock(rows->rel, &rows->slot->tts_tid, rows->snapshot, rows->slot,
							  GetCurrentCommandId(true), LockTupleNoKeyExclusive,
							  LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
	if (result == TM_Deleted)
		return false;
	if (result != TM_Ok)
		elog(ERROR, "could not lock a row of the log: %d", (int) result);
	return true;
}

/* The row of that deletion, as it was when the log was opened; false where there is none. */
bool
sd_find_log_row(SdLogRows *rows, int64 id)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	index_rescan(rows->scan, &key, 1, NULL, 0);
	return index_getnext_slot(rows->scan, ForwardScanDirection, rows->slot);
}

/* The same for a row that this transaction has locked before, there. */
bool
sd_find_locked_log_row(SdLogRows *rows, int64 id, ItemPointer tid)
{
	bool		isnull;

	/* unless it has written a later version of it meanwhile */
	return (ItemPointerIsValid(tid) &&
			table_tuple_fetch_row_version(rows->rel, tid, rows->snapshot, rows->slot) &&
			DatumGetInt64(slot_getattr(rows->slot, LOG_ID + 1, &isnull)) == id) ||
		(sd_find_log_row(rows, id) && sd_lock_row_at_hand(rows));
}

void
sd_close_log_rows(SdLogRows *rows)
{
	index_endscan(rows->scan);
	index_close(rows->primary, NoLock);
	ExecDropSingleTupleTableSlot(rows->slot);
	UnregisterSnapshot(rows->snapshot);
	CatalogCloseIndexes(rows->indexes);
	table_close(rows->rel, NoLock);
	CommandCounterIncrement();
}

/* Does the row's array of tables name that one? */
bool
sd_names_table(Datum tables, Oid table)
{
	ArrayType  *array = DatumGetArrayTypeP(tables);
	Oid		   *names = (Oid *) ((char *) array + ARR_OVERHEAD_NONULLS(1));
	bool		found = false;

	for (int i = 0; ARR_NDIM(array) == 1 && !found && i < ARR_DIMS(array)[0]; i++)
		found = names[i] == table;
	if ((Pointer) array != DatumGetPointer(tables))
		pfree(array);
	return found;
}
