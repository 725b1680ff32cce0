/*
 * condition.h
 *		The condition that a row is live, as an expression.
 */
#ifndef SOFTDELETE_CONDITION_H
#define SOFTDELETE_CONDITION_H

#include "postgres.h"

#include "tables/table.h"

extern Node *sd_parse_condition(Relation rel, SdTable *table, bool live);
extern Node *sd_shorter_condition(Node *live);
extern Node *sd_condition(SdTable *table, Index varno, bool live);
extern Node *sd_live_filter(SdTable *table, Index varno);

#endif							/* SOFTDELETE_CONDITION_H */
