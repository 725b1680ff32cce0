/*
 * orphan.h
 *		Checks that no live row refers to a deleted one.
 */
#ifndef SOFTDELETE_ORPHAN_H
#define SOFTDELETE_ORPHAN_H

#include "postgres.h"

#include "engine/keyset.h"
#include "tables/foreignkeys.h"

extern SdKeySet *sd_only_deleted(SdKeySet *set);
extern SdKeySet *sd_only_live(SdKeySet *set);
extern bool sd_find_orphan(SdKeySet *set, bool report);
extern void sd_check_deferred(SdKeySet *set);
extern void sd_raise_parent(SdKey *key);
extern void sd_raise_missing(SdKey *key, const char *hint);
extern SdKeySet *sd_missing_parents(SdKeySet *set);

#endif							/* SOFTDELETE_ORPHAN_H */
