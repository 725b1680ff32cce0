/*
 * returning.h
 *		RETURNING of a DELETE that marks.
 */
#ifndef SOFTDELETE_RETURNING_H
#define SOFTDELETE_RETURNING_H

#include "postgres.h"

#include "nodes/parsenodes.h"
#include "tables/table.h"

/* Show the marker in RETURNING as it was.  live: its value in a live row. */
extern void sd_returning_before(Query *query, SdTable *table, Expr *live);

#endif							/* SOFTDELETE_RETURNING_H */
