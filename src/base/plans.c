/*
 * plans.c
 *		Throwing away cached plans that a setting made stale.
 *
 * A plan that touched a managed table depends on softdelete.visibility,
 * softdelete.hard_delete and row_security.  It is tagged with an invalidation
 * item that no catalog row will ever produce on purpose: a type whose hash
 * value is the constant below.  When a setting changes, the syscache callbacks
 * are called for just that value, and plancache.c marks the tagged plans (and
 * nothing else) invalid, as it does when a catalog changes.
 *
 * Owns no state but the row_security hook's predecessor.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/plans.h"
#include "compat.h"
#include "nodes/pathnodes.h"
#include "utils/guc_tables.h"
#include "utils/inval.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#define SD_PLAN_HASH 0x50f7de1eU

static GucBoolAssignHook prev_row_security_assign = NULL;

/* Let the plan be found by sd_plans_forget().  Call once for each plan. */
void
sd_plans_tag(PlannedStmt *stmt)
{
	PlanInvalItem *item = makeNode(PlanInvalItem);

	item->cacheId = TYPEOID;
	item->hashValue = SD_PLAN_HASH;
	stmt->invalItems = lappend(stmt->invalItems, item);
}

/* Mark every tagged plan of this session invalid. */
void
sd_plans_forget(void)
{
	CallSyscacheCallbacks(TYPEOID, SD_PLAN_HASH);
}

static void
assign_row_security(bool newval, void *extra)
{
	if (prev_row_security_assign)
		prev_row_security_assign(newval, extra);
	if (newval != row_security)
		sd_plans_forget();
}

/*
 * row_security is a core setting without an assign hook; give it one, and
 * chain to whatever may stand there.
 */
void
sd_plans_init(void)
{
	int			nvars;
	struct config_generic **vars = sd_guc_variables(&nvars);

	for (int i = 0; i < nvars; i++)
	{
		if (strcmp(vars[i]->name, "row_security") == 0 &&
			vars[i]->vartype == PGC_BOOL)
		{
			struct config_bool *conf = (struct config_bool *) vars[i];

			prev_row_security_assign = conf->assign_hook;
			conf->assign_hook = assign_row_security;
			break;
		}
	}
}
