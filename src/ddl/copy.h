/*
 * copy.h
 *		COPY of a managed table.
 */
#ifndef SOFTDELETE_COPY_H
#define SOFTDELETE_COPY_H

#include "postgres.h"

#include "nodes/plannodes.h"

extern PlannedStmt *sd_copy_visible(PlannedStmt *pstmt);

#endif							/* SOFTDELETE_COPY_H */
