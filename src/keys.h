/*
 * keys.h
 *		Reading the foreign keys of a relation.
 */
#ifndef SOFTDELETE_KEYS_H
#define SOFTDELETE_KEYS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "registry.h"
#include "utils/rel.h"

extern List *sd_keys_of(Relation rel, bool children);
extern bool sd_key_matters(SdKey *key);

#endif							/* SOFTDELETE_KEYS_H */
