/*
 * attempt.h
 *		Work that may fail and leave nothing behind.
 */
#ifndef SOFTDELETE_ATTEMPT_H
#define SOFTDELETE_ATTEMPT_H

#include "postgres.h"

extern ErrorData *sd_catch(void (*work) (void *), void *argument);
extern bool sd_is_cancel(ErrorData *error);
extern bool sd_attempt(void (*work) (void *), void *argument, const char **why);

#endif							/* SOFTDELETE_ATTEMPT_H */
