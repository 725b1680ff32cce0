/*
 * operation.h
 *		One delete or restore in progress, and the statement it belongs to.
 */
#ifndef SOFTDELETE_OPERATION_H
#define SOFTDELETE_OPERATION_H

#include "postgres.h"

#include "executor/execdesc.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "tables/registry.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

/* how many rows of one table an operation marked */
typedef struct SdCount
{
	Oid			relid;			/* topmost */
	int64		n;
} SdCount;

/* how many rows of one earlier deletion were brought back, or erased */
typedef struct SdIdCount
{
	struct
	{
		int64		id;			/* deletion id */
		int64		relid;		/* topmost table; wide, so that no bytes are left */
	}			key;			/* of the hash */
	int64		n;
} SdIdCount;

/*
 * Keys of rows that were marked or restored, by which others refer to them (or
 * by which they refer to others).
 */
typedef struct SdKeySet
{
	SdKey	   *key;
	bool		restored;		/* else marked */
	bool		of_parents;		/* the key of the rows' parents, not their own */
	int64		id;				/* of restored rows: the deletion they belonged to */
	CommandId	before;			/* of rows marked by a command of this transaction:
								 * the next one, else 0; see has_live_child() */
	Oid		   *types;			/* by column */
	Datum	  **values;			/* by column, then by row */
	int			n;
	int			allocated;
} SdKeySet;

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
	int64		id;				/* deletion id, 0 until the first row */
	Oid			root;			/* table of the first row marked */
	Oid			role;			/* who */
	List	   *counts;			/* SdCount */
	HTAB	   *restored;		/* SdIdCount, or NULL */
	HTAB	   *purged;			/* likewise, of rows that RI erased along with an
								 * unmanaged parent */
	int64		marked_total;
	int64		restored_total;
	List	   *pending;		/* SdKeySet: cascades not yet followed */
	List	   *childless;		/* SdKeySet: when all is done, no live row may
								 * refer to these marked rows */
	List	   *parents;		/* SdKeySet: nor may these, that restored rows
								 * refer to, be deleted or missing */
	bool		logged;
	int64		collected;		/* rows whose keys were taken as they were locked */
	bool		doubtful;		/* not all of them were marked in the end */

	List	   *shared_locks;	/* SdRowId: locked rows, see sd_lock_row() */

	/* the row that the stamp trigger saw last, should it leave its partition */
	Oid			moving_relid;
	ItemPointerData moving_tid;
	bool		moving_deleted;	/* marked, else restored */
} SdOp;

/* what a statement of the engine's own is for */
typedef enum SdTask
{
	SD_TASK_NONE,				/* a user's statement */
	SD_TASK_DELETE,				/* mark, as a user's DELETE does */
	SD_TASK_RESTORE,			/* DELETE text, runs as the clearing UPDATE */
	SD_TASK_PURGE,				/* DELETE that erases what has expired */
	SD_TASK_ERASE,				/* DELETE that erases, its cascade included */
	SD_TASK_READ				/* SELECT that sees every row */
} SdTask;

typedef struct SdStatement
{
	SdTask		task;
	Oid			relid;			/* table that it modifies, if it does */
	bool		restricted;			/* see sd_become() */
	SdOp	   *op;				/* joins this operation; NULL: its own */
	SdKey	   *via;			/* cascades along this key, or NULL */
	int64		id;				/* RESTORE: deletion to restore; DELETE: out, the
								 * id of its own operation, or 0 */
	int64		rows;			/* out: rows marked, restored or erased by it,
								 * cascades included */
	Oid			purge_table;	/* PURGE: the only table it may erase from ... */
	Interval   *retention;		/* ... what was deleted so long ... */
	TimestampTz now;			/* ... before then */
	bool		guarded;		/* PURGE: let the guard look at every row ... */
	bool		unguarded;		/* ... out: it did not */
	Datum	   *held;			/* deletion ids that PURGE and ERASE must leave
								 * alone */
	int			n_held;
	CommandId	before;			/* READ: for SD_VIEW_BEFORE */
	HTAB	   *purged;			/* out, PURGE and ERASE: SdIdCount ... */
	MemoryContext context;		/* ... made in here */
} SdStatement;

extern SdStatement *sd_erasing(void);
extern void sd_count_by_id(HTAB **counts, MemoryContext context, int64 id,
						   Oid relid, int64 n);

/* a data-modifying statement that the executor is working on */
typedef struct SdFrame
{
	struct SdFrame *outer;
	QueryDesc  *query;
	SdStatement *statement;		/* NULL: a user's */
	SdOp	   *op;				/* NULL until asked for */
} SdFrame;

extern SdFrame *sd_frame;		/* innermost; NULL outside the executor */

extern SdOp *sd_op_of(EState *estate);
extern SdOp *sd_op_begin(EState *estate);
extern SdOp *sd_existing_op(void);
extern SdOp *sd_current_op(void);
extern int64 sd_op_id(SdOp *op, Oid root);
extern void sd_op_count(SdOp *op, Oid relid, int64 n);
extern void sd_op_count_restored(SdOp *op, Oid relid, int64 id, int64 n);
extern SdKeySet *sd_key_set(SdKey *key, bool restored, bool of_parents, int64 id);
extern void sd_key_set_free(SdKeySet *set);
extern void sd_key_set_add(SdKeySet *set, const Datum *values);
extern void sd_op_marked(SdOp *op, SdTable *table, TupleTableSlot *slot);
extern void sd_op_collect(SdOp *op, SdTable *table, TupleTableSlot *slot);
extern void sd_op_restored(SdOp *op, SdKey *key, int64 id, TupleTableSlot *slot);
extern void sd_op_parent(SdOp *op, SdKey *key, TupleTableSlot *slot);
extern void sd_op_recheck(SdOp *op, SdKey *key, CommandId before, const Datum *values);
extern void sd_op_lock_shared(SdOp *op, Oid relid, ItemPointer tid);
extern bool sd_op_has_work(SdOp *op);

#endif							/* SOFTDELETE_OPERATION_H */
