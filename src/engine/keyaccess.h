/*
 * keyaccess.h
 *		How the rows that refer to an array of keys are found best.
 */
#ifndef SOFTDELETE_KEYACCESS_H
#define SOFTDELETE_KEYACCESS_H

#include "postgres.h"

#include "engine/keyset.h"

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

/* how the rows of many keys are found */
typedef enum SdKeyWay
{
	SD_BY_JOIN,					/* with the keys, as the planner thinks best */
	SD_BY_INDEX,				/* the keys are looked up in an index */
	SD_BY_READING				/* the rows' keys are looked up among the keys */
} SdKeyWay;

extern Oid	sd_column_collation(Oid relid, AttrNumber attnum);
extern Oid	sd_key_index_operator(SdQueryKind kind, SdKeySet *set);
extern Oid	sd_key_reading_operator(SdQueryKind kind, SdKeySet *set, int first, int n);
extern Oid	sd_key_ordering(SdKeySet *set);

#endif							/* SOFTDELETE_KEYACCESS_H */
