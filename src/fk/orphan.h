/*
 * orphan.h
 *		Checks that no live row refers to a deleted one.
 */
#ifndef SOFTDELETE_ORPHAN_H
#define SOFTDELETE_ORPHAN_H

#include "postgres.h"

#include "engine/operation.h"

extern Oid	sd_owner_of(Oid relid);
extern bool sd_may_see(Oid relid);
extern SdKeySet *sd_only_deleted(SdKeySet *set);
extern bool sd_find_orphan(SdKeySet *set, bool report);
extern void sd_check_children(SdKeySet *set);
extern void sd_check_parent(SdKeySet *set);
extern void sd_check_deferred(SdKeySet *set);
extern void sd_check_new_key(SdKey *key);

#endif							/* SOFTDELETE_ORPHAN_H */
