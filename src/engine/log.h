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
extern void sd_log_note_locked(HTAB *counts, Oid role);

#endif							/* SOFTDELETE_LOG_H */
