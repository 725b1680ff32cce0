/*
 * losses.h
 *		What a restore misses, since it was purged.
 */
#ifndef SOFTDELETE_LOSSES_H
#define SOFTDELETE_LOSSES_H

#include "postgres.h"

#include "utils/hsearch.h"

extern void sd_tell_losses(HTAB *restored);

#endif							/* SOFTDELETE_LOSSES_H */
