/*
 * tools.c
 *		Citus copies tables and shards, whole.
 *
 * Its functions read them by queries, and drop them, or their triggers, afterwards.
 * A query on no table but those of the catalogs that calls a function of the
 * extension citus is one of these tools: as long as it runs, whatever it runs sees
 * every row, and our triggers may be dropped.  Owns the hook for what is to be done
 * afterwards; sd_tool_depth is the settings'.
 */
#include "postgres.h"

#include "access/transam.h"
#include "base/guc.h"
#include "base/plans.h"
#include "catalog/dependency.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "mark/tools.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"

void		(*sd_tool_done_hook) (void) = NULL;

/*
 * Not those that run a user's query, or a part of it: for a join that is repartitioned, for
 * EXPLAIN ANALYZE.
 */
static bool
is_of_citus(Oid function)
{
	const char *name;

	if (function < FirstNormalObjectId ||
		getExtensionOfObject(ProcedureRelationId, function) != get_extension_oid("citus", true))
		return false;
	name = get_func_name(function);
	return strcmp(name, "worker_partition_query_result") != 0 &&
		strcmp(name, "worker_save_query_explain_analyze") != 0;
}

static bool
calls_citus_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && is_of_citus(((FuncExpr *) node)->funcid))
		return true;
	return expression_tree_walker(node, calls_citus_walker, context);
}

/* Does a node of the plan call a function of citus? */
static bool
plan_calls_citus(Plan *plan)
{
	if (plan == NULL)
		return false;
	if (calls_citus_walker((Node *) plan->targetlist, NULL))
		return true;
	if (IsA(plan, FunctionScan))
	{
		ListCell   *lc;

		foreach(lc, ((FunctionScan *) plan)->functions)
			if (calls_citus_walker(((RangeTblFunction *) lfirst(lc))->funcexpr, NULL))
				return true;
	}
	if (IsA(plan, SubqueryScan))
		return plan_calls_citus(((SubqueryScan *) plan)->subplan);
	return plan_calls_citus(plan->lefttree) || plan_calls_citus(plan->righttree);
}

bool
sd_is_tool(QueryDesc *query)
{
	ListCell   *lc;

	if (query->operation != CMD_SELECT)
		return false;
	/* relationOids would name the tables that such a function is called for */
	foreach(lc, query->plannedstmt->rtable)
	{
		RangeTblEntry *rte = lfirst(lc);

		if (rte->rtekind == RTE_RELATION && get_rel_namespace(rte->relid) != PG_CATALOG_NAMESPACE)
			return false;
	}
	return plan_calls_citus(query->plannedstmt->planTree);
}

void
sd_tool_begin(void)
{
	if (sd_tool_depth++ == 0)
		sd_plans_forget();
}

void
sd_tool_end(void)
{
	if (--sd_tool_depth == 0)
		sd_plans_forget();
}

void
sd_tool_done(void)
{
	if (sd_tool_depth == 0 && sd_tool_done_hook != NULL)
		sd_tool_done_hook();
}
