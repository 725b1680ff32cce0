/*
 * relation.c
 *		The relation that a purge is working on, and its expired rows.
 *
 * A table, or a partition of one.  Rows come from a cursor, within one
 * transaction, or by a list of ctids from an earlier one (ctids.c), and then have
 * to be looked at again.  Called by purge.c and maintenance.c; what is erased is
 * erased by batch.c.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "engine/statement.h"
#include "executor/spi.h"
#include "mark/guard.h"
#include "miscadmin.h"
#include "purge/erase.h"
#include "purge/expiry.h"
#include "purge/relation.h"
#include "storage/bufmgr.h"
#include "tables/names.h"
#include "tables/registry.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* takes the rows that a cursor brings into a batch */
typedef struct Taker
{
	DestReceiver pub;
	PurgeRun   *run;
	PurgeRows  *batch;
	AttrNumber *atts;			/* where the run's atts are in the cursor's rows */
	MemoryContext context;
} Taker;

/*
 * Add a row to the batch, whose deletion id, time of deletion (where it matters)
 * and columns that others refer to are these columns of the slot.
 */
static void
add_row(PurgeRun *run, PurgeRows *batch, ItemPointer tid, TupleTableSlot *slot,
		AttrNumber id, AttrNumber time, const AttrNumber *atts)
{
	PurgeRow   *row = &batch->rows[batch->n];
	bool		isnull;

	row->tid = *tid;
	row->id = DatumGetInt64(slot_getattr(slot, id, &isnull));
	if (isnull)
		row->id = 0;
	row->time = run->longer ? slot_getattr(slot, time, &isnull) : (Datum) 0;
	row->key = batch->n;
	for (int i = 0; i < run->n_atts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(slot->tts_tupleDescriptor, atts[i] - 1);
		int			place = batch->n * run->n_atts + i;
		Datum		value = slot_getattr(slot, atts[i], &batch->nulls[place]);

		batch->values[place] = batch->nulls[place] ? (Datum) 0 :
			datumCopy(value, att->attbyval, att->attlen);
	}
	batch->n++;
}

static bool
take_row(TupleTableSlot *slot, DestReceiver *self)
{
	Taker	   *taker = (Taker *) self;
	MemoryContext old = MemoryContextSwitchTo(taker->context);
	bool		isnull;

	add_row(taker->run, taker->batch,
			(ItemPointer) DatumGetPointer(slot_getattr(slot, 1, &isnull)),
			slot, 2, 3, taker->atts);
	MemoryContextSwitchTo(old);
	return true;
}

static void
start_taking(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
end_taking(DestReceiver *self)
{
}

/* The cursor's next rows; their number is the batch's. */
void
sd_fetch_rows(PurgeRun *run, Portal portal, PurgeRows *batch)
{
	Taker		taker = {{take_row, start_taking, end_taking, end_taking, DestNone},
	run, batch, NULL, CurrentMemoryContext};

	taker.atts = palloc(sizeof(AttrNumber) * run->n_atts);
	for (int i = 0; i < run->n_atts; i++)
		taker.atts[i] = i + (run->longer ? 4 : 3);
	sd_fetch_into(portal, run->owner, run->batch_size, &taker.pub);
}

/* takes the ctids of a cursor's rows */
typedef struct Lister
{
	DestReceiver pub;
	SdCtids    *list;
} Lister;

static bool
list_row(TupleTableSlot *slot, DestReceiver *self)
{
	bool		isnull;

	sd_ctids_add(((Lister *) self)->list,
				 (ItemPointer) DatumGetPointer(slot_getattr(slot, 1, &isnull)));
	return true;
}

/* Does the cursor read a range of the relation, in the order of its places? */
static bool
reads_range(Portal portal)
{
	return IsA(linitial_node(PlannedStmt, portal->stmts)->planTree, TidRangeScan);
}

/*
 * Add the ctids of all rows that have expired and come after that place to the
 * list.  false, and none are added, where no index is better than to read the
 * whole relation: then a range of it at a time spares the list and reading the
 * rows again.
 */
bool
sd_list_expired(PurgeRun *run, ItemPointer after, SdCtids *list)
{
	Lister		lister = {{list_row, start_taking, end_taking, end_taking, DestNone}, list};
	Portal		portal = sd_open_expired(run, after);
	bool		by_range = reads_range(portal);

	if (!by_range)
		sd_fetch_into(portal, run->owner, FETCH_ALL, &lister.pub);
	sd_close_cursor(portal);
	return !by_range;
}

/* A batch of those rows, the next ones; false where they have to be listed after all. */
bool
sd_fetch_range(PurgeRun *run, ItemPointer after, PurgeRows *batch)
{
	Portal		portal = sd_open_expired(run, after);
	bool		by_range = reads_range(portal);

	if (by_range)
		sd_fetch_rows(run, portal, batch);
	sd_close_cursor(portal);
	return by_range;
}

static bool
is_expired(PurgeRun *run, TupleTableSlot *slot)
{
	Oid			type = getBaseType(TupleDescAttr(slot->tts_tupleDescriptor,
												 run->table->time - 1)->atttypid);
	bool		isnull;
	Datum		time;

	if (!sd_slot_is_deleted(run->table, slot))
		return false;
	time = slot_getattr(slot, run->table->time, &isnull);
	return !isnull &&
		(DatumGetTimestamp(time) <= DatumGetTimestamp(run->sure) ||
		 sd_is_over(time, type, run->retention, run->now));
}

/*
 * Put the version at that place into the slot, if the snapshot sees it.  As
 * table_tuple_fetch_row_version(), but rows of the same heap page that follow one
 * another have it looked up once.
 */
static bool
fetch_version(PurgeRun *run, ItemPointer tid, Buffer *buffer, HeapTuple tuple,
			  TupleTableSlot *slot)
{
	OffsetNumber offset = ItemPointerGetOffsetNumber(tid);
	Page		page;
	ItemId		item;
	bool		visible = false;

	if (run->rel->rd_rel->relam != HEAP_TABLE_AM_OID)
		return table_tuple_fetch_row_version(run->rel, tid, GetActiveSnapshot(), slot);
	*buffer = ReleaseAndReadBuffer(*buffer, run->rel, ItemPointerGetBlockNumber(tid));
	LockBuffer(*buffer, BUFFER_LOCK_SHARE);
	page = BufferGetPage(*buffer);
	if (offset <= PageGetMaxOffsetNumber(page))
	{
		item = PageGetItemId(page, offset);
		if (ItemIdIsNormal(item))
		{
			tuple->t_tableOid = RelationGetRelid(run->rel);
			tuple->t_self = *tid;
			tuple->t_data = (HeapTupleHeader) PageGetItem(page, item);
			tuple->t_len = ItemIdGetLength(item);
			visible = HeapTupleSatisfiesVisibility(tuple, GetActiveSnapshot(), *buffer);
		}
	}
	LockBuffer(*buffer, BUFFER_LOCK_UNLOCK);
	if (visible)
		ExecStoreBufferHeapTuple(tuple, slot, *buffer);
	return visible;
}

/*
 * Of rows that had these ctids in an earlier transaction, add those to the batch
 * that have expired, whatever happened meanwhile.
 */
void
sd_read_rows(PurgeRun *run, ItemPointer tids, int n, PurgeRows *batch)
{
	TupleTableSlot *slot = table_slot_create(run->rel, NULL);
	BlockNumber end = RelationGetNumberOfBlocks(run->rel);
	Buffer		buffer = InvalidBuffer;
	HeapTupleData tuple;

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		/* VACUUM may have cut off the pages at the end */
		if (ItemPointerGetBlockNumber(&tids[i]) < end &&
			fetch_version(run, &tids[i], &buffer, &tuple, slot) &&
			is_expired(run, slot))
			add_row(run, batch, &tids[i], slot, run->table->id, run->table->time, run->atts);
	}
	ExecDropSingleTupleTableSlot(slot);
	if (BufferIsValid(buffer))
		ReleaseBuffer(buffer);
}

