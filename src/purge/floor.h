/*
 * floor.h
 *		Rows that wait for what their deletion took besides them.
 */
#ifndef SOFTDELETE_FLOOR_H
#define SOFTDELETE_FLOOR_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/timestamp.h"

/* a table that keeps its rows longer than the one that is purged */
typedef struct SdLongerTable
{
	Oid			table;
	bool		above;			/* the other refers to it, directly or not */
	bool		for_ever;
	Interval	retention;
} SdLongerTable;

/* all of them */
typedef struct SdLonger
{
	List	   *purged;			/* Oids: the one that is purged, or those of a cycle */
	int			n;
	SdLongerTable tables[FLEXIBLE_ARRAY_MEMBER];
} SdLonger;

extern SdLonger *sd_longer_tables(Oid root, Interval *retention);
extern SdLonger *sd_longer_of_both(SdLonger *a, SdLonger *b);
extern bool sd_has_to_wait(SdLonger *longer, Oid target, Datum tables,
						   bool *for_ever, Interval *retention);

#endif							/* SOFTDELETE_FLOOR_H */
