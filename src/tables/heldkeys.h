/*
 * heldkeys.h
 *		The unique keys of a table that its deleted rows hold.
 */
#ifndef SOFTDELETE_HELDKEYS_H
#define SOFTDELETE_HELDKEYS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/rel.h"

/* a unique index over all rows, deleted ones included */
typedef struct SdHeldKey
{
	Oid			index;
	bool		primary;
	bool		nulls_equal;	/* NULLS NOT DISTINCT */
	int			n;				/* number of columns */
	AttrNumber *atts;
	Oid		   *equal;			/* the functions of their equality */
} SdHeldKey;

extern List *sd_held_keys(Relation rel);

#endif							/* SOFTDELETE_HELDKEYS_H */
