/*
 * query.h
 *		The engine's own SQL: running it, and the kept plans for foreign keys.
 */
#ifndef SOFTDELETE_QUERY_H
#define SOFTDELETE_QUERY_H

#include "postgres.h"

#include "executor/spi.h"
#include "operation.h"

/* what a kept plan does along a foreign key */
typedef enum SdQueryKind
{
	SD_QUERY_MARK,				/* mark the children of these parents */
	SD_QUERY_RESTORE,			/* restore them, of one deletion */
	SD_QUERY_CHILD,				/* live children of these keys */
	SD_QUERY_COUNT,				/* how many there are */
	SD_QUERY_DEAD,				/* deleted parents among these keys */
	SD_QUERY_PARENT				/* the same, and lock the live ones */
} SdQueryKind;

/* the rows that one of the engine's statements works on */
typedef enum SdView
{
	SD_VIEW_STATEMENT,			/* those that any statement would see */
	SD_VIEW_LATEST,				/* also what was committed after a REPEATABLE
								 * READ transaction's snapshot, and raise a
								 * serialization failure on touching it, as RI */
	SD_VIEW_BEFORE				/* as they were before this transaction wrote */
} SdView;

extern SdStatement *sd_pending_statement;

extern SdStatement *sd_take_statement(QueryDesc *query);
extern SdStatement *sd_statement_of(QueryDesc *query);
extern int	sd_execute(SPIPlanPtr plan, Datum *values, SdStatement *statement,
					   Oid role, bool triggers_now, SdView view, long limit);
extern SPIPlanPtr sd_prepare(const char *text, int nargs, Oid *types, Oid role,
							 int options);
extern int	sd_execute_key(SdQueryKind kind, SdKeySet *set,
						   SdStatement *statement, Oid role, SdView view,
						   long limit);
extern void sd_query_init(void);

#endif							/* SOFTDELETE_QUERY_H */
