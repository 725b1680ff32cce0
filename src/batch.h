/*
 * batch.h
 *		Erasing one batch of expired rows.
 */
#ifndef SOFTDELETE_BATCH_H
#define SOFTDELETE_BATCH_H

#include "postgres.h"

#include "executor/spi.h"
#include "expiry.h"
#include "operation.h"

extern void sd_set_held(SdStatement *statement, ArrayType *held);
extern void sd_erase_batch(PurgeRun *run, SPIPlanPtr plan, Datum *tids,
						   int64 *ids, int n);

#endif							/* SOFTDELETE_BATCH_H */
