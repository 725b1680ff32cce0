/*
 * executor.h
 *		Hooks into the executor: frames, and what is done at a statement's end.
 */
#ifndef SOFTDELETE_EXECUTOR_H
#define SOFTDELETE_EXECUTOR_H

#include "postgres.h"

#include "nodes/execnodes.h"

extern void sd_executor_init(void);

#endif							/* SOFTDELETE_EXECUTOR_H */
