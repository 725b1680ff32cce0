/*
 * keyset.h
 *		Keys of rows, by foreign key.
 */
#ifndef SOFTDELETE_KEYSET_H
#define SOFTDELETE_KEYSET_H

#include "postgres.h"

#include "tables/foreignkeys.h"

/*
 * Keys of rows that were marked or restored, by which others refer to them (or
 * by which they refer to others).
 */
typedef struct SdKeySet
{
	SdKey	   *key;
	bool		restored;		/* else marked */
	bool		of_parents;		/* the key of the rows' parents, not their own */
	int64		id;				/* of restored rows: the deletion they belonged to */
	CommandId	before;			/* of rows marked by a command of this transaction:
								 * the next one, else 0; see has_live_child() */
	Oid		   *types;			/* by column */
	int16	   *lens;			/* likewise, of the types ... */
	bool	   *byvals;			/* ... as values are copied by these */
	Datum	  **values;			/* by column, then by row */
	int			n;
	int			allocated;
} SdKeySet;

extern SdKeySet *sd_key_set(SdKey *key, bool restored, bool of_parents, int64 id);
extern Size sd_key_size(SdKeySet *set, int column, int row);
extern void sd_key_set_free(SdKeySet *set);
extern void sd_key_set_add(SdKeySet *set, const Datum *values);
extern SdKeySet *sd_key_set_find(List **list, SdKey *key, bool restored,
								 bool of_parents, int64 id,
								 CommandId before);

#endif							/* SOFTDELETE_KEYSET_H */
