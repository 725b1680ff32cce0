/*
 * heldkey.h
 *		A row on hold keeps its key.
 */
#ifndef SOFTDELETE_HELDKEY_H
#define SOFTDELETE_HELDKEY_H

#include "postgres.h"

#include "access/htup.h"
#include "nodes/execnodes.h"
#include "tables/table.h"

extern void sd_watch_held(EState *estate, ResultRelInfo *rel, SdTable *table, CmdType operation);
extern void sd_refuse_new_key(SdTable *table, HeapTuple old, TupleDesc desc);

#endif							/* SOFTDELETE_HELDKEY_H */
