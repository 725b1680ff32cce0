/*
 * run.h
 *		The purge of a table in progress, and the rows of one batch of it.
 */
#ifndef SOFTDELETE_RUN_H
#define SOFTDELETE_RUN_H

#include "postgres.h"

#include "executor/spi.h"
#include "purge/floor.h"
#include "purge/kept.h"
#include "purge/tally.h"
#include "tables/table.h"
#include "utils/array.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* the purge of one table in progress */
typedef struct PurgeRun
{
	Oid			root;			/* the table */
	Oid			owner;
	Interval   *retention;
	TimestampTz now;
	ArrayType  *held;			/* bigint[]: deletions that must stay */
	int			batch_size;
	SdTally    *tally;
	SdLonger   *longer;			/* tables whose rows its own may wait for, or NULL */
	int64		purged;
	SdKept		kept;

	/* of the table, or the partition of it, whose rows go just now */
	Oid			relid;
	SdTable    *table;
	Relation	rel;
	Datum		sure;			/* what was deleted before has expired for sure */
	bool		direct;			/* its rows may be erased without a statement */
	bool		crowded;		/* some are referred to: look before erasing */
	int			n_atts;			/* columns by which others refer to its rows */
	AttrNumber *atts;
	SPIPlanPtr	eraser;			/* see batch.c; NULL until needed */
	SPIPlanPtr	finder;
	SPIPlanPtr	above;			/* see heldabove.c; NULL: nothing above is on hold ... */
	bool		above_known;	/* ... or not looked for yet */
} PurgeRun;

typedef struct PurgeRow
{
	ItemPointerData tid;
	Datum		time;			/* of its deletion, where rows may have to wait */
	int64		id;				/* its deletion, 0 for none */
	int			key;			/* place of its values of the run's atts */
} PurgeRow;

/* rows of one relation that have expired; at most a batch */
typedef struct PurgeRows
{
	PurgeRow   *rows;
	int			n;
	Datum	   *values;			/* n_atts a row */
	bool	   *nulls;
} PurgeRows;

#endif							/* SOFTDELETE_RUN_H */
