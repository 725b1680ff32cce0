/*
 * context.h
 *		The CONTEXT of errors, without what is the extension's own.
 */
#ifndef SOFTDELETE_CONTEXT_H
#define SOFTDELETE_CONTEXT_H

extern void sd_context_init(void);

#endif							/* SOFTDELETE_CONTEXT_H */
