/*
 * loglock.h
 *		Rows of the log, locked before rows of their deletions are erased.
 */
#ifndef SOFTDELETE_LOGLOCK_H
#define SOFTDELETE_LOGLOCK_H

#include "postgres.h"

#include "storage/itemptr.h"

/* a locked row */
typedef struct SdLogRowFacts
{
	int64		id;
	ItemPointer tid;			/* where it is, or NULL */
	bool		held;
	Oid			target;
	Datum		tables;			/* that the deletion took rows of */
	int64		ahead;			/* rows that it already says are purged, though they are not yet */
} SdLogRowFacts;

/* who wants them locked */
typedef struct SdLogLock
{
	void		(*seen) (void *argument, SdLogRowFacts *row);
	/* how many rows of relid and that deletion go now; NULL: nothing is to be written ahead */
	int64		(*going) (void *argument, int64 id);
	Oid			relid;
	void	   *argument;
} SdLogLock;

extern void sd_lock_log_rows(int64 *ids, int n, SdLogLock *lock);

#endif							/* SOFTDELETE_LOGLOCK_H */
