/*
 * returning.c
 *		RETURNING of a DELETE that marks.
 *
 * A DELETE returns the row as it was: see mark/oldrow.c.  Where a partition key
 * holds the marker, the row may leave its partition, and what the UPDATE returns
 * is what it inserts.  So there references to the marker are replaced by what it
 * was before.
 * (A reference to the whole row, as in RETURNING t, is left alone.)  Query in,
 * Query out, nothing is kept.
 */
#include "postgres.h"

#include "compat.h"
#include "nodes/nodeFuncs.h"
#include "plan/returning.h"
#include "rewrite/rewriteManip.h"
#include "tables/table.h"

typedef struct Context
{
	int			varno;
	AttrNumber	marker;
	Expr	   *before;
	int			sublevels_up;
} Context;

static Node *
replace_marker(Node *node, void *arg)
{
	Context    *context = arg;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		if (var->varno == context->varno &&
			var->varlevelsup == (Index) context->sublevels_up &&
			var->varattno == context->marker && sd_var_is_plain(var))
		{
			Node	   *before = copyObject((Node *) context->before);

			IncrementVarSublevelsUp(before, context->sublevels_up, 0);
			return before;
		}
		return node;
	}
	if (IsA(node, Query))
	{
		Query	   *query;

		context->sublevels_up++;
		query = query_tree_mutator((Query *) node, replace_marker, context, 0);
		context->sublevels_up--;
		return (Node *) query;
	}
	return expression_tree_mutator(node, replace_marker, context);
}

void
sd_returning_before(Query *query, SdTable *table, Expr *live)
{
	Context		context = {query->resultRelation, table->marker, live, 0};

	query->returningList = (List *) replace_marker((Node *) query->returningList,
												   &context);
}
