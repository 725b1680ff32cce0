/*
 * tally.h
 *		What a purge has to tell the log, kept until it pays to write it.
 */
#ifndef SOFTDELETE_TALLY_H
#define SOFTDELETE_TALLY_H

#include "postgres.h"

#include "purge/floor.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

typedef struct SdTally SdTally;

extern SdTally *sd_tally_begin(void);
extern void sd_tally_wait_for(SdTally *tally, SdLonger *longer);
extern void sd_tally_lock(SdTally *tally, int64 *ids, int n, Oid going);
extern bool sd_tally_holds(SdTally *tally, int64 id);
extern bool sd_tally_waits(SdTally *tally, int64 id, Datum time, Oid type,
						   TimestampTz now);
extern void sd_tally_check(SdTally *tally, HTAB *counts);
extern void sd_tally_add(SdTally *tally, HTAB *counts);
extern void sd_tally_count(SdTally *tally, int64 id, Oid relid, int64 n);
extern void sd_tally_write(SdTally *tally);

#endif							/* SOFTDELETE_TALLY_H */
