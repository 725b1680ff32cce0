/*
 * shards.h
 *		Erasing deleted rows of a distributed table.
 */
#ifndef SOFTDELETE_PURGE_SHARDS_H
#define SOFTDELETE_PURGE_SHARDS_H

#include "postgres.h"

#include "calls/rowbykey.h"
#include "engine/statement.h"
#include "purge/run.h"

extern void sd_purge_shards(PurgeRun *run);

/* shardrow.c */
extern int	sd_erase_in_shards(SdByKey *key, int64 id, SdStatement *statement, Oid owner);

#endif							/* SOFTDELETE_PURGE_SHARDS_H */
