/*
 * hints.h
 *		Words for what a DDL command meets in rows that nobody sees.
 */
#ifndef SOFTDELETE_HINTS_H
#define SOFTDELETE_HINTS_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "nodes/parsenodes.h"

typedef struct SdDdlHint
{
	ErrorContextCallback callback;
	char	   *table;			/* managed, and checked by the command; or NULL */
	bool		converts;		/* its values, too */
} SdDdlHint;

extern void sd_ddl_hint_begin(SdDdlHint *hint, Node *command);
extern void sd_ddl_hint_end(SdDdlHint *hint);
extern List *sd_detached_partitions(AlterTableStmt *stmt);
extern void sd_warn_of_detached(List *detached);

#endif							/* SOFTDELETE_HINTS_H */
