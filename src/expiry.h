/*
 * expiry.h
 *		Which deleted rows a purge takes.
 */
#ifndef SOFTDELETE_EXPIRY_H
#define SOFTDELETE_EXPIRY_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "registry.h"
#include "utils/array.h"
#include "utils/timestamp.h"

/* the purge of one table in progress */
typedef struct PurgeRun
{
	Oid			relid;			/* what is purged: a table or one partition */
	SdTable    *table;
	Oid			owner;
	Interval   *retention;
	TimestampTz now;
	ArrayType  *held;			/* bigint[]: deletions that must stay */
	int			batch_size;
	int64		purged;
	int64		kept;
} PurgeRun;

extern void sd_append_expired(StringInfo buf, SdTable *table, const char *alias,
							  int retention, int now);
extern char *sd_candidates_text(PurgeRun *run);
extern Datum sd_upper_bound(PurgeRun *run, Oid type);

#endif							/* SOFTDELETE_EXPIRY_H */
