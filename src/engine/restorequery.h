/*
 * restorequery.h
 *		Queries that restore children, but those that another deleted row holds.
 */
#ifndef SOFTDELETE_RESTOREQUERY_H
#define SOFTDELETE_RESTOREQUERY_H

#include "postgres.h"

#include "engine/keyset.h"
#include "engine/statement.h"

extern SdKeySet *sd_other_parents(SdKeySet *set, SdKey *other, Oid owner);
extern void sd_find_deleted_children(SdKeySet *set, Oid owner);
extern void sd_restore_children_but(SdKeySet *set, List *but,
									SdStatement *statement, Oid owner);

#endif							/* SOFTDELETE_RESTOREQUERY_H */
