/*
 * undo.h
 *		The parts of deletions that undo() restores.
 */
#ifndef SOFTDELETE_UNDO_H
#define SOFTDELETE_UNDO_H

#include "postgres.h"

#include "engine/operation.h"
#include "nodes/pg_list.h"

/* what one deletion took from one table */
typedef struct SdUndoPart
{
	int64		id;
	Oid			relid;
	int64		marked;			/* rows, by the log */
} SdUndoPart;

extern int64 sd_in_one_operation(void (*restore) (SdOp *, EState *, void *), void *arg);
extern int64 sd_undo_skipping(List *parts);

#endif							/* SOFTDELETE_UNDO_H */
