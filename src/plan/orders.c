/*
 * orders.c
 *		A statement on distributed tables tells their shards what they cannot know.
 *
 * Citus sends each shard the statement with the shard's name in it.  The shard is a
 * managed table, and does by itself what is to be done; but it has to know what the
 * session sees, the deletion that rows belong to, and what a statement of the
 * engine's own is for.  So for each distributed table there is one more condition,
 *
 *		remote(deletion_id, 'order')
 *
 * which names a column so that it stays with its table, wherever Citus moves that,
 * and is true for all who do not know it.  Where rows are marked, the order is made
 * as the statement starts, by remote_order(); else it is a constant, and missing where
 * there is nothing to tell.  On the shard, the planner takes the condition out
 * again.  Query in, Query out, nothing is kept.
 */
#include "postgres.h"

#include "access/table.h"
#include "base/guc.h"
#include "base/own_objects.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "engine/order.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parsetree.h"
#include "plan/orders.h"
#include "plan/planning.h"
#include "rewrite/rewriteManip.h"
#include "tables/cluster.h"
#include "tables/referrers.h"
#include "tables/registry.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static SdTable *
distributed_table(RangeTblEntry *rte)
{
	Relation	rel;
	SdTable    *table;

	if (rte->rtekind != RTE_RELATION ||
		(rte->relkind != RELKIND_RELATION && rte->relkind != RELKIND_PARTITIONED_TABLE) ||
		sd_surely_unmanaged(rte->relid))
		return NULL;
	/* whatever stands in a query that is planned is locked */
	rel = table_open(rte->relid, NoLock);
	table = sd_table(rel);
	table_close(rel, NoLock);
	return table != NULL && table->distributed ? table : NULL;
}

static bool
is_order(Node *node)
{
	return IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid == sd_objects()->remote;
}

/* the range table entry whose order it is; NULL where that cannot be told */
static RangeTblEntry *
entry_of(Query *query, FuncExpr *order)
{
	Var		   *var = linitial(order->args);

	if (!IsA(var, Var) || var->varlevelsup != 0 || var->varno < 1 ||
		var->varno > list_length(query->rtable))
		return NULL;
	return rt_fetch(var->varno, query->rtable);
}

/* ----------------------------------------------------------------
 *		on the node that has the statement
 * ----------------------------------------------------------------
 */

static Const *
text_const(const char *value)
{
	return makeConst(TEXTOID, -1, DEFAULT_COLLATION_OID, -1,
					 value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL, false);
}

static bool
has_order(Query *query, Index varno)
{
	ListCell   *lc;

	foreach(lc, make_ands_implicit((Expr *) query->jointree->quals))
	{
		Node	   *node = lfirst(lc);

		if (is_order(node) && entry_of(query, (FuncExpr *) node) == rt_fetch(varno, query->rtable))
			return true;
	}
	return false;
}

/*
 * The value, as text, that the statement demands of the column by which the table's
 * rows are spread: what it marks, and what goes along, is in one shard then.  NULL
 * where it demands none, or nobody will ask.
 */
static Node *
demanded_value(Query *query, Index varno, SdTable *table)
{
	ListCell   *lc;

	if (table->dist_column == InvalidAttrNumber || !sd_has_children(table))
		return NULL;
	foreach(lc, make_ands_implicit((Expr *) query->jointree->quals))
	{
		OpExpr	   *op = lfirst(lc);

		if (!IsA(op, OpExpr) || list_length(op->args) != 2 ||
			strcmp(get_opname(op->opno), "=") != 0)
			continue;
		for (int i = 0; i < 2; i++)
		{
			Var		   *var = list_nth(op->args, i);
			Node	   *value = list_nth(op->args, 1 - i);

			if (IsA(var, RelabelType))
				var = (Var *) ((RelabelType *) var)->arg;
			if (IsA(var, Var) && var->varno == (int) varno && var->varlevelsup == 0 &&
				var->varattno == table->dist_column && !checkExprHasSubLink(value) &&
				!contain_var_clause(value) && !contain_volatile_functions(value))
				return coerce_to_target_type(NULL, copyObject(value), exprType(value), TEXTOID, -1,
											 COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1);
		}
	}
	return NULL;
}

