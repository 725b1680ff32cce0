/*
 * replaced.h
 *		Erasing replaced rows for good.
 */
#ifndef SOFTDELETE_REPLACED_H
#define SOFTDELETE_REPLACED_H

#include "postgres.h"

#include "calls/rowbykey.h"
#include "datatype/timestamp.h"

extern int64 sd_purge_replaced(Oid root, Interval *retention, TimestampTz now);
extern int64 sd_purge_replaced_key(SdByKey *key);

#endif							/* SOFTDELETE_REPLACED_H */
