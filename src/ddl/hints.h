/*
 * hints.h
 *		Words for what a command does that is easily overlooked.
 */
#ifndef SOFTDELETE_HINTS_H
#define SOFTDELETE_HINTS_H

#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"

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
extern void sd_warn_of_setting(VariableSetStmt *stmt);

#endif							/* SOFTDELETE_HINTS_H */
