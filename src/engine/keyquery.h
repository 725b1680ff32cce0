/*
 * keyquery.h
 *		The engine's queries along a foreign key, and their kept plans.
 */
#ifndef SOFTDELETE_KEYQUERY_H
#define SOFTDELETE_KEYQUERY_H

#include "postgres.h"

#include "engine/keyset.h"
#include "engine/statement.h"
#include "lib/stringinfo.h"

/* what a kept plan does along a foreign key */
typedef enum SdQueryKind
{
	SD_QUERY_MARK,				/* mark the children of these parents */
	SD_QUERY_RESTORE,			/* restore them, of one deletion */
	SD_QUERY_CHILD,				/* live children of these keys */
	SD_QUERY_REFERRER,			/* children of these keys, live or deleted */
	SD_QUERY_COUNT,				/* how many of these there are */
	SD_QUERY_DELETED,			/* deleted parents among these keys */
	SD_QUERY_PARENT,			/* the same, and lock the live ones */
	SD_QUERY_LIVE,				/* live parents among them */
	SD_QUERY_MISSING,			/* keys that have no parent at all */
	SD_QUERY_LEFT				/* any row that refers to these, whose rows are gone */
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

/* pieces of such queries, for restorequery.c */
extern const char *sd_only(Oid relid);
extern void sd_append_match(StringInfo buf, SdKey *key, const char *alias,
							bool child, bool many, const Oid *types);
extern void sd_append_keys(StringInfo buf, int n, bool many);
extern Datum sd_keys_array(SdKeySet *set, int column, int first, int n);
extern int	sd_keys_per_run(SdKeySet *set, int first);

#endif							/* SOFTDELETE_KEYQUERY_H */
