/*
 * batch.h
 *		Erasing one batch of expired rows.
 */
#ifndef SOFTDELETE_BATCH_H
#define SOFTDELETE_BATCH_H

#include "postgres.h"

#include "engine/statement.h"
#include "executor/spi.h"
#include "purge/run.h"

extern SPIPlanPtr sd_prepare_eraser(PurgeRun *run);
extern void sd_erase_rows(PurgeRun *run, SdStatement *statement,
						  SPIPlanPtr eraser, Datum *tids, int n,
						  bool triggers_now);
extern void sd_erase_batch(PurgeRun *run, PurgeRows *batch);

#endif							/* SOFTDELETE_BATCH_H */
