/*
 * keyprobe.h
 *		Does a deleted row hold a key?
 */
#ifndef SOFTDELETE_KEYPROBE_H
#define SOFTDELETE_KEYPROBE_H

#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "executor/tuptable.h"
#include "tables/heldkeys.h"
#include "tables/table.h"
#include "utils/snapshot.h"

/*
 * A look into the index of a key.  Opening and closing it costs as much as the
 * look, so a statement of many rows keeps it (see keptprobes.c).
 */
typedef struct SdProbe
{
	Oid			indexoid;
	Relation	index;
	int			nkeys;
	MemoryContext memory;		/* in which the scan keeps what it needs */
	IndexScanDesc scan;
	SnapshotData dirty;
	TupleTableSlot *slot;		/* what it has found */
	ScanKeyData keys[INDEX_MAX_KEYS];
} SdProbe;

extern void sd_open_probe(SdProbe *probe, Relation rel, SdHeldKey *key);
extern void sd_close_probe(SdProbe *probe);
extern bool sd_probe_for(SdProbe *probe, SdHeldKey *key, TupleTableSlot *row);
extern bool sd_find_deleted(SdProbe *probe, SdTable *table, TransactionId *wait);

#endif							/* SOFTDELETE_KEYPROBE_H */
