/*
 * operation.h
 *		One delete or restore in progress.
 */
#ifndef SOFTDELETE_OPERATION_H
#define SOFTDELETE_OPERATION_H

#include "postgres.h"

#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "tables/foreignkeys.h"
#include "tables/table.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

typedef struct SdRowId
{
	Oid			relid;
	ItemPointerData tid;
} SdRowId;

/*
 * One delete or restore: all rows that one statement marks or clears, its
 * cascades included.
 */
typedef struct SdOp
{
	EState	   *estate;			/* of the statement; NULL: see sd_current_op */
	MemoryContext context;
	int64		id;				/* deletion id, 0 until the first row; see
								 * deletion.c */
	Oid			root;			/* table that it is logged for, when rows were marked */
	Oid			role;			/* who */
	List	   *counts;			/* SdCount, what is not in the log yet */
	HTAB	   *restored;		/* SdIdCount, or NULL */
	struct SdIdCount *restored_last;	/* the one of these that was added to last */
	HTAB	   *purged;			/* likewise, of rows that RI erased along with an
								 * unmanaged parent */
	int64		marked_total;
	int64		restored_total;
	List	   *pending;		/* SdKeySet: cascades not yet followed */
	List	   *childless;		/* SdKeySet: when all is done, no live row may
								 * refer to these marked rows */
	List	   *parents;		/* SdKeySet: nor may these, that restored rows
								 * refer to, be deleted or missing */
	bool		restoring;		/* it is a restore of the engine's ... */
	bool		whole;			/* ... of a whole deletion */
	bool		trial;			/* of rows that may hold each other, but not ... */
	List	   *trial_but;		/* ... those that refer to these, SdKeySet */
	List	   *held;			/* SdKeySet: some of their children were left deleted,
								 * since they need other deleted rows as well */
	bool		drew;			/* the deletion began with this operation */
	bool		ordered;		/* another node has drawn the id, and writes the log ... */
	TimestampTz at;				/* ... and this is when it did ... */
	struct SdStatement *statement;	/* ... what for; NULL: a user's */
	bool		logged;			/* it has written to the log row */
	bool		reversed;		/* a trigger has restored rows that it marked, or
								 * deleted rows that it restored */

	List	   *shared_locks;	/* SdRowId: locked rows, see sd_lock_row() */

	/* the row that the stamp trigger saw last, should it leave its partition */
	Oid			moving_relid;
	ItemPointerData moving_tid;
	bool		moving_deleted;	/* marked, else restored */
} SdOp;

extern SdOp *sd_op_of(EState *estate);
extern SdOp *sd_op_begin(EState *estate);
extern SdOp *sd_existing_op(void);
extern SdOp *sd_current_op(void);
extern int64 sd_op_id(SdOp *op);
extern TimestampTz sd_op_time(void);
extern void sd_op_prefer_root(SdOp *op, Oid relid);
extern void sd_op_count(SdOp *op, Oid relid, int64 n);
extern void sd_op_count_restored(SdOp *op, Oid relid, int64 id, int64 n);
extern void sd_op_marked(SdOp *op, SdTable *table, TupleTableSlot *slot);
extern void sd_op_restored(SdOp *op, SdKey *key, int64 id, TupleTableSlot *slot);
extern void sd_op_parent(SdOp *op, SdKey *key, TupleTableSlot *slot);
extern void sd_op_recheck(SdOp *op, SdKey *key, CommandId before, const Datum *values);
extern void sd_op_lock_shared(SdOp *op, Oid relid, ItemPointer tid);
extern bool sd_op_has_work(SdOp *op);

#endif							/* SOFTDELETE_OPERATION_H */
