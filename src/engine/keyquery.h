/*
 * keyquery.h
 *		The engine's queries along a foreign key, and their kept plans.
 */
#ifndef SOFTDELETE_KEYQUERY_H
#define SOFTDELETE_KEYQUERY_H

#include "postgres.h"

#include "engine/keyset.h"
#include "engine/keytext.h"
#include "engine/statement.h"

extern int	sd_execute_key_reading(SdQueryKind kind, SdKeySet *set,
								   SdStatement *statement, Oid role, SdView view,
								   long limit,
								   void (*read) (SdKeySet *set, void *arg),
								   void *arg);
extern int	sd_execute_key(SdQueryKind kind, SdKeySet *set,
						   SdStatement *statement, Oid role, SdView view,
						   long limit);
extern void sd_keyquery_init(void);

/* the keys as parameters, for restorequery.c */
extern Datum sd_keys_array(SdKeySet *set, int column, int first, int n);
extern int	sd_keys_per_run(SdKeySet *set, int first);

#endif							/* SOFTDELETE_KEYQUERY_H */
