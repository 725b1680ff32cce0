/*
 * rewrite.c
 *		DELETE becomes an UPDATE that marks.
 *
 * Query in, Query out: no SQL is run and nothing is kept.  Row security has
 * been applied by now and privileges stay those of DELETE, so nobody needs
 * more or gets less than before.  The one place where a DELETE is turned into
 * a mark; the guard trigger is for sessions in which this did not run.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "base/guc.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "compat.h"
#include "engine/statement.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "plan/assignments.h"
#include "plan/orders.h"
#include "plan/planning.h"
#include "plan/returning.h"
#include "plan/rewrite.h"
#include "plan/upsert.h"
#include "tables/condition.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

static void
note_updated(Query *query, RangeTblEntry *rte, List *targets)
{
	SdPerms    *perms = sd_query_perms(query, rte);
	ListCell   *lc;

	foreach(lc, targets)
		perms->updatedCols = bms_add_member(perms->updatedCols,
											lfirst_node(TargetEntry, lc)->resno -
											FirstLowInvalidHeapAttributeNumber);
}

static void
and_condition(Node **quals, Node *condition)
{
	*quals = *quals ? (Node *) make_andclause(list_make2(*quals, condition)) : condition;
}

static void
convert_delete(Query *query, RangeTblEntry *rte, Relation rel, SdTable *table,
			   SdTask task)
{
	bool		deleted = task != SD_TASK_RESTORE;
	Index		varno = query->resultRelation;

	query->targetList = sd_set_list(rel, varno, table, deleted, false);
	query->commandType = CMD_UPDATE;
	if (deleted && query->returningList != NIL && table->moves)
		sd_returning_before(query, table,
							sd_live_value(rel, varno, table));
	note_updated(query, rte, query->targetList);

	/* deleting twice is no new delete, whatever is visible */
	if (deleted && sd_visible_of(table) != SD_VISIBLE_LIVE)
		and_condition(&query->jointree->quals, sd_condition(table, varno, true));
}

/*
 * MERGE: only the mark is set here, the trigger stamps.  Under row security
 * the action would be held to the policies for UPDATE, so that is refused.
 */
static void
convert_merge(Query *query, RangeTblEntry *rte, Relation rel, SdTable *table)
{
	ListCell   *lc;

	foreach(lc, query->mergeActionList)
	{
		MergeAction *action = lfirst_node(MergeAction, lc);

		if (action->commandType != CMD_DELETE)
			continue;
		if (query->hasRowSecurity &&
			check_enable_rls(rte->relid, sd_query_perms(query, rte)->checkAsUser,
							 true) == RLS_ENABLED)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("MERGE cannot delete from managed table \"%s\" under row-level security",
							RelationGetRelationName(rel)),
					 errhint("Use a DELETE statement.")));
		if (sd_visible_of(table) != SD_VISIBLE_LIVE)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("MERGE cannot delete from managed table \"%s\" while deleted rows are visible",
							RelationGetRelationName(rel)),
					 table->hide ?
					 errhint("SET softdelete.visibility = live.") :
					 errhint("Use a DELETE statement.")));
		action->commandType = CMD_UPDATE;
		action->override = SD_MERGE_DELETE;
		action->targetList = sd_set_list(rel, query->resultRelation, table, true, true);
		note_updated(query, rte, action->targetList);
	}
}

/*
 * Without the trigger nothing would cascade, and in a child table that inherits
 * from a managed one nothing would be hidden.
 */
static void
check_deletable(Relation rel, RangeTblEntry *rte, SdTable *table)
{
	ListCell   *lc;

	sd_check_enabled(table);
	if (!rte->inh || rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ||
		!has_subclass(RelationGetRelid(rel)))
		return;
	foreach(lc, find_inheritance_children(RelationGetRelid(rel), AccessShareLock))
		if (sd_table_by_oid(lfirst_oid(lc)) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot delete from managed table \"%s\" and the tables that inherit from it",
							RelationGetRelationName(rel)),
					 errdetail("Table \"%s\" is not managed.", get_rel_name(lfirst_oid(lc))),
					 errhint("Use DELETE FROM ONLY.")));
}

