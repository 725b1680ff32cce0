/*
 * plans.h
 *		Throwing away cached plans that a setting made stale.
 */
#ifndef SOFTDELETE_PLANS_H
#define SOFTDELETE_PLANS_H

#include "postgres.h"

#include "nodes/plannodes.h"

extern void sd_plans_init(void);
extern void sd_plans_tag(PlannedStmt *stmt);
extern void sd_plans_forget(void);

#endif							/* SOFTDELETE_PLANS_H */
