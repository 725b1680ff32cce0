/*
 * planner.c
 *		The planner hook: what a query may see, and what its DELETE means.
 *
 * Decides for the query as a whole: is it a user's, one of the engine's own or
 * one of RI's?  rewrite.c then changes its DELETE, visibility.c its scans.
 * Owns sd_planning, which is saved and restored around nested planning.
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/plans.h"
#include "engine/statement.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/planner.h"
#include "plan/orders.h"
#include "plan/planner.h"
#include "plan/planning.h"
#include "plan/policies.h"
#include "plan/recognise.h"
#include "plan/rewrite.h"
#include "plan/trash.h"
#include "plan/visibility.h"
#include "tables/cluster.h"
#include "utils/rls.h"

static planner_hook_type prev_planner = NULL;

/*
 * Look at the query, once for each, and say how to plan it.  Sets *task for
 * the engine's own.
 */
static void
classify(Query *query, const char *query_string, SdPlanning *planning,
		 SdTask *task, bool *ri)
{
	planning->active = true;
	planning->visibility = sd_visible();
	planning->own = false;
	planning->check_parent = false;
	planning->check_atts = NIL;
	planning->by_key = false;
	planning->by_index = false;
	planning->touched = false;
	planning->expanded = false;
	*task = SD_TASK_NONE;
	*ri = false;

	if (sd_is_own_statement(query))
	{
		*task = sd_pending_statement->task;
		planning->own = true;
		planning->by_index = sd_pending_statement->by_index;
		switch (*task)
		{
			case SD_TASK_DELETE:
				planning->visibility = SD_VISIBLE_LIVE;
				break;
			case SD_TASK_RESTORE:
				planning->by_key = sd_pending_statement->via != NULL;
				planning->visibility = SD_VISIBLE_DELETED;
				break;
			case SD_TASK_ERASE:
				planning->visibility = SD_VISIBLE_DELETED;
				break;
			default:
				planning->visibility = SD_VISIBLE_ALL;
				break;
		}
	}
	else if (InNoForceRLSOperation() &&
			 sd_is_ri_query(query, query_string, &planning->check_atts))
	{
		*ri = true;
		planning->visibility = SD_VISIBLE_ALL;
		planning->check_parent = planning->check_atts != NIL;
	}
	else if (sd_is_ri_validation(query, query_string))
		planning->visibility = SD_VISIBLE_ALL;
}

static PlannedStmt *
plan(Query *parse, const char *query_string, int cursorOptions, ParamListInfo boundParams)
{
	if (prev_planner)
		return prev_planner(parse, query_string, cursorOptions, boundParams);
	return standard_planner(parse, query_string, cursorOptions, boundParams);
}

/*
 * Plan a query whose keys come in an array, of which a plan that is kept knows
 * nothing: it has to scan an index, however small the table is now and whatever
 * the session's settings say.  Anything else would compare each row with each key.
 */
static PlannedStmt *
plan_by_index(Query *parse, const char *query_string, int cursorOptions,
			  ParamListInfo boundParams)
{
	bool		seqscan = enable_seqscan;
	bool		bitmapscan = enable_bitmapscan;
	bool		indexscan = enable_indexscan;
	PlannedStmt *result;

	PG_TRY();
	{
		enable_seqscan = false;
		enable_bitmapscan = false;
		enable_indexscan = true;
		result = plan(parse, query_string, cursorOptions, boundParams);
	}
	PG_FINALLY();
	{
		enable_seqscan = seqscan;
		enable_bitmapscan = bitmapscan;
		enable_indexscan = indexscan;
	}
	PG_END_TRY();
	return result;
}

static PlannedStmt *
softdelete_planner(Query *parse, const char *query_string, int cursorOptions,
				   ParamListInfo boundParams)
{
	SdPlanning	save = sd_planning;
	CmdType		command = parse->commandType;
	PlannedStmt *result;
	bool		touched;
	bool		expanded;

	PG_TRY();
	{
		SdOrder    *order = sd_in_cluster() ? sd_take_orders(parse) : NULL;
		SdTask		task;
		bool		ri;

		classify(parse, query_string, &sd_planning, &task, &ri);
		if (order != NULL)
			sd_planning.visibility = order->visibility;
		if (!ri && task == SD_TASK_NONE)
			sd_planning.expanded = sd_expand_trash(parse, boundParams);
		if (sd_planning.visibility != SD_VISIBLE_LIVE && row_security && !ri)
			sd_mark_policies(parse);
		if (!ri && (command != CMD_SELECT || parse->hasModifyingCTE))
			sd_rewrite(parse, task);
		if (!ri && sd_in_cluster())
			sd_give_orders(parse);

		if (sd_planning.by_index)
			result = plan_by_index(parse, query_string, cursorOptions, boundParams);
		else
			result = plan(parse, query_string, cursorOptions, boundParams);
		touched = sd_planning.touched;
		expanded = sd_planning.expanded;
	}
	PG_FINALLY();
	{
		sd_planning = save;
	}
	PG_END_TRY();

	if (touched)
		sd_plans_tag(result);
	if (expanded)
		result->dependsOnRole = true;

	/* the client is told what it asked for: tag, row count, SPI result */
	if (command == CMD_DELETE && result->commandType == CMD_UPDATE)
		result->commandType = CMD_DELETE;
	return result;
}

void
sd_planner_init(void)
{
	prev_planner = planner_hook;
	planner_hook = softdelete_planner;
}
