/*
 * statement.h
 *		Running the engine's own SQL.
 */
#ifndef SOFTDELETE_STATEMENT_H
#define SOFTDELETE_STATEMENT_H

#include "postgres.h"

#include "executor/spi.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

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

/* one of them */
typedef struct SdStatement
{
	SdTask		task;
	Oid			relid;			/* table that it modifies, if it does */
	bool		restricted;		/* see sd_become() */
	struct SdOp *op;			/* joins this operation; NULL: its own */
	bool		each;			/* RESTORE: of several deletions, each row counted
								 * for its own */
	struct SdKey *via;			/* cascades along this key, or NULL */
	bool		by_index;		/* is to be planned as scans of an index only */
	int64		id;				/* RESTORE: deletion to restore; DELETE: out, the
								 * id of its own operation, or 0 */
	bool		by_guard;		/* DELETE: in place of a row's erasure, whose
								 * other triggers fire by themselves */
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

/* the rows that one of the engine's statements works on */
typedef enum SdView
{
	SD_VIEW_STATEMENT,			/* those that any statement would see */
	SD_VIEW_LATEST,				/* also what was committed after a REPEATABLE
								 * READ transaction's snapshot, and raise a
								 * serialization failure on touching it, as RI */
	SD_VIEW_BEFORE				/* as they were before a command of this
								 * transaction, SdStatement.before */
} SdView;

/*
 * An UPDATE action of a MERGE that was a DELETE says so in its "override", which
 * has a meaning for INSERT only.
 */
#define SD_MERGE_DELETE OVERRIDING_SYSTEM_VALUE

extern SdStatement *sd_pending_statement;

extern SdStatement *sd_take_statement(QueryDesc *query);
extern SdStatement *sd_statement_of(QueryDesc *query);
extern int	sd_execute(SPIPlanPtr plan, Datum *values, SdStatement *statement,
					   Oid role, bool triggers_now, SdView view, long limit);
extern SPIPlanPtr sd_prepare(const char *text, int nargs, Oid *types, Oid role,
							 int options);
extern Portal sd_open_cursor(const char *text, int nargs, Oid *types,
							 Datum *values, SdStatement *statement, Oid role);
extern int	sd_fetch(Portal portal, Oid role, long count);
extern void sd_fetch_into(Portal portal, Oid role, long count,
						  DestReceiver *receiver);
extern void sd_close_cursor(Portal portal);

#endif							/* SOFTDELETE_STATEMENT_H */
