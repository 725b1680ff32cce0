/*
 * executor.h
 *		Hooks into the executor: frames, triggers left out, the flush.
 */
#ifndef SOFTDELETE_EXECUTOR_H
#define SOFTDELETE_EXECUTOR_H

#include "nodes/execnodes.h"

extern bool sd_mark_trigger_is_off(ResultRelInfo *rel);
extern void sd_executor_init(void);

#endif							/* SOFTDELETE_EXECUTOR_H */