/* An UPDATE that names the mark needs the trigger, too. */
static void
check_update(SdTable *table, List *assignments)
{
	ListCell   *lc;

	/* replayed changes cascade where they come from */
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		return;
	foreach(lc, assignments)
		if (!lfirst_node(TargetEntry, lc)->resjunk &&
			lfirst_node(TargetEntry, lc)->resno == table->marker)
			sd_check_enabled(table);
}

/*
 * What the shards are left to do by themselves (orders.c) is left as it is: Citus
 * sends them the DELETE.
 */
static void
rewrite_distributed(Query *query, Relation rel, SdTable *table)
{
	ListCell   *lc;

	sd_planning.touched = true;
	switch (query->commandType)
	{
		case CMD_DELETE:
			sd_check_enabled(table);
			break;
		case CMD_UPDATE:
			check_update(table, query->targetList);
			break;
		case CMD_INSERT:
			sd_convert_upsert(query, rel, table, false);
			break;
		case CMD_MERGE:
			foreach(lc, query->mergeActionList)
				if (lfirst_node(MergeAction, lc)->commandType == CMD_DELETE)
					ereport(ERROR,
							(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							 errmsg("MERGE cannot delete from distributed table \"%s\"",
									RelationGetRelationName(rel)),
							 errdetail("Its shards could not be told which deletion the rows belong to."),
							 errhint("Use a DELETE statement, with USING where it takes a join.")));
			break;
		default:
			break;
	}
}

/* one query level: the statement itself, or a data-modifying WITH query */
static void
rewrite_level(Query *query, SdTask task)
{
	RangeTblEntry *rte;
	Relation	rel;
	SdTable    *table;

	if (query->commandType == CMD_SELECT || query->commandType == CMD_UTILITY ||
		query->resultRelation == 0)
		return;
	if (query->commandType == CMD_INSERT && query->onConflict == NULL)
		return;
	rte = rt_fetch(query->resultRelation, query->rtable);
	if (rte->rtekind != RTE_RELATION || rte->relkind == RELKIND_FOREIGN_TABLE ||
		rte->relkind == RELKIND_VIEW)
		return;

	rel = table_open(rte->relid, NoLock);
	table = sd_table(rel);
	if (table != NULL && table->distributed)
		rewrite_distributed(query, rel, table);
	else if (table != NULL)
	{
		SdOrder    *order = sd_order_of(rte);
		bool		hard_delete = order ? order->hard_delete : sd_hard_delete;

		if (order != NULL)
			task = order->task;
		sd_planning.touched = true;
		switch (query->commandType)
		{
			case CMD_DELETE:
				if (task != SD_TASK_PURGE && task != SD_TASK_ERASE &&
					(!hard_delete || task != SD_TASK_NONE))
				{
					check_deletable(rel, rte, table);
					convert_delete(query, rte, rel, table, task);
				}
				break;
			case CMD_MERGE:
				if (!hard_delete)
				{
					check_deletable(rel, rte, table);
					convert_merge(query, rte, rel, table);
				}
				break;
			case CMD_UPDATE:
				check_update(table, query->targetList);
				break;
			case CMD_INSERT:
				check_update(table, query->onConflict->onConflictSet);
				sd_convert_upsert(query, rel, table,
								  sd_visible_of(table) == SD_VISIBLE_LIVE);
				break;
			default:
				break;
		}
	}
	table_close(rel, NoLock);
}

/* Rewrite the query in place.  task says which of the engine's own it is. */
void
sd_rewrite(Query *query, SdTask task)
{
	ListCell   *lc;

	rewrite_level(query, task);
	foreach(lc, query->cteList)
	{
		CommonTableExpr *cte = lfirst_node(CommonTableExpr, lc);

		if (IsA(cte->ctequery, Query))
			rewrite_level((Query *) cte->ctequery, SD_TASK_NONE);
	}
}