/* Room for the rows of a batch. */
void
sd_room_for_rows(PurgeRun *run, PurgeRows *batch)
{
	batch->n = 0;
	batch->rows = palloc(sizeof(PurgeRow) * run->batch_size);
	batch->values = MemoryContextAllocHuge(CurrentMemoryContext,
										   sizeof(Datum) * run->n_atts * run->batch_size + 1);
	batch->nulls = palloc(sizeof(bool) * run->n_atts * run->batch_size + 1);
}

/*
 * A cursor over what has expired, whose rows take_row() takes; unless after is
 * NULL, over what comes after that place in the relation, in the order there.
 */
Portal
sd_open_expired(PurgeRun *run, ItemPointer after)
{
	SdStatement *reading = palloc0(sizeof(SdStatement));
	Oid			types[SD_EXPIRY_PARAMS(1) + 2];
	Datum		values[SD_EXPIRY_PARAMS(1) + 2];
	int			n = SD_EXPIRY_PARAMS(1);
	StringInfoData text;

	reading->task = SD_TASK_READ;
	reading->restricted = true;
	initStringInfo(&text);
	appendStringInfo(&text, "SELECT t.ctid, t.%s",
					 sd_column_name(run->relid, run->table->id));
	if (run->longer)
		appendStringInfo(&text, ", t.%s", sd_column_name(run->relid, run->table->time));
	for (int i = 0; i < run->n_atts; i++)
		appendStringInfo(&text, ", t.%s", sd_column_name(run->relid, run->atts[i]));
	sd_append_candidates(&text, run->table, 0);
	sd_expiry_values(run, 1, types, values);
	if (after != NULL)
	{
		types[n] = TIDOID;
		values[n++] = PointerGetDatum(after);
		appendStringInfo(&text, " AND t.ctid OPERATOR(pg_catalog.>) $%d", n);
	}
	appendStringInfo(&text, " AND $%d IS NULL", n + 1);
	return sd_open_cursor(text.data, n, types, values, reading, run->owner);
}

/* Start on the table, or a partition of it. */
void
sd_open_relation(PurgeRun *run, Oid relid)
{
	run->relid = relid;
	run->rel = table_open(relid, RowExclusiveLock);
	run->table = sd_table(run->rel);
	run->root = run->table->root;
	run->direct = sd_may_erase_directly(run->rel, run->table);
	run->crowded = false;
	run->eraser = run->finder = run->above = NULL;
	run->above_known = false;
	run->sure = sd_expiry_bound(run, getBaseType(get_atttype(relid, run->table->time)), false);
	sd_find_key_columns(run);
}

void
sd_close_relation(PurgeRun *run)
{
	if (run->eraser != NULL)
		SPI_freeplan(run->eraser);
	if (run->finder != NULL)
		SPI_freeplan(run->finder);
	if (run->above != NULL)
		SPI_freeplan(run->above);
	table_close(run->rel, NoLock);
	run->rel = NULL;
}
