/*
 * rowlock.h
 *		The lock that keeps new references away from a row that is marked.
 */
#ifndef SOFTDELETE_ROWLOCK_H
#define SOFTDELETE_ROWLOCK_H

#include "postgres.h"

#include "engine/operation.h"
#include "executor/tuptable.h"
#include "tables/table.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

extern bool sd_lock_row(SdTable *table, Relation rel, ItemPointer tid,
						Snapshot snapshot, CommandId cid, TupleTableSlot *slot);
extern void sd_make_key_column(Relation rel, SdTable *table);
extern void sd_check_key_update(SdOp *op, Relation rel, TupleTableSlot *old);
extern void sd_check_key_updates(SdOp *op);

#endif							/* SOFTDELETE_ROWLOCK_H */
