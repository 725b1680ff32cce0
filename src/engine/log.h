/*
 * log.h
 *		The log of deletions.
 */
#ifndef SOFTDELETE_LOG_H
#define SOFTDELETE_LOG_H

#include "postgres.h"

#include "engine/operation.h"

extern void sd_log_write(SdOp *op);

#endif							/* SOFTDELETE_LOG_H */
