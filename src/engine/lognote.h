/*
 * lognote.h
 *		What became of the rows of earlier deletions, in the log.
 */
#ifndef SOFTDELETE_LOGNOTE_H
#define SOFTDELETE_LOGNOTE_H

#include "postgres.h"

#include "utils/hsearch.h"

extern Datum sd_log_role(Oid role);
extern Datum sd_log_text(const char *value, bool *isnull);
extern void sd_log_note(HTAB *counts, Oid role, bool purged);

#endif							/* SOFTDELETE_LOGNOTE_H */
