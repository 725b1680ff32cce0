/*
 * keytext.h
 *		The text of the engine's queries along a foreign key.
 */
#ifndef SOFTDELETE_KEYTEXT_H
#define SOFTDELETE_KEYTEXT_H

#include "postgres.h"

#include "engine/keyset.h"
#include "lib/stringinfo.h"

/* what a kept plan does along a foreign key */
typedef enum SdQueryKind
{
	SD_QUERY_MARK,				/* mark the children of these parents */
	SD_QUERY_RESTORE,			/* restore them, of one deletion */
	SD_QUERY_BETWEEN,			/* any row, live or deleted, that refers to a key
								 * between two */
	SD_QUERY_CHILD,				/* live children of these keys */
	SD_QUERY_REFERRER,			/* children that belong to deleted parents */
	SD_QUERY_COUNT,				/* how many children, live or deleted */
	SD_QUERY_DELETED,			/* deleted parents among these keys */
	SD_QUERY_PARENT,			/* the same, and lock the live ones */
	SD_QUERY_LIVE,				/* live parents among them */
	SD_QUERY_MISSING,			/* keys that have no parent at all */
	SD_QUERY_LEFT				/* any row that refers to these, whose rows are gone */
} SdQueryKind;

extern Oid	sd_key_array_operator(SdQueryKind kind, SdKeySet *set);
extern Oid	sd_key_ordering(SdKeySet *set);
extern char *sd_key_query_text(SdQueryKind kind, SdKeySet *set, bool many,
							   Oid operator);

/* pieces of such queries, for restorequery.c */
extern const char *sd_only(Oid relid);
extern void sd_append_match(StringInfo buf, SdKey *key, const char *alias,
							bool child, bool many, const Oid *types);
extern void sd_append_keys(StringInfo buf, int n, bool many);

#endif							/* SOFTDELETE_KEYTEXT_H */
