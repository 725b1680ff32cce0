/*
 * cyclequery.h
 *		The queries over tables that refer to one another in a circle.
 */
#ifndef SOFTDELETE_CYCLEQUERY_H
#define SOFTDELETE_CYCLEQUERY_H

#include "postgres.h"

#include "purge/run.h"

/* a table or partition that rows are erased from */
typedef struct SdLeaf
{
	PurgeRun	run;
	int			which;			/* of the cycle's tables */
	SPIPlanPtr	eraser;
	Datum	   *tids;			/* of the rows of a batch */
	int			n;
	int			allocated;
} SdLeaf;

typedef struct SdCycle
{
	PurgeRun   *tables;
	int			n_tables;
	SdLeaf	   *leaves;
	int			n_leaves;
	SdTally    *tally;
	SPIPlanPtr	referrers;		/* finds all that refer to a set of rows */
} SdCycle;

extern char *sd_cycle_candidates(SdCycle *cycle);
extern SPIPlanPtr sd_prepare_referrers(SdCycle *cycle);

#endif							/* SOFTDELETE_CYCLEQUERY_H */
