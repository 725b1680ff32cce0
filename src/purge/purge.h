/*
 * purge.h
 *		Erasing deleted rows for good.
 */
#ifndef SOFTDELETE_PURGE_H
#define SOFTDELETE_PURGE_H

#include "postgres.h"

#include "fmgr.h"
#include "purge/run.h"

extern void sd_check_may_purge(Oid relid);
extern void sd_check_batch_size(int batch_size);
extern void sd_start_purge(PurgeRun *run, Oid relid, Interval *retention,
						   int batch_size, SdTally *tally);

extern Datum softdelete_purge(PG_FUNCTION_ARGS);

#endif							/* SOFTDELETE_PURGE_H */
