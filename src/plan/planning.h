/*
 * planning.h
 *		The query that is being planned.
 */
#ifndef SOFTDELETE_PLANNING_H
#define SOFTDELETE_PLANNING_H

#include "postgres.h"

#include "base/guc.h"
#include "nodes/pg_list.h"
#include "tables/table.h"

/* the query that is being planned */
typedef struct SdPlanning
{
	bool		active;			/* inside the planner at all */
	SdVisibility visibility;
	bool		own;			/* it is the engine's own statement */
	bool		check_parent;	/* RI asks whether the parent is there ... */
	List	   *check_atts;		/* ... by these columns of it */
	bool		by_key;			/* rows are found along a foreign key: the
								 * condition is to filter them, no more */
	bool		by_index;		/* they are, in an index: see plan_by_index() */
	bool		touched;		/* out: a managed table is involved */
	bool		expanded;		/* out: it shows a trash, with this role's rights */
} SdPlanning;

/* queryId of a query below a row-security policy */
#define SD_POLICY_QUERY UINT64CONST(0x536f66745044)

extern SdPlanning sd_planning;
extern int	sd_bypass_depth;

extern SdVisibility sd_visible_of(SdTable *table);

#endif							/* SOFTDELETE_PLANNING_H */
