/*
 * expiry.h
 *		Which deleted rows a purge takes.
 */
#ifndef SOFTDELETE_EXPIRY_H
#define SOFTDELETE_EXPIRY_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "purge/run.h"
#include "tables/foreignkeys.h"

/*
 * Parameters of the statements below: "now" and the held deletions, then for
 * each of the tables that are purged together two bounds on the time of
 * deletion and the retention.
 */
#define SD_EXPIRY_NOW			1
#define SD_EXPIRY_HELD			2
#define SD_EXPIRY_UPPER(i)		(3 + 3 * (i))	/* no expired row exceeds it */
#define SD_EXPIRY_SURE(i)		(4 + 3 * (i))	/* all deleted before have expired */
#define SD_EXPIRY_RETENTION(i)	(5 + 3 * (i))
#define SD_EXPIRY_PARAMS(n)		(2 + 3 * (n))

/* a row that is on hold, see sd_append_stays() */
#define SD_STAYS_HELD			(-1)

extern void sd_append_time(StringInfo buf, SdTable *table, const char *alias);
extern void sd_append_expired(StringInfo buf, SdTable *table, const char *alias,
							  int retention, int now);
extern void sd_append_candidates(StringInfo buf, SdTable *table, int which);
extern void sd_append_stays(StringInfo buf, SdTable *table, PurgeRun *runs,
							int n, int which);
extern const char *sd_why_stays(SdTable *table, int stays);
extern void sd_append_may_go(StringInfo buf, SdTable *table, const char *alias,
							 int which);
extern void sd_append_join(StringInfo buf, SdKey *key, const char *parent,
						   const char *child);
extern Datum sd_expiry_bound(PurgeRun *run, Oid type, bool upper);
extern void sd_expiry_values(PurgeRun *runs, int n, Oid *types, Datum *values);

#endif							/* SOFTDELETE_EXPIRY_H */
