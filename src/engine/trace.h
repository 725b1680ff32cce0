/*
 * trace.h
 *		Telling at DEBUG1 what an operation did.
 */
#ifndef SOFTDELETE_TRACE_H
#define SOFTDELETE_TRACE_H

#include "postgres.h"

#include "engine/keyset.h"
#include "engine/operation.h"

extern void sd_trace_op(SdOp *op);
extern void sd_trace_keys(const char *what, SdKeySet *set);

#endif							/* SOFTDELETE_TRACE_H */
