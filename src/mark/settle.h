/*
 * settle.h
 *		The end of an operation.
 */
#ifndef SOFTDELETE_SETTLE_H
#define SOFTDELETE_SETTLE_H

#include "postgres.h"

#include "engine/operation.h"

extern void sd_cascade(SdOp *op, EState *estate);

#endif							/* SOFTDELETE_SETTLE_H */
