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

#include "compat.h"
#include "plan/rewrite.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "tables/condition.h"
#include "base/guc.h"
#include "tables/foreignkeys.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parsetree.h"
#include "plan/planner.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "plan/returning.h"
#include "rewrite/rewriteHandler.h"
#include "mark/triggers.h"
#include "plan/upsert.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

/* a value on its way into the column, as an UPDATE assigns it */
static Expr *
coerced(Relation rel, AttrNumber attnum, Expr *value)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	Node	   *expr;

	expr = coerce_to_target_type(NULL, (Node *) value, exprType((Node *) value),
								 att->atttypid, att->atttypmod,
								 COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
	if (expr == NULL)
		elog(ERROR, "cannot assign to column \"%s\"", NameStr(att->attname));
	return (Expr *) expr;
}

static Expr *
null_value(Relation rel, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	Oid			type = getBaseType(att->atttypid);

	return coerced(rel, attnum,
				   (Expr *) makeNullConst(type, -1, get_typcollation(type)));
}

static Expr *
now_value(Relation rel, AttrNumber attnum)
{
	return coerced(rel, attnum,
				   (Expr *) makeFuncExpr(F_NOW, TIMESTAMPTZOID, NIL,
										 InvalidOid, InvalidOid,
										 COERCE_EXPLICIT_CALL));
}

static Expr *
column(Relation rel, Index varno, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

	return (Expr *) makeVar(varno, attnum, att->atttypid, att->atttypmod,
							att->attcollation, 0);
}

/* the value that says "deleted", or, for a flag, "live" */
static Expr *
mark_value(Relation rel, SdTable *table, bool deleted)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), table->marker - 1);
	Oid			type = getBaseType(att->atttypid);
	Oid			input;
	Oid			ioparam;
	int16		len;
	bool		byval;

	if (table->kind == SD_TIMESTAMP)
		return deleted ? now_value(rel, table->marker) : null_value(rel, table->marker);
	if (table->kind == SD_BOOLEAN)
	{
		bool		value = (strcmp(table->deleted_value, "true") == 0) == deleted;

		return coerced(rel, table->marker, (Expr *) makeBoolConst(value, false));
	}
	Assert(deleted);
	getTypeInputInfo(type, &input, &ioparam);
	get_typlenbyval(type, &len, &byval);
	return coerced(rel, table->marker,
				   (Expr *) makeConst(type, -1, get_typcollation(type), len,
									  OidInputFunctionCall(input, table->deleted_value,
														   ioparam, -1),
									  false, byval));
}

/* stamp(engine), or stamp(engine, ctid, tableoid) where others may refer to it */
static Expr *
stamp_value(Relation rel, Index varno, SdTable *table)
{
	List	   *args = list_make1(sd_engine_arg());
	Oid			function = sd_objects()->stamp;

	if (sd_has_children(table))
	{
		Expr	   *tableoid;

		if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ||
			has_subclass(RelationGetRelid(rel)))
			tableoid = (Expr *) makeVar(varno, TableOidAttributeNumber,
										OIDOID, -1, InvalidOid, 0);
		else
			tableoid = (Expr *) makeConst(OIDOID, -1, InvalidOid, sizeof(Oid),
										  ObjectIdGetDatum(RelationGetRelid(rel)),
										  false, true);
		args = lappend(args, makeVar(varno, SelfItemPointerAttributeNumber,
									 TIDOID, -1, InvalidOid, 0));
		args = lappend(args, tableoid);
		function = sd_objects()->stamp_locked;
	}
	return coerced(rel, table->id,
				   (Expr *) makeFuncExpr(function, INT8OID, args, InvalidOid,
										 InvalidOid, COERCE_EXPLICIT_CALL));
}

/*
 * The former status; where none is known (the row was inserted with the mark)
 * and the column cannot be NULL, its default.
 */
static Expr *
former_value(Relation rel, Index varno, SdTable *table)
{
	Expr	   *former = column(rel, varno, table->former);
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), table->marker - 1);
	Node	   *fallback = att->attnotnull ? build_column_default(rel, table->marker) : NULL;
	CoalesceExpr *coalesce;

	if (fallback == NULL)
		return former;
	coalesce = makeNode(CoalesceExpr);
	coalesce->coalescetype = exprType((Node *) former);
	coalesce->coalescecollid = exprCollation((Node *) former);
	coalesce->args = list_make2(former, fallback);
	coalesce->location = -1;
	return (Expr *) coalesce;
}

static int
by_attnum(const ListCell *a, const ListCell *b)
{
	return ((TargetEntry *) lfirst(a))->resno - ((TargetEntry *) lfirst(b))->resno;
}

static List *
add_target(List *targets, Relation rel, AttrNumber attnum, Expr *value)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

	return lappend(targets, makeTargetEntry(value, attnum,
											pstrdup(NameStr(att->attname)), false));
}

/*
 * The SET list of a delete or restore, in the order of the columns, which is
 * what the planner expects.  mark_only: leave the stamp to the trigger.
 */
static List *
set_list(Relation rel, Index varno, SdTable *table, bool deleted, bool mark_only)
{
	List	   *targets = NIL;

	if (!deleted && table->kind == SD_STATUS)
		targets = add_target(targets, rel, table->marker,
							 former_value(rel, varno, table));
	else
		targets = add_target(targets, rel, table->marker,
							 mark_value(rel, table, deleted));
	if (!mark_only)
	{
		targets = add_target(targets, rel, table->id,
							 deleted ? stamp_value(rel, varno, table) :
							 null_value(rel, table->id));
		if (table->time != table->marker)
			targets = add_target(targets, rel, table->time,
								 deleted ? now_value(rel, table->time) :
								 null_value(rel, table->time));
		if (table->former != InvalidAttrNumber)
			targets = add_target(targets, rel, table->former,
								 deleted ? column(rel, varno, table->marker) :
								 null_value(rel, table->former));
		list_sort(targets, by_attnum);
	}
	return targets;
}

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

	query->targetList = set_list(rel, varno, table, deleted, false);
	query->commandType = CMD_UPDATE;
	if (deleted && query->returningList != NIL)
		sd_returning_before(query, table,
							table->former != InvalidAttrNumber ?
							column(rel, varno, table->former) :
							mark_value(rel, table, false));
	note_updated(query, rte, query->targetList);

	/* deleting twice is no new delete, whatever is visible */
	if (deleted && sd_planning.visibility != SD_VISIBLE_LIVE)
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
		if (sd_planning.visibility != SD_VISIBLE_LIVE)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("MERGE cannot delete from managed table \"%s\" while deleted rows are visible",
							RelationGetRelationName(rel)),
					 errhint("SET softdelete.visibility = live.")));
		action->commandType = CMD_UPDATE;
		action->targetList = set_list(rel, query->resultRelation, table, true, true);
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
	if (table != NULL)
	{
		sd_planning.touched = true;
		switch (query->commandType)
		{
			case CMD_DELETE:
				if (task != SD_TASK_PURGE && task != SD_TASK_ERASE &&
					(!sd_hard_delete || task != SD_TASK_NONE))
				{
					check_deletable(rel, rte, table);
					convert_delete(query, rte, rel, table, task);
				}
				break;
			case CMD_MERGE:
				if (!sd_hard_delete)
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
				if (sd_planning.visibility == SD_VISIBLE_LIVE)
					sd_convert_upsert(query, rel, table);
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
