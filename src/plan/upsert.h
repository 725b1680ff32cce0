/*
 * upsert.h
 *		INSERT ... ON CONFLICT on a managed table.
 */
#ifndef SOFTDELETE_UPSERT_H
#define SOFTDELETE_UPSERT_H

#include "postgres.h"

#include "nodes/parsenodes.h"
#include "tables/table.h"

extern void sd_convert_upsert(Query *query, Relation rel, SdTable *table,
							  bool hidden);

#endif							/* SOFTDELETE_UPSERT_H */
