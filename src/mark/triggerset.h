/*
 * triggerset.h
 *		Which of our triggers a statement needs.
 */
#ifndef SOFTDELETE_TRIGGERSET_H
#define SOFTDELETE_TRIGGERSET_H

#include "postgres.h"

#include "engine/statement.h"
#include "executor/execdesc.h"
#include "nodes/execnodes.h"
#include "tables/table.h"

extern bool sd_is_converted(EState *estate, ResultRelInfo *rel, SdTable *table);
extern bool sd_is_quiet_update(QueryDesc *query);
extern bool sd_is_quiet_insert(QueryDesc *query);
extern void sd_choose_triggers(QueryDesc *query, SdStatement *statement);

#endif							/* SOFTDELETE_TRIGGERSET_H */
