/*
 * parentscan.h
 *		The scan of PostgreSQL's check of a child, at less cost.
 */
#ifndef SOFTDELETE_PARENTSCAN_H
#define SOFTDELETE_PARENTSCAN_H

#include "postgres.h"

#include "executor/execdesc.h"
#include "nodes/plannodes.h"

/* the plan as the executor starts it, and as it is */
typedef struct SdParentScan
{
	PlannedStmt *whole;
	PlannedStmt stmt;
	LockRows	top;
	IndexScan	scan;
} SdParentScan;

extern bool sd_is_parent_check(PlannedStmt *stmt);
extern void sd_parent_scan_begin(SdParentScan *lean, QueryDesc *query);
extern void sd_parent_scan_end(SdParentScan *lean, QueryDesc *query);

#endif							/* SOFTDELETE_PARENTSCAN_H */
