/*
 * bringback.h
 *		Replaced rows become deleted rows of their table again.
 */
#ifndef SOFTDELETE_BRINGBACK_H
#define SOFTDELETE_BRINGBACK_H

#include "postgres.h"

#include "calls/rowbykey.h"
#include "utils/jsonb.h"

extern void sd_bring_back_deletion(int64 id, bool skip);
extern bool sd_bring_back_key(SdByKey *key);
extern Jsonb *sd_key_as_json(SdByKey *key);
extern void sd_tell_replaced(int64 id);

#endif							/* SOFTDELETE_BRINGBACK_H */
