/*
 * purge.h
 *		Erasing deleted rows for good.
 */
#ifndef SOFTDELETE_PURGE_H
#define SOFTDELETE_PURGE_H

#include "postgres.h"

#include "purge/expiry.h"

extern void sd_start_purge(PurgeRun *run, Oid relid, Interval *retention,
						   int batch_size);

#endif							/* SOFTDELETE_PURGE_H */
