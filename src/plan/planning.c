/*
 * planning.c
 *		The query that is being planned.
 *
 * State only: the planner hook (planner.c) sets it and sets it back around
 * nested planning, the others read it.
 */
#include "postgres.h"

#include "plan/planning.h"

SdPlanning	sd_planning = {false};

/* > 0 while ALTER TABLE looks at whole tables: nothing is hidden from it */
int			sd_bypass_depth = 0;
