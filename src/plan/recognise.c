/*
 * recognise.c
 *		Whose query is it: a user's, the engine's own or one of RI's?
 *
 * Looks at the query tree and keeps nothing.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "engine/statement.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "plan/planning.h"
#include "plan/recognise.h"

/* "$n IS NULL" with $n of type internal: see statement.c */
static bool
is_own_marker(Node *node)
{
	return IsA(node, NullTest) && IsA(((NullTest *) node)->arg, Param) &&
		((Param *) ((NullTest *) node)->arg)->paramtype == INTERNALOID;
}

/*
 * Take the engine's marker out of a condition, wherever a rule may have put it
 * among the ANDs.  Returns whether it was there.
 */
static bool
strip_own_marker(Node **quals)
{
	BoolExpr   *and;
	ListCell   *lc;

	if (*quals == NULL)
		return false;
	if (is_own_marker(*quals))
	{
		*quals = makeBoolConst(true, false);
		return true;
	}
	if (!is_andclause(*quals))
		return false;
	and = (BoolExpr *) *quals;
	foreach(lc, and->args)
	{
		if (is_own_marker(lfirst(lc)))
		{
			and->args = foreach_delete_current(and->args, lc);
			if (list_length(and->args) == 1)
				*quals = linitial(and->args);
			return true;
		}
		if (strip_own_marker((Node **) &lfirst(lc)))
			return true;
	}
	return false;
}

/*
 * Is it the statement that the engine is about to run?  A rule may have added
 * queries on other tables, which are like any user's.
 */
bool
sd_is_own_statement(Query *query)
{
	RangeTblEntry *rte;

	if (sd_pending_statement == NULL || query->jointree == NULL ||
		!strip_own_marker(&query->jointree->quals))
		return false;
	if (query->resultRelation == 0)
		return query->commandType == CMD_SELECT;
	rte = rt_fetch(query->resultRelation, query->rtable);
	return rte->relid == sd_pending_statement->relid;
}

/* the Var or external Param below casts, NULL when it is neither */
static Node *
strip_casts(Node *node)
{
	for (;;)
	{
		if (IsA(node, RelabelType))
			node = (Node *) ((RelabelType *) node)->arg;
		else if (IsA(node, CollateExpr))
			node = (Node *) ((CollateExpr *) node)->arg;
		else if (IsA(node, FuncExpr) && list_length(((FuncExpr *) node)->args) >= 1)
			node = linitial(((FuncExpr *) node)->args);
		else if (IsA(node, CoerceViaIO))
			node = (Node *) ((CoerceViaIO *) node)->arg;
		else if (IsA(node, ArrayCoerceExpr))
			node = (Node *) ((ArrayCoerceExpr *) node)->arg;
		else
			break;
	}
	if (IsA(node, Var) ||
		(IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXTERN))
		return node;
	return NULL;
}

/* ri_triggers.c's queries begin so, with names that are always quoted */
static bool
has_ri_text(const char *text)
{
	static const char *const begins[] = {
		"SELECT 1 FROM \"", "SELECT 1 FROM ONLY \"", "SELECT 1 FROM (SELECT \"",
		"DELETE FROM \"", "DELETE FROM ONLY \"",
		"UPDATE \"", "UPDATE ONLY \""
	};

	for (size_t i = 0; text != NULL && i < lengthof(begins); i++)
		if (strncmp(text, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static bool
has_alias(Query *query, int rti, const char *alias)
{
	RangeTblEntry *rte = list_nth_node(RangeTblEntry, query->rtable, rti - 1);

	return rte->rtekind == RTE_RELATION && rte->alias != NULL &&
		strcmp(rte->alias->aliasname, alias) == 0;
}

/*
 * Within ALTER TABLE: is it the join by which RI validates a foreign key or
 * looks at a partition that goes?  Not a query of some function that the
 * command happens to call.
 */
bool
sd_is_ri_validation(Query *query, const char *query_string)
{
	return sd_bypass_depth > 0 && query->commandType == CMD_SELECT &&
		query_string != NULL && strncmp(query_string, "SELECT fk.\"", 11) == 0 &&
		list_length(query->rtable) >= 2 &&
		has_alias(query, 1, "fk") && has_alias(query, 2, "pk");
}

/*
 * Is it a query of ri_triggers.c?  They run with FORCE ROW LEVEL SECURITY off,
 * which nothing else does but our own statements, on one table (a SELECT with
 * the alias x, an UPDATE or DELETE without any, inheritance ignored), under
 * conditions that compare columns with parameters.  (A user's BEFORE trigger
 * that fires within RI's cascade runs with that flag, too: hence the look at
 * the shape.)
 *
 * The check of a parent has the column on the left: *check_atts is set to the
 * columns.  All others have the parameter there.
 *
 * Where the key has a PERIOD (18), the check of a parent is such a query below an
 * aggregate over the periods of all that match, and the check that nobody refers
 * to one has another condition, on what the others cover.
 */
bool
sd_is_ri_query(Query *query, const char *query_string, List **check_atts)
{
	RangeTblEntry *rte;
	List	   *quals;
	ListCell   *lc;

	*check_atts = NIL;
	if (!InNoForceRLSOperation() || !has_ri_text(query_string))
		return false;
	if (query->commandType == CMD_SELECT && query->havingQual != NULL &&
		list_length(query->rtable) == 1)
	{
		rte = linitial_node(RangeTblEntry, query->rtable);
		if (rte->rtekind != RTE_SUBQUERY)
			return false;
		query = rte->subquery;
	}
	if (list_length(query->rtable) != 1 ||
		query->cteList != NIL || query->jointree->quals == NULL)
		return false;
	rte = linitial_node(RangeTblEntry, query->rtable);
	if (rte->rtekind != RTE_RELATION ||
		rte->inh != (rte->relkind == RELKIND_PARTITIONED_TABLE))
		return false;
	if (query->commandType != CMD_SELECT)
	{
		if (rte->alias != NULL)
			return false;
	}
	else if (rte->alias == NULL || strcmp(rte->alias->aliasname, "x") != 0 ||
			 list_length(query->rowMarks) != 1 ||
			 linitial_node(RowMarkClause, query->rowMarks)->strength != LCS_FORKEYSHARE)
		return false;

	quals = is_andclause(query->jointree->quals) ?
		((BoolExpr *) query->jointree->quals)->args :
		list_make1(query->jointree->quals);
	foreach(lc, quals)
	{
		OpExpr	   *op = lfirst(lc);
		Node	   *left;
		Node	   *right;

		if (is_notclause(op) && IsA(get_notclausearg((Expr *) op), CoalesceExpr))
			continue;
		if (!IsA(op, OpExpr) || list_length(op->args) != 2)
			return false;
		left = strip_casts(linitial(op->args));
		right = strip_casts(lsecond(op->args));
		if (left == NULL || right == NULL || nodeTag(left) == nodeTag(right))
			return false;
		if (!IsA(left, Var))
			continue;
		if (query->commandType != CMD_SELECT)
			return false;
		*check_atts = lappend_int(*check_atts, ((Var *) left)->varattno);
	}
	return true;
}