/* does the statement set or clear marks of the relation, or erase its rows? */
static bool
changes_marks(Query *query, Index varno, SdTable *table)
{
	ListCell   *lc;

	if (query->resultRelation != (int) varno)
		return false;
	if (query->commandType != CMD_UPDATE)
		return query->commandType == CMD_DELETE;
	foreach(lc, query->targetList)
		if (!lfirst_node(TargetEntry, lc)->resjunk &&
			lfirst_node(TargetEntry, lc)->resno == table->marker)
			return true;
	return false;
}

/* remote_order(engine, table, what is known of the order by now, value of the column) */
static Expr *
order_to_draw(Query *query, Index varno, SdTable *table)
{
	SdOrder		order = {sd_planning.visibility};
	SdStatement *statement = sd_planning.own ? sd_pending_statement : NULL;
	Node	   *value = demanded_value(query, varno, table);

	if (statement != NULL && statement->relid == table->relid)
	{
		order.task = statement->task;
		order.each = statement->each;
		order.id = statement->task == SD_TASK_RESTORE ? statement->id : 0;
		order.now = statement->now;
		order.retention = statement->retention;
		order.held = statement->held;
		order.n_held = statement->n_held;
	}
	else
		order.hard_delete = sd_hard_delete && query->commandType == CMD_DELETE;
	return (Expr *)
		makeFuncExpr(sd_objects()->remote_order, TEXTOID,
					 list_make4(sd_engine_arg(),
								makeConst(OIDOID, -1, InvalidOid, sizeof(Oid),
										  ObjectIdGetDatum(table->root), false, true),
								text_const(sd_unsealed_order(&order)),
								value ? value : (Node *) text_const(NULL)),
					 DEFAULT_COLLATION_OID, DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
}

/* nulled: the outer joins that may make the relation's columns null */
static void
give_order(Query *query, Index varno, Relids nulled)
{
	RangeTblEntry *rte = rt_fetch(varno, query->rtable);
	SdTable    *table = distributed_table(rte);
	Expr	   *order;
	Form_pg_attribute att;
	Relation	rel;
	Var		   *var;
	Node	   *condition;

	if (table == NULL)
		return;
	sd_planning.touched = true;
	if (changes_marks(query, varno, table))
		order = order_to_draw(query, varno, table);
	else if (sd_planning.visibility != SD_VISIBLE_LIVE)
		order = (Expr *) text_const(sd_visibility_order(sd_planning.visibility));
	else
		return;					/* as it is by itself */
	if (has_order(query, varno))
		return;					/* a part of a statement that has been here as a whole */

	rel = table_open(rte->relid, NoLock);
	att = TupleDescAttr(RelationGetDescr(rel), table->id - 1);
	var = makeVar(varno, att->attnum, att->atttypid, att->atttypmod, att->attcollation, 0);
	table_close(rel, NoLock);
	sd_var_is_nulled_by(var, nulled);
	condition = (Node *) makeFuncExpr(sd_objects()->remote, BOOLOID, list_make2(var, order),
									  InvalidOid, DEFAULT_COLLATION_OID, COERCE_EXPLICIT_CALL);
	query->jointree->quals = query->jointree->quals ?
		make_and_qual(query->jointree->quals, condition) : condition;
}

static void
give_below(Query *query, Node *node, Relids nulled)
{
	if (IsA(node, RangeTblRef))
		give_order(query, ((RangeTblRef *) node)->rtindex, nulled);
	else if (IsA(node, FromExpr))
	{
		ListCell   *lc;

		foreach(lc, ((FromExpr *) node)->fromlist)
			give_below(query, lfirst(lc), nulled);
	}
	else if (IsA(node, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) node;
		Relids		more = bms_add_member(bms_copy(nulled), join->rtindex);

		give_below(query, join->larg,
				   join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL ? more : nulled);
		give_below(query, join->rarg,
				   join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL ? more : nulled);
	}
}

static bool
give_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		/* what an INSERT inserts into is not among what it reads */
		if (query->jointree != NULL)
			give_below(query, (Node *) query->jointree, NULL);
		return query_tree_walker(query, give_walker, context, 0);
	}
	return expression_tree_walker(node, give_walker, context);
}

