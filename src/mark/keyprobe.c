/*
 * keyprobe.c
 *		Does a deleted row hold a key?  The look into its unique index.
 *
 * It is PostgreSQL's own before a unique index takes an entry: by the index, with
 * a dirty snapshot; whoever is about to delete, restore or replace the row has to
 * be waited for.  Changes nothing.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "compat.h"
#include "executor/executor.h"
#include "mark/keyprobe.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

void
sd_open_probe(SdProbe *probe, Relation rel, SdHeldKey *key)
{
	Relation	index = index_open(key->index, AccessShareLock);

	probe->indexoid = key->index;
	probe->index = index;
	probe->nkeys = key->n;
	probe->memory = CurrentMemoryContext;
	probe->slot = table_slot_create(rel, NULL);
	InitDirtySnapshot(probe->dirty);
	probe->scan = sd_index_beginscan(rel, index, &probe->dirty, key->n);
	for (int i = 0; i < key->n; i++)
		ScanKeyEntryInitialize(&probe->keys[i], 0, i + 1, BTEqualStrategyNumber, InvalidOid,
							   index->rd_indcollation[i], key->equal[i], (Datum) 0);
}

void
sd_close_probe(SdProbe *probe)
{
	index_endscan(probe->scan);
	ExecDropSingleTupleTableSlot(probe->slot);
	index_close(probe->index, NoLock);
}

/* false where no other row can have the key: it has a NULL */
bool
sd_probe_for(SdProbe *probe, SdHeldKey *key, TupleTableSlot *row)
{
	for (int i = 0; i < key->n; i++)
	{
		ScanKey		scankey = &probe->keys[i];
		bool		isnull;

		scankey->sk_argument = slot_getattr(row, key->atts[i], &isnull);
		if (isnull && !key->nulls_equal)
			return false;
		scankey->sk_flags = isnull ? SK_ISNULL | SK_SEARCHNULL : 0;
		scankey->sk_strategy = isnull ? InvalidStrategy : BTEqualStrategyNumber;
	}
	return true;
}

static void
rescan(SdProbe *probe)
{
	MemoryContext old = MemoryContextSwitchTo(probe->memory);

	index_rescan(probe->scan, probe->keys, probe->nkeys, NULL, 0);
	MemoryContextSwitchTo(old);
}

static bool
next_row(SdProbe *probe)
{
	MemoryContext old = MemoryContextSwitchTo(probe->memory);
	bool		found = index_getnext_slot(probe->scan, ForwardScanDirection, probe->slot);

	MemoryContextSwitchTo(old);
	return found;
}

/*
 * Leave in the probe's slot the deleted row that holds the key; false when there
 * is none.  *wait is set to a transaction that has to end before it can be told.
 */
bool
sd_find_deleted(SdProbe *probe, SdTable *table, TransactionId *wait)
{
	SnapshotData *dirty = &probe->dirty;
	TupleTableSlot *slot = probe->slot;
	bool		found = false;

	*wait = InvalidTransactionId;
	rescan(probe);
	while (!found && next_row(probe))
	{
		/* a live row that is only just inserted is PostgreSQL's to wait for */
		if (sd_slot_is_deleted(table, slot))
		{
			*wait = TransactionIdIsValid(dirty->xmin) ? dirty->xmin : dirty->xmax;
			found = true;
		}
		else if (!TransactionIdIsValid(dirty->xmin) && TransactionIdIsValid(dirty->xmax))
		{
			*wait = dirty->xmax;
			found = true;
		}
	}
	if (found)
	{
		ExecMaterializeSlot(slot);
		rescan(probe);			/* lets go of the pages */
	}
	return found;
}
