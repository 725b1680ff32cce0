/*
 * kept.h
 *		Expired rows that a purge had to leave: how many, and why.
 */
#ifndef SOFTDELETE_KEPT_H
#define SOFTDELETE_KEPT_H

#include "postgres.h"

#include "utils/jsonb.h"

/* reasons that are told apart; a trigger may make up one for each row */
#define MAX_REASONS 20

/* Passed by value, so that a purge that tries again can start from a copy. */
typedef struct SdKept
{
	MemoryContext context;		/* of the reasons' texts */
	int64		rows;
	int			n;				/* reasons */
	struct
	{
		const char *why;
		int64		rows;
	}			reasons[MAX_REASONS];
} SdKept;

extern void sd_keep(SdKept *kept, const char *why, int64 rows);
extern void sd_add_kept(SdKept *kept, const SdKept *more);
extern char *sd_kept_text(const SdKept *kept);
extern Datum sd_kept_jsonb(const SdKept *kept);

#endif							/* SOFTDELETE_KEPT_H */
