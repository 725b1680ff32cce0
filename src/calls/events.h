/*
 * events.h
 *		What the log keeps of rows that a call names by their keys.
 */
#ifndef SOFTDELETE_EVENTS_H
#define SOFTDELETE_EVENTS_H

#include "postgres.h"

#include "calls/rowbykey.h"

extern void sd_name_event(SdByKey *key, int64 id, const char *what);

#endif							/* SOFTDELETE_EVENTS_H */
