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
#include "engine/frame.h"
#include "executor/executor.h"
#include "mark/keyprobe.h"
#include "mark/nothingdeleted.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

/* the probes of a statement; lives as long as its executor's memory */
typedef struct Probes
{
	List	   *list;
	SdDeletedIndex deleted;		/* see sd_kept_is_nothing_deleted() */
	ResourceOwner owner;		/* of what they have open */
	MemoryContextCallback at_end;
} Probes;

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

/*
 * The statement's memory goes: at its end.  What an error leaves open is for the
 * resource owner, which closes it, too, when the transaction aborts.
 */
static void
close_probes(void *arg)
{
	Probes	   *probes = arg;
	ResourceOwner before = CurrentResourceOwner;
	ListCell   *lc;

	if (!IsTransactionState())
		return;
	CurrentResourceOwner = probes->owner;
	foreach(lc, probes->list)
		sd_close_probe(lfirst(lc));
	if (probes->deleted.index != NULL)
		sd_close_deleted_index(&probes->deleted);
	CurrentResourceOwner = before;
}

/*
 * What the statement keeps open; NULL where nobody would close it: only what the
 * executor runs has memory of its own.  A subtransaction has to open its own.
 */
static Probes *
kept_probes(FmgrInfo *trigger)
{
	Probes	   *probes = trigger->fn_extra;

	if (sd_frame == NULL || sd_frame->query->estate->es_query_cxt != trigger->fn_mcxt)
		return NULL;
	if (probes == NULL)
	{
		probes = MemoryContextAllocZero(trigger->fn_mcxt, sizeof(Probes));
		probes->owner = CurrentResourceOwner;
		probes->at_end.func = close_probes;
		probes->at_end.arg = probes;
		MemoryContextRegisterResetCallback(trigger->fn_mcxt, &probes->at_end);
		trigger->fn_extra = probes;
	}
	return probes;
}

/* The statement's probe of this key, opened where it is the first row; or NULL. */
SdProbe *
sd_kept_probe(FmgrInfo *trigger, Relation rel, SdHeldKey *key)
{
	Probes	   *probes = kept_probes(trigger);
	MemoryContext old;
	SdProbe    *probe;
	ListCell   *lc;

	if (probes == NULL)
		return NULL;
	foreach(lc, probes->list)
	{
		probe = lfirst(lc);
		if (probe->indexoid == key->index)
			return probe;
	}
	if (probes->owner != CurrentResourceOwner)
		return NULL;
	old = MemoryContextSwitchTo(trigger->fn_mcxt);
	probe = palloc(sizeof(SdProbe));
	sd_open_probe(probe, rel, key);
	probes->list = lappend(probes->list, probe);
	MemoryContextSwitchTo(old);
	return probe;
}

/*
 * Is nothing of the table deleted, so that no key needs to be looked for?  Once
 * something was, the next statements are spared the question until VACUUM, or
 * whatever else, changes what is known of the table.
 */
bool
sd_kept_is_nothing_deleted(FmgrInfo *trigger, SdTable *table)
{
	SdDeletedIndex once = {0};
	Probes	   *probes;
	SdDeletedIndex *look;
	bool		nothing;

	if (table->had_deleted || !OidIsValid(table->deleted_index))
		return false;
	probes = kept_probes(trigger);
	look = probes != NULL && probes->owner == CurrentResourceOwner ? &probes->deleted : &once;
	if (look->index == NULL)
		sd_open_deleted_index(look, table->deleted_index);
	else if (RelationGetRelid(look->index) != table->deleted_index)
		return false;
	nothing = sd_is_nothing_deleted(look);
	if (look == &once)
		sd_close_deleted_index(look);
	table->had_deleted = !nothing;
	return nothing;
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
