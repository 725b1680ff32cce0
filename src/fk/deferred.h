/*
 * deferred.h
 *		Checks of deferred foreign keys, that wait for the commit.
 */
#ifndef SOFTDELETE_DEFERRED_H
#define SOFTDELETE_DEFERRED_H

#include "postgres.h"

#include "engine/keyset.h"
#include "nodes/parsenodes.h"
#include "tables/foreignkeys.h"

extern void sd_deferred_init(void);
extern bool sd_is_deferred(SdKey *key);
extern void sd_defer(SdKeySet *set);
extern void sd_set_constraints(ConstraintsSetStmt *stmt);
extern List *sd_make_immediate(Oid relid);
extern void sd_make_deferred(List *constraints);

#endif							/* SOFTDELETE_DEFERRED_H */
