/*
 * assignments.h
 *		What an UPDATE assigns that marks or restores.
 */
#ifndef SOFTDELETE_ASSIGNMENTS_H
#define SOFTDELETE_ASSIGNMENTS_H

#include "postgres.h"

#include "tables/table.h"
#include "utils/rel.h"

extern List *sd_set_list(Relation rel, Index varno, SdTable *table, bool deleted, bool mark_only);
extern Expr *sd_live_value(Relation rel, Index varno, SdTable *table);

#endif							/* SOFTDELETE_ASSIGNMENTS_H */
