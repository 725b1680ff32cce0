/*
 * guard.h
 *		What a purge may erase.
 */
#ifndef SOFTDELETE_GUARD_H
#define SOFTDELETE_GUARD_H

#include "postgres.h"

#include "utils/timestamp.h"

extern bool sd_is_over(Datum time, Oid type, Interval *retention, TimestampTz now);

#endif							/* SOFTDELETE_GUARD_H */
