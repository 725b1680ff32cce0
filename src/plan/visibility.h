/*
 * visibility.h
 *		Scans of managed tables see live rows only.
 */
#ifndef SOFTDELETE_VISIBILITY_H
#define SOFTDELETE_VISIBILITY_H

#include "postgres.h"

#include "base/guc.h"

extern void sd_visibility_init(void);

#endif							/* SOFTDELETE_VISIBILITY_H */
