/*
 * executor.h
 *		Hooks into the executor: frames, triggers left out, the flush.
 */
#ifndef SOFTDELETE_EXECUTOR_H
#define SOFTDELETE_EXECUTOR_H

extern void sd_executor_init(void);

#endif							/* SOFTDELETE_EXECUTOR_H */
