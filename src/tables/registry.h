/*
 * registry.h
 *		The cache of what is known of managed tables: everybody asks here.
 */
#ifndef SOFTDELETE_REGISTRY_H
#define SOFTDELETE_REGISTRY_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "fmgr.h"
#include "tables/table.h"
#include "utils/rel.h"

extern void sd_registry_init(void);
extern SdTable *sd_table(Relation rel);
extern bool sd_surely_unmanaged(Oid relid);
extern SdTable *sd_table_by_oid(Oid relid);
extern SdTable *sd_find_table(Oid relid);

#endif							/* SOFTDELETE_REGISTRY_H */
