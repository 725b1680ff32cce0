/*
 * sending.h
 *		Orders to shards are drawn, and what came of them is counted.
 */
#ifndef SOFTDELETE_SENDING_H
#define SOFTDELETE_SENDING_H

#include "postgres.h"

#include "engine/statement.h"
#include "executor/execdesc.h"
#include "nodes/execnodes.h"

/* a statement that is starting, which is when its orders are drawn */
typedef struct SdStart
{
	struct SdStart *outer;
	SdStatement *statement;		/* the engine's own, or NULL */
	MemoryContext context;
	int64		id;				/* of the deletion; 0: none drawn yet */
	bool		drew;			/* it begins with this statement */
	List	   *sent;
} SdStart;

extern void sd_start_begin(SdStart *start, SdStatement *statement);
extern void sd_start_end(SdStart *start);
extern void sd_sent_orders(SdStart *start, QueryDesc *query);
extern bool sd_has_sent(EState *estate);
extern void sd_count_sent(QueryDesc *query);
extern const char *sd_last_order(void);

#endif							/* SOFTDELETE_SENDING_H */
