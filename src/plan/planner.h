/*
 * planner.h
 *		The planner hook: what a query may see, and what its DELETE means.
 */
#ifndef SOFTDELETE_PLANNER_H
#define SOFTDELETE_PLANNER_H

#include "postgres.h"

extern void sd_planner_init(void);

#endif							/* SOFTDELETE_PLANNER_H */
