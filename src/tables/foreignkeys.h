/*
 * foreignkeys.h
 *		Reading the keys of a relation, foreign and primary.
 */
#ifndef SOFTDELETE_FOREIGNKEYS_H
#define SOFTDELETE_FOREIGNKEYS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "tables/registry.h"
#include "utils/rel.h"

extern List *sd_keys_of(Relation rel, bool children);
extern Oid	sd_primary_key(Relation rel);
extern bool sd_has_children(SdTable *table);
extern List *sd_all_children(Oid relid);
extern bool sd_key_needs_parent(SdKey *key);

#endif							/* SOFTDELETE_FOREIGNKEYS_H */
