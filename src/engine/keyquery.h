/*
 * keyquery.h
 *		The engine's queries along a foreign key, and their kept plans.
 */
#ifndef SOFTDELETE_KEYQUERY_H
#define SOFTDELETE_KEYQUERY_H

#include "postgres.h"

#include "engine/keyset.h"
#include "engine/statement.h"

/* what a kept plan does along a foreign key */
typedef enum SdQueryKind
{
	SD_QUERY_MARK,				/* mark the children of these parents */
	SD_QUERY_RESTORE,			/* restore them, of one deletion */
	SD_QUERY_CHILD,				/* live children of these keys */
	SD_QUERY_COUNT,				/* how many there are */
	SD_QUERY_DELETED,			/* deleted parents among these keys */
	SD_QUERY_PARENT,			/* the same, and lock the live ones */
	SD_QUERY_LIVE,				/* live parents among them */
	SD_QUERY_MISSING			/* keys that have no parent at all */
} SdQueryKind;

extern int	sd_execute_key_reading(SdQueryKind kind, SdKeySet *set,
								   SdStatement *statement, Oid role, SdView view,
								   long limit,
								   void (*read) (SdKeySet *set, void *arg),
								   void *arg);
extern int	sd_execute_key(SdQueryKind kind, SdKeySet *set,
						   SdStatement *statement, Oid role, SdView view,
						   long limit);
extern void sd_keyquery_init(void);

#endif							/* SOFTDELETE_KEYQUERY_H */
