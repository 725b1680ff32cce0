/*
 * log.h
 *		The log of deletions.
 */
#ifndef SOFTDELETE_LOG_H
#define SOFTDELETE_LOG_H

#include "postgres.h"

#include "engine/operation.h"

extern void sd_log_write(SdOp *op);
extern void sd_log_note(HTAB *counts, Oid role, bool purged);
extern int	sd_own_sql(const char *text, int nargs, Oid *types, Datum *values);

#endif							/* SOFTDELETE_LOG_H */
