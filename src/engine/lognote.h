/*
 * lognote.h
 *		What became of the rows of earlier deletions, in the log.
 */
#ifndef SOFTDELETE_LOGNOTE_H
#define SOFTDELETE_LOGNOTE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "utils/hsearch.h"

/* rows of one deletion and (topmost) table that were restored or erased */
typedef struct SdLogCount
{
	int64		id;
	int64		n;
	Oid			relid;
	ItemPointerData tid;		/* of the log's row, where the caller has locked it */
	Oid			target;			/* what that row says */
	int64		ahead;			/* rows that it says are purged, for which n went (loglock.c) */
} SdLogCount;

/* what became of rows: their deletions have an event each, or all have one together */
typedef enum SdNote
{
	SD_NOTE_RESTORED,
	SD_NOTE_PURGED,
	SD_NOTE_EXPIRED				/* purged, together */
} SdNote;

extern void sd_log_note(HTAB *counts, Oid role, bool purged);
extern bool sd_log_may_be_ahead(void);
extern void sd_log_note_counts(SdLogCount *counts, int n, Oid role, SdNote note,
							   List *spans);
extern int	sd_log_counts(HTAB *counts, SdLogCount *list);

#endif							/* SOFTDELETE_LOGNOTE_H */
