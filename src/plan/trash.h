/*
 * trash.h
 *		Calls of softdelete.trash() become the queries that they stand for.
 */
#ifndef SOFTDELETE_TRASH_H
#define SOFTDELETE_TRASH_H

#include "postgres.h"

#include "nodes/params.h"
#include "nodes/parsenodes.h"

extern bool sd_expand_trash(Query *query, ParamListInfo params);
extern bool sd_is_trash_entry(RangeTblEntry *rte);

#endif							/* SOFTDELETE_TRASH_H */