/* Give orders for all distributed tables in the query and below. */
void
sd_give_orders(Query *query)
{
	(void) give_walker((Node *) query, NULL);
}

/* ----------------------------------------------------------------
 *		on the node that has the shard
 * ----------------------------------------------------------------
 */

/* Take an order: the relation's statement will follow it. */
static SdOrder *
taken(Query *query, RangeTblEntry *rte, FuncExpr *condition)
{
	Node	   *told = lsecond(condition->args);
	const char *order;

	if (IsA(told, Const) && !((Const *) told)->constisnull)
		order = TextDatumGetCString(((Const *) told)->constvalue);
	else if (IsA(told, FuncExpr) && ((FuncExpr *) told)->funcid == sd_objects()->remote_order &&
			 IsA(lthird(((FuncExpr *) told)->args), Const))
	{
		/* a plan that is kept on the node that draws the order itself */
		if (rte != NULL)
			rte->ctename = psprintf("%s%s", SD_ORDERED, SD_LOCAL_ORDER);
		return sd_read_order(TextDatumGetCString(((Const *) lthird(((FuncExpr *) told)->args))->constvalue),
							 true);
	}
	else
		return NULL;
	if (rte != NULL && query->resultRelation > 0 &&
		rte == rt_fetch(query->resultRelation, query->rtable))
		rte->ctename = psprintf("%s%s", SD_ORDERED, order);
	return sd_read_order(order, false);
}

/* Take orders out of a condition's ANDs. */
static void
take_from(Query *query, Node **quals, SdOrder **first)
{
	if (*quals == NULL)
		return;
	if (is_order(*quals))
	{
		RangeTblEntry *rte = entry_of(query, (FuncExpr *) *quals);
		SdOrder    *order;

		/* not for us: the statement goes on to the shards */
		if (rte != NULL && rte->rtekind == RTE_RELATION && distributed_table(rte) != NULL)
			return;
		order = taken(query, rte, (FuncExpr *) *quals);
		if (*first == NULL)
			*first = order;
		*quals = makeBoolConst(true, false);
	}
	else if (is_andclause(*quals))
	{
		BoolExpr   *and = (BoolExpr *) *quals;
		ListCell   *lc;

		foreach(lc, and->args)
			take_from(query, (Node **) &lfirst(lc), first);
	}
	else if (IsA(*quals, List))
	{
		ListCell   *lc;

		foreach(lc, (List *) *quals)
			take_from(query, (Node **) &lfirst(lc), first);
	}
}

static void
take_below(Query *query, Node *node, SdOrder **first)
{
	ListCell   *lc;

	if (IsA(node, FromExpr))
	{
		take_from(query, &((FromExpr *) node)->quals, first);
		foreach(lc, ((FromExpr *) node)->fromlist)
			take_below(query, lfirst(lc), first);
	}
	else if (IsA(node, JoinExpr))
	{
		take_from(query, &((JoinExpr *) node)->quals, first);
		take_below(query, ((JoinExpr *) node)->larg, first);
		take_below(query, ((JoinExpr *) node)->rarg, first);
	}
}

static bool
take_walker(Node *node, void *first)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		if (((Query *) node)->jointree != NULL)
			take_below((Query *) node, (Node *) ((Query *) node)->jointree, first);
		return query_tree_walker((Query *) node, take_walker, first, 0);
	}
	return expression_tree_walker(node, take_walker, first);
}

/* Take the orders out of the query; one of them, NULL for none, says what is visible. */
SdOrder *
sd_take_orders(Query *query)
{
	SdOrder    *first = NULL;

	if (OidIsValid(sd_objects()->remote))
		(void) take_walker((Node *) query, &first);
	return first;
}

/* The order that the statement on this relation follows; NULL for none. */
SdOrder *
sd_order_of(RangeTblEntry *rte)
{
	const char *text;

	if (rte->rtekind != RTE_RELATION || rte->ctename == NULL ||
		strncmp(rte->ctename, SD_ORDERED, strlen(SD_ORDERED)) != 0)
		return NULL;
	text = rte->ctename + strlen(SD_ORDERED);
	/* one of this session's own is a user's DELETE */
	return strcmp(text, SD_LOCAL_ORDER) == 0 ? palloc0(sizeof(SdOrder)) : sd_read_order(text, true);
}
