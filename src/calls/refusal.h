/*
 * refusal.h
 *		What the strict calls say when they do not do it.
 */
#ifndef SOFTDELETE_REFUSAL_H
#define SOFTDELETE_REFUSAL_H

#include "postgres.h"

#include "calls/rowbykey.h"

extern void sd_raise_already(SdByKey *key, bool deleted, int64 id);
extern void sd_raise_refused(SdByKey *key, const char *what);
extern void sd_clash_hint(void *arg);

#endif							/* SOFTDELETE_REFUSAL_H */
