/*
 * loglock.c
 *		Rows of the log, locked before rows of their deletions are erased.
 *
 * From then on nobody can put those deletions on hold.  Where all that is left of a
 * deletion is about to go, its row is not only locked but written at once as it will
 * be then: a purge of many deletions of a row each spends most of its time on the
 * log, and a lock costs as much as a new version.  Rows that do not go after all are
 * put right by lognote.c.
 *
 * Called by purge's tally.  Keeps nothing.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/itup.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/tupmacs.h"
#include "access/xact.h"
#include "base/own_sql.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "engine/loglock.h"
#include "engine/logrow.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* what rows that are written ahead have in common */
typedef struct Ahead
{
	ArrayType  *tables;			/* of a deletion of that table only, ... */
	ArrayType  *marked;			/* ... and of how many rows */
	TimestampTz at;
	char	   *by;
	HeapTuple	tuple;			/* the new version; room for any without TOAST */
	Size		room;
} Ahead;

static void
begin_ahead(Ahead *ahead, Oid relid)
{
	Datum		table = ObjectIdGetDatum(relid);
	Datum		rows = Int64GetDatum(0);

	ahead->tables = construct_array(&table, 1, REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT);
	ahead->marked = construct_array(&rows, 1, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
									TYPALIGN_DOUBLE);
	ahead->at = GetCurrentTransactionStartTimestamp();
	ahead->by = GetUserNameFromId(GetUserId(), false);
	ahead->room = HEAPTUPLESIZE + BLCKSZ;
	ahead->tuple = palloc(ahead->room);
	ahead->tuple->t_data = (HeapTupleHeader) ((char *) ahead->tuple + HEAPTUPLESIZE);
}

/* Is the row's array that one?  Without a copy of it. */
static bool
is_array(Datum value, ArrayType *array)
{
	struct varlena *stored = (struct varlena *) DatumGetPointer(value);

	return !VARATT_IS_EXTERNAL(stored) && !VARATT_IS_COMPRESSED(stored) &&
		VARSIZE_ANY_EXHDR(stored) == VARSIZE(array) - VARHDRSZ &&
		memcmp(VARDATA_ANY(stored), VARDATA(array), VARSIZE(array) - VARHDRSZ) == 0;
}

/*
 * The row as it will be when n rows are gone, if that is all there is of the
 * deletion, and nothing became of it so far; else NULL.  Of such a row the last
 * values are how many rows were restored and purged; when and by whom they were
 * purged is appended, which spares to take the row apart and put it together.
 */
static HeapTuple
form_ahead(SdLogRows *rows, int64 n, Ahead *ahead)
{
	TupleTableSlot *slot = rows->slot;
	HeapTuple	tuple = ahead->tuple;
	Size		by_length = strlen(ahead->by) + VARHDRSZ_SHORT;
	int64		counts[2] = {0, 0};
	bool		copied;
	HeapTuple	old = ExecFetchSlotHeapTuple(slot, false, &copied);
	HeapTupleHeader header = old->t_data;
	char	   *end;

	Assert(!copied);
	slot_getsomeattrs(slot, LOG_MARKED + 1);
	*(int64 *) ((char *) ahead->marked + ARR_OVERHEAD_NONULLS(1)) = n;
	if (!is_array(slot->tts_values[LOG_MARKED], ahead->marked) ||
		!is_array(slot->tts_values[LOG_TABLES], ahead->tables) ||
		HeapTupleHeaderGetNatts(header) != LOG_COLUMNS || !HeapTupleHasNulls(old) ||
		old->t_len % MAXIMUM_ALIGNOF != 0 ||
		HEAPTUPLESIZE + old->t_len + sizeof(TimestampTz) + by_length > ahead->room ||
		memcmp((char *) header + old->t_len - sizeof(counts), counts, sizeof(counts)) != 0)
		return NULL;
	for (int i = LOG_PURGED + 1; i < LOG_COLUMNS; i++)
		if (!att_isnull(i, header->t_bits))
			return NULL;

	memcpy(tuple->t_data, header, old->t_len);
	tuple->t_tableOid = old->t_tableOid;
	end = (char *) tuple->t_data + old->t_len;
	memcpy(end - sizeof(int64), &n, sizeof(int64));
	memcpy(end, &ahead->at, sizeof(TimestampTz));
	end += sizeof(TimestampTz);
	SET_VARSIZE_SHORT(end, by_length);
	memcpy(end + VARHDRSZ_SHORT, ahead->by, by_length - VARHDRSZ_SHORT);
	tuple->t_len = old->t_len + sizeof(TimestampTz) + by_length;
	for (int i = LOG_PURGED_AT; i <= LOG_PURGED_BY; i++)
		tuple->t_data->t_bits[i >> 3] |= 1 << (i & 0x07);
	return tuple;
}

