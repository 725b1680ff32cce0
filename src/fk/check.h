/*
 * check.h
 *		The checks at the end of an operation.
 */
#ifndef SOFTDELETE_CHECK_H
#define SOFTDELETE_CHECK_H

#include "postgres.h"

#include "engine/keyset.h"

extern void sd_check_children(SdKeySet *set);
extern void sd_check_parent(SdKeySet *set);

#endif							/* SOFTDELETE_CHECK_H */
