/*
 * parentscan.c
 *		The scan of PostgreSQL's check of a child, at less cost.
 *
 * Its condition on the parent, "live OR deleted_parent_ok(...)" (visibility.c), costs
 * more to make ready than to evaluate, and the check is started anew for every child.
 * So where the check is the usual one, a row by its key's index, the executor starts
 * without the condition, and gets one that is made ready: a C function that says the
 * same of the row.
 *
 * The plan keeps the condition, and the executor has the plan back before it reads
 * a row: what EvalPlanQual starts, where somebody else has changed the row meanwhile,
 * has the condition as it was planned.  Owns no state: it is the query's.
 */
#include "postgres.h"

#include "base/own_objects.h"
#include "executor/executor.h"
#include "fk/parentcheck.h"
#include "fk/parentscan.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "tables/registry.h"
#include "tables/table.h"

typedef struct ParentRow
{
	SdTable    *table;
	int2vector *atts;			/* the columns that the child refers to */
} ParentRow;

/* the arguments of deleted_parent_ok() in the scan's condition; NIL: it is another */
static List *
check_args(IndexScan *scan)
{
	BoolExpr   *condition;
	FuncExpr   *function;

	if (list_length(scan->scan.plan.qual) != 1)
		return NIL;
	condition = linitial(scan->scan.plan.qual);
	if (!is_orclause(condition))
		return NIL;
	function = llast(condition->args);
	if (!IsA(function, FuncExpr) || function->funcid != sd_objects()->deleted_parent_ok)
		return NIL;
	return function->args;
}

/*
 * Is it such a check?  The condition is of the table itself, no partition, so that
 * the columns have the numbers that stand in it.
 */
bool
sd_is_parent_check(PlannedStmt *stmt)
{
	IndexScan  *scan;
	List	   *args;

	if (!IsA(stmt->planTree, LockRows) || !IsA(outerPlan(stmt->planTree), IndexScan))
		return false;
	scan = (IndexScan *) outerPlan(stmt->planTree);
	args = check_args(scan);
	return args != NIL &&
		DatumGetObjectId(lsecond_node(Const, args)->constvalue) ==
		rt_fetch(scan->scan.scanrelid, stmt->rtable)->relid;
}

/* live OR deleted_parent_ok(...) */
static Datum
see_parent(ExprState *state, ExprContext *econtext, bool *isnull)
{
	ParentRow  *parent = state->evalfunc_private;
	TupleTableSlot *row = econtext->ecxt_scantuple;
	Datum		values[INDEX_MAX_KEYS];

	*isnull = false;
	if (!sd_slot_is_deleted(parent->table, row))
		return BoolGetDatum(true);
	for (int i = 0; i < parent->atts->dim1; i++)
		values[i] = slot_getattr(row, parent->atts->values[i], isnull);
	*isnull = false;
	return BoolGetDatum(sd_deleted_parent_ok(parent->table, parent->atts, &row->tts_tid,
											 row->tts_tableOid, values));
}

/* Have the executor start the check without its condition. */
void
sd_parent_scan_begin(SdParentScan *lean, QueryDesc *query)
{
	lean->whole = query->plannedstmt;
	lean->stmt = *query->plannedstmt;
	lean->top = *(LockRows *) lean->whole->planTree;
	lean->scan = *(IndexScan *) outerPlan(lean->whole->planTree);
	lean->stmt.planTree = &lean->top.plan;
	outerPlan(&lean->top) = &lean->scan.scan.plan;
	lean->scan.scan.plan.qual = NIL;
	query->plannedstmt = &lean->stmt;
}

/* It has: give it the plan back, and the condition. */
void
sd_parent_scan_end(SdParentScan *lean, QueryDesc *query)
{
	Plan	   *plan = outerPlan(lean->whole->planTree);
	LockRowsState *top = castNode(LockRowsState, query->planstate);
	IndexScanState *scan = castNode(IndexScanState, outerPlanState(top));
	SdTable    *table = sd_table(scan->ss.ss_currentRelation);
	MemoryContext old;
	ExprState  *state;
	ParentRow  *parent;

	query->plannedstmt = query->estate->es_plannedstmt = lean->whole;
	top->ps.plan = lean->whole->planTree;
	scan->ss.ps.plan = plan;
	EvalPlanQualSetPlan(&top->lr_epqstate, plan, top->lr_epqstate.arowMarks);

	/* as deleted_parent_ok() has it: of a table that is not managed no row is deleted */
	if (table == NULL)
		return;
	old = MemoryContextSwitchTo(query->estate->es_query_cxt);
	parent = palloc(sizeof(ParentRow));
	parent->table = table;
	parent->atts = (int2vector *)
		DatumGetPointer(lthird_node(Const, check_args((IndexScan *) plan))->constvalue);
	state = makeNode(ExprState);
	state->flags = EEO_FLAG_IS_QUAL;
	state->evalfunc = see_parent;
	state->evalfunc_private = parent;
	scan->ss.ps.qual = state;
	MemoryContextSwitchTo(old);
}
