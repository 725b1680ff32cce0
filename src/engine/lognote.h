/*
 * lognote.h
 *		What became of the rows of earlier deletions, in the log.
 */
#ifndef SOFTDELETE_LOGNOTE_H
#define SOFTDELETE_LOGNOTE_H

#include "postgres.h"

#include "storage/itemptr.h"
#include "utils/hsearch.h"

/* rows of one deletion and (topmost) table that were restored or erased */
typedef struct SdLogCount
{
	int64		id;
	int64		n;
	Oid			relid;
	ItemPointerData tid;		/* of the log's row, where the caller has locked it */
} SdLogCount;

extern Datum sd_log_role(Oid role);
extern Datum sd_log_text(const char *value, bool *isnull);
extern void sd_log_note(HTAB *counts, Oid role, bool purged);
extern void sd_log_note_counts(SdLogCount *counts, int n, Oid role, bool purged);
extern int	sd_log_counts(HTAB *counts, SdLogCount *list);

#endif							/* SOFTDELETE_LOGNOTE_H */
