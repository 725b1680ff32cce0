/*
 * try.h
 *		A restore that may meet a conflict, and then leaves nothing behind.
 */
#ifndef SOFTDELETE_TRY_H
#define SOFTDELETE_TRY_H

#include "postgres.h"

extern int	sd_try_restore(void (*restore) (void *), void *arg, char **why);

#endif							/* SOFTDELETE_TRY_H */
