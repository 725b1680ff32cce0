/*
 * expiry.h
 *		Which deleted rows a purge takes.
 */
#ifndef SOFTDELETE_EXPIRY_H
#define SOFTDELETE_EXPIRY_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "tables/foreignkeys.h"
#include "tables/table.h"
#include "utils/array.h"
#include "utils/timestamp.h"

/* the purge of one table in progress */
typedef struct PurgeRun
{
	Oid			root;			/* the table */
	Oid			relid;			/* it, or the partition of it that is purged */
	SdTable    *table;			/* of relid */
	Oid			owner;
	Interval   *retention;
	TimestampTz now;
	ArrayType  *held;			/* bigint[]: deletions that must stay */
	int			batch_size;
	int64		purged;
	int64		kept;
} PurgeRun;

/*
 * Parameters of the statements below: "now" and the held deletions, then for
 * each of the tables that are purged together a bound on the time of deletion
 * and the retention.
 */
#define SD_EXPIRY_NOW			1
#define SD_EXPIRY_HELD			2
#define SD_EXPIRY_BOUND(i)		(3 + 2 * (i))
#define SD_EXPIRY_RETENTION(i)	(4 + 2 * (i))
#define SD_EXPIRY_PARAMS(n)		(2 + 2 * (n))

extern void sd_append_expired(StringInfo buf, SdTable *table, const char *alias,
							  int retention, int now);
extern void sd_append_candidates(StringInfo buf, SdTable *table,
								 PurgeRun *runs, int n, int which);
extern void sd_append_may_go(StringInfo buf, SdTable *table, const char *alias,
							 int which);
extern void sd_append_join(StringInfo buf, SdKey *key, const char *parent,
						   const char *child);
extern void sd_expiry_values(PurgeRun *runs, int n, Oid *types, Datum *values);

#endif							/* SOFTDELETE_EXPIRY_H */
