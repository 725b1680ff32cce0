/*
 * drops.h
 *		Drops of managed tables and of their triggers.
 */
#ifndef SOFTDELETE_DROPS_H
#define SOFTDELETE_DROPS_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* what one utility command drops */
typedef struct SdDrops
{
	struct SdDrops *outer;		/* of the command around it */
	List	   *list;			/* both private to drops.c */
	List	   *stand_ins;
} SdDrops;

extern void sd_drops_begin(SdDrops *drops);
extern void sd_drops_end(SdDrops *drops);
extern void sd_drops_check(SdDrops *drops);
extern void sd_drops_note(Oid trigger, bool created);
extern void sd_drops_note_relation(Oid relid);

#endif							/* SOFTDELETE_DROPS_H */
