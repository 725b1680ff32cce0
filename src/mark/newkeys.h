/*
 * newkeys.h
 *		Which statements bring keys that a deleted row may hold.
 */
#ifndef SOFTDELETE_NEWKEYS_H
#define SOFTDELETE_NEWKEYS_H

#include "postgres.h"

#include "executor/execdesc.h"
#include "nodes/execnodes.h"
#include "nodes/plannodes.h"
#include "tables/table.h"

extern bool sd_insert_needs_room(ModifyTable *modify, SdTable *table);
extern void sd_choose_room_trigger(QueryDesc *query, ResultRelInfo *rel, SdTable *table);

#endif							/* SOFTDELETE_NEWKEYS_H */
