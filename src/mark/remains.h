/*
 * remains.h
 *		How many rows of a deletion are in the shards.
 */
#ifndef SOFTDELETE_REMAINS_H
#define SOFTDELETE_REMAINS_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* what is in one table */
typedef struct SdRemains
{
	Oid			relid;
	char	   *value;			/* all of them have it in the column that spreads rows, or NULL */
	int64		rows;
} SdRemains;

extern bool sd_takes_along(Oid relid);
extern List *sd_look_for_marked(Oid relid, int64 id, bool now, const char *value);
extern List *sd_look_for_rest(MemoryContext context, Oid relid, int64 id, const char *value);
extern List *sd_look_again(List *before, int64 id);

#endif							/* SOFTDELETE_REMAINS_H */
