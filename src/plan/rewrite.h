/*
 * rewrite.h
 *		DELETE becomes an UPDATE that marks.
 */
#ifndef SOFTDELETE_REWRITE_H
#define SOFTDELETE_REWRITE_H

#include "postgres.h"

#include "engine/statement.h"
#include "nodes/parsenodes.h"

extern void sd_rewrite(Query *query, SdTask task);

#endif							/* SOFTDELETE_REWRITE_H */
