/*
 * watch.h
 *		Each row that a converted statement has marked or restored is seen.
 */
#ifndef SOFTDELETE_WATCH_H
#define SOFTDELETE_WATCH_H

#include "postgres.h"

#include "engine/statement.h"
#include "nodes/execnodes.h"
#include "tables/table.h"

extern void sd_watch_rows(EState *estate, ResultRelInfo *rel, SdTable *table,
						  SdStatement *restore);
extern bool sd_watch_locks(ResultRelInfo *rel);
extern TupleTableSlot *sd_old_version(ResultRelInfo *rel);

#endif							/* SOFTDELETE_WATCH_H */
