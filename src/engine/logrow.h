/*
 * logrow.h
 *		Rows of the log, written and locked without the executor.
 */
#ifndef SOFTDELETE_LOGROW_H
#define SOFTDELETE_LOGROW_H

#include "postgres.h"

#include "catalog/indexing.h"
#include "executor/tuptable.h"
#include "utils/array.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

/* columns of softdelete.deletion_log, as the extension's script creates them */
enum LogColumn
{
	LOG_ID,
	LOG_TARGET,
	LOG_DELETED_AT,
	LOG_DELETED_BY,
	LOG_SESSION_ROLE,
	LOG_ACTOR,
	LOG_REASON,
	LOG_TXID,
	LOG_APPLICATION_NAME,
	LOG_TABLES,
	LOG_MARKED,
	LOG_RESTORED,
	LOG_PURGED,
	LOG_RESTORED_AT,
	LOG_RESTORED_BY,
	LOG_PURGED_AT,
	LOG_PURGED_BY,
	LOG_HELD_AT,
	LOG_HELD_BY,
	LOG_HELD_WHY,
	LOG_COLUMNS
};

/* the log, open to find rows by their ids and lock them */
typedef struct SdLogRows
{
	Relation	rel;
	CatalogIndexState indexes;
	Relation	primary;
	struct IndexScanDescData *scan;
	Snapshot	snapshot;
	TupleTableSlot *slot;		/* the row at hand */
} SdLogRows;

extern Datum sd_log_role(Oid role);
extern Datum sd_log_text(const char *value, bool *isnull);
extern bool sd_is_plain_table(Relation rel, CatalogIndexState indexes);
extern void sd_plain_insert(Relation rel, CatalogIndexState indexes, HeapTuple tuple);
extern void sd_plain_insert_many(Relation rel, CatalogIndexState indexes,
								 TupleTableSlot **slots, int n);
extern void sd_plain_update(Relation rel, CatalogIndexState indexes, ItemPointer old,
							HeapTuple tuple);
extern bool sd_plain_update_unchanged(Relation rel, CatalogIndexState indexes,
									  ItemPointer old, HeapTuple tuple);

extern bool sd_open_log_rows(SdLogRows *rows);
extern bool sd_names_table(Datum tables, Oid table);
extern bool sd_find_log_row(SdLogRows *rows, int64 id);
extern bool sd_lock_row_at_hand(SdLogRows *rows);
extern bool sd_find_locked_log_row(SdLogRows *rows, int64 id, ItemPointer tid);
extern void sd_close_log_rows(SdLogRows *rows);

#endif							/* SOFTDELETE_LOGROW_H */
