/*
 * trash.c
 *		Calls of softdelete.trash() become the queries that they stand for.
 *
 * A function is run to its end and its rows are kept, before any condition is
 * looked at: to find one row, or the first page, of a large trash so would take
 * seconds.  So a call in FROM for a table that is known by now is replaced by
 * its query (tables/trashquery.c), as PostgreSQL inlines functions in SQL; the
 * planner then pushes conditions and orders down to the table's indexes.  A
 * condition "key = value", which no index knows, brings the key columns' own
 * conditions along.
 *
 * The caller's rights, row security and the planner's care for conditions that
 * are not leakproof hold as in any query that he writes.  The table's entry is
 * marked, so that visibility.c shows its deleted rows, whatever the session sees:
 * a condition of the query's own would keep it from being a member of a union.
 * Calls that cannot be replaced run as functions.
 */
#include "postgres.h"

#include "base/own_objects.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "plan/trash.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "tables/trashquery.h"
#include "tcop/tcopprot.h"
#include "utils/fmgroids.h"

/*
 * What marks the entry: a field that entries of this kind do not use, and that
 * is copied with them, to partitions, too.
 */
#define TRASH_ENTRY "softdelete.trash"

bool
sd_is_trash_entry(RangeTblEntry *rte)
{
	return rte->ctename != NULL && strcmp(rte->ctename, TRASH_ENTRY) == 0;
}

/* The table that trash() is asked for, InvalidOid when that is not known yet. */
static Oid
asked_table(RangeTblEntry *rte, ParamListInfo params)
{
	FuncExpr   *call;
	Node	   *arg;

	if (list_length(rte->functions) != 1 || rte->funcordinality)
		return InvalidOid;
	call = (FuncExpr *) linitial_node(RangeTblFunction, rte->functions)->funcexpr;
	if (!IsA(call, FuncExpr) || call->funcid != sd_objects()->trash ||
		list_length(call->args) != 1)
		return InvalidOid;

	arg = linitial(call->args);
	if (IsA(arg, Const) && !((Const *) arg)->constisnull)
		return DatumGetObjectId(((Const *) arg)->constvalue);
	if (IsA(arg, Param) && ((Param *) arg)->paramkind == PARAM_EXTERN && params != NULL)
	{
		Param	   *param = (Param *) arg;
		ParamExternData data;
		ParamExternData *value;

		if (param->paramid <= 0 || param->paramid > params->numParams)
			return InvalidOid;
		value = params->paramFetch ?
			params->paramFetch(params, param->paramid, true, &data) :
			&params->params[param->paramid - 1];
		if (value->ptype == REGCLASSOID && !value->isnull &&
			(value->pflags & PARAM_FLAG_CONST) != 0)
			return DatumGetObjectId(value->value);
	}
	return InvalidOid;
}

/* Does the value depend on rows, or on anything that can move only as it stands? */
static bool
is_bound_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) || IsA(node, SubLink) || IsA(node, Aggref) ||
		IsA(node, GroupingFunc) || IsA(node, WindowFunc) || IsA(node, PlaceHolderVar))
		return true;
	return expression_tree_walker(node, is_bound_walker, context);
}

/* Is the node the key column of this entry? */
static bool
is_key_column(Node *node, int rti)
{
	return IsA(node, Var) && ((Var *) node)->varno == rti &&
		((Var *) node)->varattno == SD_TRASH_KEY && ((Var *) node)->varlevelsup == 0;
}

/*
 * The value that the query's WHERE demands of the entry's key, NULL for none.
 * Under outer joins, too: a row that lacks it cannot come out of the WHERE.
 */
static Node *
demanded_key(Query *query, int rti)
{
	List	   *quals = make_ands_implicit((Expr *) query->jointree->quals);
	ListCell   *lc;

	foreach(lc, quals)
	{
		OpExpr	   *op = lfirst(lc);
		Node	   *value;

		if (!IsA(op, OpExpr) || op->opfuncid != F_JSONB_EQ)
			continue;
		if (is_key_column(linitial(op->args), rti))
			value = lsecond(op->args);
		else if (is_key_column(lsecond(op->args), rti))
			value = linitial(op->args);
		else
			continue;
		if (!is_bound_walker(value, NULL) && !contain_volatile_functions(value))
			return value;
	}
	return NULL;
}