/* Lock the row at hand, or write it ahead, and tell of it. */
static void
lock_and_tell(SdLogRows *rows, int64 id, SdLogLock *lock, Ahead *ahead)
{
	SdLogRowFacts facts = {id};
	int64		going = lock->going ? lock->going(lock->argument, id) : 0;
	HeapTuple	tuple = going > 0 ? form_ahead(rows, going, ahead) : NULL;
	bool		isnull;

	if (tuple != NULL &&
		sd_plain_update_unchanged(rows->rel, rows->indexes, &rows->slot->tts_tid, tuple))
	{
		facts.ahead = going;
		facts.tid = &tuple->t_self;
	}
	else if (sd_lock_row_at_hand(rows))
		facts.tid = &rows->slot->tts_tid;
	else
		return;
	facts.held = !slot_attisnull(rows->slot, LOG_HELD_AT + 1);
	facts.target = DatumGetObjectId(slot_getattr(rows->slot, LOG_TARGET + 1, &isnull));
	if (isnull)
		facts.target = InvalidOid;
	facts.tables = slot_getattr(rows->slot, LOG_TABLES + 1, &isnull);
	lock->seen(lock->argument, &facts);
}

static int
by_id(const void *a, const void *b)
{
	int64		id_a = *(const int64 *) a;
	int64		id_b = *(const int64 *) b;

	return id_a < id_b ? -1 : id_a > id_b;
}

static void
lock_by_sql(int64 *ids, int n, SdLogLock *lock)
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
		SdLogRowFacts facts = {0};
		Datum		row[4];
		bool		nulls[4];

		for (int j = 0; j < 4; j++)
			row[j] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, j + 1, &nulls[j]);
		facts.id = DatumGetInt64(row[0]);
		facts.held = DatumGetBool(row[1]);
		facts.target = nulls[2] ? InvalidOid : DatumGetObjectId(row[2]);
		facts.tables = row[3];
		lock->seen(lock->argument, &facts);
	}
	SPI_freetuptable(SPI_tuptable);
	pfree(DatumGetPointer(values[0]));
	pfree(elements);
}

/* Those ids lie close together: one pass along the index, not a descent for each. */
static void
lock_range(SdLogRows *rows, int64 *ids, int n, SdLogLock *lock, Ahead *ahead)
{
	IndexScanDesc scan = sd_index_beginscan(rows->rel, rows->primary, rows->snapshot, 2);
	ScanKeyData keys[2];
	int			i = 0;

	ScanKeyInit(&keys[0], 1, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(ids[0]));
	ScanKeyInit(&keys[1], 1, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(ids[n - 1]));
	/* so that rows of other deletions need not be looked at */
	scan->xs_want_itup = true;
	index_rescan(scan, keys, 2, NULL, 0);
	while (i < n && index_getnext_tid(scan, ForwardScanDirection) != NULL)
	{
		int64		id = DatumGetInt64(index_getattr(scan->xs_itup, 1, scan->xs_itupdesc,
													 &(bool) {0}));

		CHECK_FOR_INTERRUPTS();
		while (i < n && ids[i] < id)
			i++;
		if (i < n && ids[i] == id && index_fetch_heap(scan, rows->slot))
			lock_and_tell(rows, id, lock, ahead);
	}
	index_endscan(scan);
}

/*
 * Lock the rows of these deletions, which it sorts: in one order, lest two
 * sessions wait for each other.  SPI is connected.
 */
void
sd_lock_log_rows(int64 *ids, int n, SdLogLock *lock)
{
	SdLogRows	rows;
	Ahead		ahead;

	qsort(ids, n, sizeof(int64), by_id);
	if (!sd_open_log_rows(&rows))
	{
		lock_by_sql(ids, n, lock);
		return;
	}
	if (lock->going != NULL)
		begin_ahead(&ahead, lock->relid);
	if (n > 1 && (uint64) ids[n - 1] - (uint64) ids[0] < (uint64) n * 20)
		lock_range(&rows, ids, n, lock, &ahead);
	else
		for (int i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (sd_find_log_row(&rows, ids[i]))
				lock_and_tell(&rows, ids[i], lock, &ahead);
		}
	sd_close_log_rows(&rows);
}
