/*
 * counts.h
 *		How many rows were marked, restored and erased.
 */
#ifndef SOFTDELETE_COUNTS_H
#define SOFTDELETE_COUNTS_H

#include "postgres.h"

#include "utils/hsearch.h"

/* how many rows of one table an operation marked */
typedef struct SdCount
{
	Oid			relid;			/* topmost */
	int64		n;
	bool		in_all;			/* by earlier statements of the deletion, too */
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

extern SdIdCount *sd_count_by_id(HTAB **counts, MemoryContext context, int64 id,
								 Oid relid, int64 n);
extern void sd_add_counts(HTAB **counts, MemoryContext context, HTAB *more);

#endif							/* SOFTDELETE_COUNTS_H */
