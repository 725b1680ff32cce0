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
 * Called by log.c, lognote.c and purge's tally.  Keeps nothing.
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
static bool
lock_row_at_hand(SdLogRows *rows)
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

/* The row of that deletion; false where there is none. */
bool
sd_lock_log_row(SdLogRows *rows, int64 id)
{
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	index_rescan(rows->scan, &key, 1, NULL, 0);
	return index_getnext_slot(rows->scan, ForwardScanDirection, rows->slot) &&
		lock_row_at_hand(rows);
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
		sd_lock_log_row(rows, id);
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

static int
by_id(const void *a, const void *b)
{
	int64		id_a = *(const int64 *) a;
	int64		id_b = *(const int64 *) b;

	return id_a < id_b ? -1 : id_a > id_b;
}

static void
lock_by_sql(int64 *ids, int n, SdLogRowSeen seen, void *argument)
{
	Oid			types[] = {INT8ARRAYOID};
	Datum		values[1];
	Datum	   *elements = palloc(sizeof(Datum) * n);

	for (int i = 0; i < n; i++)
		elements[i] = Int64GetDatum(ids[i]);
	values[0] = PointerGetDatum(construct_array(elements, n, INT8OID, sizeof(int64),
												FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	(void) sd_own_sql("SELECT id, held_at IS NOT NULL, target, tables FROM softdelete.deletion_log"
					  " WHERE id OPERATOR(pg_catalog.=) ANY ($1) ORDER BY id FOR NO KEY UPDATE",
					  1, types, values);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		row[4];
		bool		nulls[4];

		for (int j = 0; j < 4; j++)
			row[j] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, j + 1, &nulls[j]);
		seen(argument, DatumGetInt64(row[0]), NULL, DatumGetBool(row[1]),
			 nulls[2] ? InvalidOid : DatumGetObjectId(row[2]), row[3]);
	}
	SPI_freetuptable(SPI_tuptable);
	pfree(DatumGetPointer(values[0]));
	pfree(elements);
}

static void
tell(SdLogRows *rows, int64 id, SdLogRowSeen seen, void *argument)
{
	bool		isnull;
	Datum		target = slot_getattr(rows->slot, LOG_TARGET + 1, &isnull);
	Datum		tables = slot_getattr(rows->slot, LOG_TABLES + 1, &(bool) {0});

	seen(argument, id, &rows->slot->tts_tid, !slot_attisnull(rows->slot, LOG_HELD_AT + 1),
		 isnull ? InvalidOid : DatumGetObjectId(target), tables);
}

/* Those ids lie close together: one pass along the index, not a descent for each. */
static void
lock_range(SdLogRows *rows, int64 *ids, int n, SdLogRowSeen seen, void *argument)
{
	IndexScanDesc scan = sd_index_beginscan(rows->rel, rows->primary, rows->snapshot, 2);
	ScanKeyData keys[2];
	int			i = 0;

	ScanKeyInit(&keys[0], 1, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(ids[0]));
	ScanKeyInit(&keys[1], 1, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(ids[n - 1]));
	index_rescan(scan, keys, 2, NULL, 0);
	while (i < n && index_getnext_slot(scan, ForwardScanDirection, rows->slot))
	{
		int64		id = DatumGetInt64(slot_getattr(rows->slot, LOG_ID + 1, &(bool) {0}));

		CHECK_FOR_INTERRUPTS();
		while (i < n && ids[i] < id)
			i++;
		if (i < n && ids[i] == id && lock_row_at_hand(rows))
			tell(rows, id, seen, argument);
	}
	index_endscan(scan);
}

/*
 * Lock the rows of these deletions, which it sorts: in one order, lest two
 * sessions wait for each other.  SPI is connected.
 */
void
sd_lock_log_rows(int64 *ids, int n, SdLogRowSeen seen, void *argument)
{
	SdLogRows	rows;

	qsort(ids, n, sizeof(int64), by_id);
	if (!sd_open_log_rows(&rows))
	{
		lock_by_sql(ids, n, seen, argument);
		return;
	}
	if (n > 1 && (uint64) ids[n - 1] - (uint64) ids[0] < (uint64) n * 4)
		lock_range(&rows, ids, n, seen, argument);
	else
		for (int i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (sd_lock_log_row(&rows, ids[i]))
				tell(&rows, ids[i], seen, argument);
		}
	sd_close_log_rows(&rows);
}
