/*
 * referrers.h
 *		What refers to a managed table, its partitions included.
 */
#ifndef SOFTDELETE_REFERRERS_H
#define SOFTDELETE_REFERRERS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "tables/table.h"

extern bool sd_hangs_on_reference(SdTable *table);
extern bool sd_has_children(SdTable *table);
extern List *sd_all_children(Oid relid);

#endif							/* SOFTDELETE_REFERRERS_H */
