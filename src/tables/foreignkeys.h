/*
 * foreignkeys.h
 *		Reading the foreign keys of a relation, from either side.
 */
#ifndef SOFTDELETE_FOREIGNKEYS_H
#define SOFTDELETE_FOREIGNKEYS_H

#include "postgres.h"

#include "access/attnum.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"

/* a foreign key, seen from either side */
typedef struct SdKey
{
	Oid			oid;			/* of the topmost pg_constraint row */
	char	   *name;
	Oid			child;			/* referring table, topmost */
	Oid			parent;			/* referred-to table, topmost */
	char		on_delete;		/* FKCONSTR_ACTION_xxx */
	bool		deferrable;
	bool		deferred;		/* initially */
	bool		validated;
	bool		temporal;		/* its last column is a PERIOD (18) */
	int			n;				/* number of columns */
	AttrNumber *child_atts;		/* of child */
	AttrNumber *parent_atts;	/* of parent */
	AttrNumber *own_atts;		/* of the table this was asked of, which may be
								 * a partition of child or parent */
	Oid		   *operators;		/* parent column = child column */
} SdKey;

extern List *sd_keys_of(Relation rel, bool children);
extern bool sd_key_needs_parent(SdKey *key);

#endif							/* SOFTDELETE_FOREIGNKEYS_H */
