/*
 * makeroom.h
 *		A key that a deleted row holds is free for a new row.
 */
#ifndef SOFTDELETE_MAKEROOM_H
#define SOFTDELETE_MAKEROOM_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "tables/table.h"
#include "utils/rel.h"

extern void sd_make_room(Relation rel, SdTable *table, TupleTableSlot *row);

#endif							/* SOFTDELETE_MAKEROOM_H */