/* the query's $1 replaced by the value */
static Node *
put_key_mutator(Node *node, void *value)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXTERN)
		return copyObject((Node *) value);
	if (IsA(node, Query))
		return (Node *) query_tree_mutator((Query *) node, put_key_mutator, value, 0);
	return expression_tree_mutator(node, put_key_mutator, value);
}

/* Has the query's result the types that the function's has? */
static bool
same_columns(Query *query, RangeTblEntry *rte)
{
	TupleDesc	desc;
	Oid			type;
	ListCell   *lc;
	int			n = 0;

	if (get_expr_result_type(linitial_node(RangeTblFunction, rte->functions)->funcexpr,
							 &type, &desc) != TYPEFUNC_COMPOSITE || desc == NULL)
		return false;
	foreach(lc, query->targetList)
	{
		TargetEntry *tle = lfirst(lc);

		if (tle->resjunk || n >= desc->natts ||
			exprType((Node *) tle->expr) != TupleDescAttr(desc, n)->atttypid ||
			exprCollation((Node *) tle->expr) != TupleDescAttr(desc, n)->attcollation)
			return false;
		n++;
	}
	return n == desc->natts;
}

/* Mark the table's entry, wherever in the query it stands. */
static void
mark_entry(Query *query, Oid relid)
{
	ListCell   *lc;

	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst(lc);

		if (rte->rtekind == RTE_RELATION && rte->relid == relid)
			rte->ctename = pstrdup(TRASH_ENTRY);
		else if (rte->rtekind == RTE_SUBQUERY)
			mark_entry(rte->subquery, relid);
	}
}

/* Put the query in the place of the call.  Returns whether that was done. */
static bool
expand_entry(Query *query, int rti, ParamListInfo params)
{
	RangeTblEntry *rte = rt_fetch(rti, query->rtable);
	Oid			relid = asked_table(rte, params);
	Oid			key_type = JSONBOID;
	SdTable    *table;
	Node	   *key;
	char	   *text;
	List	   *parsed;
	Query	   *trash;

	if (!OidIsValid(relid) || !sd_may_execute(sd_objects()->trash, GetUserId()))
		return false;
	table = sd_table_by_oid(relid);
	/* what cannot be is for the function to say */
	if (table == NULL || table->root != relid || table->distributed)
		return false;

	key = demanded_key(query, rti);
	text = sd_trash_query(table, key != NULL, false);
	parsed = pg_parse_query(text);
	parsed = pg_analyze_and_rewrite_fixedparams(linitial_node(RawStmt, parsed), text,
												&key_type, key != NULL ? 1 : 0, NULL);
	trash = linitial_node(Query, parsed);
	if (!same_columns(trash, rte))
		return false;
	mark_entry(trash, relid);
	if (key != NULL)
		trash = (Query *) put_key_mutator((Node *) trash, key);

	/* as PostgreSQL does it where it inlines a function */
	rte->rtekind = RTE_SUBQUERY;
	rte->subquery = trash;
	rte->security_barrier = false;
	rte->functions = NIL;
	rte->funcordinality = false;
	return true;
}

/* what a walk over sublinks has to know, and tells */
typedef struct ExpandBelow
{
	ParamListInfo params;
	bool		expanded;
} ExpandBelow;

static bool
expand_below_walker(Node *node, void *context)
{
	ExpandBelow *below = context;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		below->expanded |= sd_expand_trash((Query *) node, below->params);
		return false;
	}
	return expression_tree_walker(node, expand_below_walker, context);
}

/*
 * Replace all calls in the query and below.  Returns whether there was one: the
 * plan then depends on the role that it was made for.
 */
bool
sd_expand_trash(Query *query, ParamListInfo params)
{
	ExpandBelow below = {params, false};
	ListCell   *lc;
	int			rti = 0;

	/* what is not a function is no call: most queries need no look-up of ours */
	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst(lc);

		rti++;
		if (rte->rtekind == RTE_FUNCTION && query->jointree != NULL)
			below.expanded |= expand_entry(query, rti, params);
		else if (rte->rtekind == RTE_SUBQUERY)
			below.expanded |= sd_expand_trash(rte->subquery, params);
	}
	foreach(lc, query->cteList)
	{
		CommonTableExpr *cte = lfirst(lc);

		below.expanded |= sd_expand_trash(castNode(Query, cte->ctequery), params);
	}
	if (query->hasSubLinks)
		(void) query_tree_walker(query, expand_below_walker, &below,
								 QTW_IGNORE_RT_SUBQUERIES | QTW_IGNORE_CTE_SUBQUERIES);
	return below.expanded;
}
