/*
 * cascade.h
 *		Following the foreign keys of rows that were marked or restored.
 */
#ifndef SOFTDELETE_CASCADE_H
#define SOFTDELETE_CASCADE_H

#include "postgres.h"

#include "engine/operation.h"

extern void sd_follow(SdOp *op, EState *estate);

#endif							/* SOFTDELETE_CASCADE_H */
