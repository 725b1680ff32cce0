/*
 * batch.h
 *		Erasing one batch of expired rows.
 */
#ifndef SOFTDELETE_BATCH_H
#define SOFTDELETE_BATCH_H

#include "postgres.h"

#include "engine/statement.h"
#include "executor/spi.h"
#include "purge/expiry.h"

extern void sd_set_held(SdStatement *statement, ArrayType *held);
extern bool sd_attempt(void (*work) (void *), void *argument);
extern SPIPlanPtr sd_prepare_eraser(PurgeRun *run);
extern void sd_erase_rows(PurgeRun *run, SdStatement *statement,
						  SPIPlanPtr eraser, Datum *tids, int n,
						  bool triggers_now);
extern void sd_erase_batch(PurgeRun *run, SPIPlanPtr eraser, Datum *tids,
						   int64 *ids, int n);

#endif							/* SOFTDELETE_BATCH_H */
