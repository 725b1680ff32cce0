/*
 * statement.h
 *		Running the engine's own SQL.
 */
#ifndef SOFTDELETE_STATEMENT_H
#define SOFTDELETE_STATEMENT_H

#include "postgres.h"

#include "executor/spi.h"
#include "engine/operation.h"

/* the rows that one of the engine's statements works on */
typedef enum SdView
{
	SD_VIEW_STATEMENT,			/* those that any statement would see */
	SD_VIEW_LATEST,				/* also what was committed after a REPEATABLE
								 * READ transaction's snapshot, and raise a
								 * serialization failure on touching it, as RI */
	SD_VIEW_BEFORE				/* as they were before a command of this
								 * transaction, SdStatement.before */
} SdView;

/* who was current before sd_become() */
typedef struct SdIdentity
{
	Oid			role;
	int			context;
	int			guc_level;		/* 0: none was opened */
} SdIdentity;

extern SdStatement *sd_pending_statement;

extern void sd_become(Oid role, bool restricted, SdIdentity *before);
extern void sd_become_again(const SdIdentity *before);

extern SdStatement *sd_take_statement(QueryDesc *query);
extern SdStatement *sd_statement_of(QueryDesc *query);
extern int	sd_execute(SPIPlanPtr plan, Datum *values, SdStatement *statement,
					   Oid role, bool triggers_now, SdView view, long limit);
extern SPIPlanPtr sd_prepare(const char *text, int nargs, Oid *types, Oid role,
							 int options);
extern Portal sd_open_cursor(const char *text, int nargs, Oid *types,
							 Datum *values, SdStatement *statement, Oid role);
extern int	sd_fetch(Portal portal, Oid role, long count);
extern void sd_close_cursor(Portal portal);

#endif							/* SOFTDELETE_STATEMENT_H */
