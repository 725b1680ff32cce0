/*
 * planner.h
 *		The planner hook: what a query may see, and what its DELETE means.
 */
#ifndef SOFTDELETE_PLANNER_H
#define SOFTDELETE_PLANNER_H

#include "postgres.h"

#include "base/guc.h"
#include "nodes/pg_list.h"

/* the query that is being planned */
typedef struct SdPlanning
{
	bool		active;			/* inside the planner at all */
	SdVisibility visibility;
	bool		check_parent;	/* RI asks whether the parent is there ... */
	List	   *check_atts;		/* ... by these columns of it */
	bool		touched;		/* out: a managed table is involved */
} SdPlanning;

extern SdPlanning sd_planning;

/* queryId of a query below a row-security policy */
#define SD_POLICY_QUERY UINT64CONST(0x536f66745044)

extern void sd_planner_init(void);

#endif							/* SOFTDELETE_PLANNER_H */
