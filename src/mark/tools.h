/*
 * tools.h
 *		Citus copies tables and shards, whole.
 */
#ifndef SOFTDELETE_TOOLS_H
#define SOFTDELETE_TOOLS_H

#include "postgres.h"

#include "executor/execdesc.h"

extern bool sd_is_tool(QueryDesc *query);
extern void sd_tool_begin(void);
extern void sd_tool_end(void);
extern void sd_tool_done(void);

/* called when one is done, and nothing that it did has failed */
extern void (*sd_tool_done_hook) (void);

#endif							/* SOFTDELETE_TOOLS_H */
