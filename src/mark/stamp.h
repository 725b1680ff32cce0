/*
 * stamp.h
 *		The lock that a row gets before it is marked.
 */
#ifndef SOFTDELETE_STAMP_H
#define SOFTDELETE_STAMP_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "engine/operation.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

extern bool sd_lock_row(SdTable *table, Relation rel, ItemPointer tid,
						Snapshot snapshot, CommandId cid, TupleTableSlot *slot);
extern void sd_check_key_updates(SdOp *op);

#endif							/* SOFTDELETE_STAMP_H */
