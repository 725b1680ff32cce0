/*
 * policies.c
 *		Row security's policies see live rows, whatever the user sees.
 *
 * Marks the queries below the policies' conditions; visibility.c knows the
 * mark.  Keeps nothing.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/planner.h"
#include "plan/planning.h"
#include "plan/policies.h"

/*
 * A policy says who may see what, by rows of other tables perhaps: a deleted
 * membership must not open a door because the client asks to see deleted rows.
 * So mark the queries below the policies' conditions; visibility.c knows the
 * mark.  The field has a use in the topmost query only, and is copied along.
 */
static bool
mark_queries_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		((Query *) node)->queryId = SD_POLICY_QUERY;
		return query_tree_walker((Query *) node, mark_queries_walker, context, 0);
	}
	return expression_tree_walker(node, mark_queries_walker, context);
}

static bool
mark_policies_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
		return mark_queries_walker((Node *) ((RangeTblEntry *) node)->securityQuals, context);
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		if (mark_queries_walker((Node *) query->withCheckOptions, context))
			return true;
		return query_tree_walker(query, mark_policies_walker, context,
								 QTW_EXAMINE_RTES_BEFORE);
	}
	return expression_tree_walker(node, mark_policies_walker, context);
}

/* Mark all queries below policies' conditions in the query. */
void
sd_mark_policies(Query *query)
{
	(void) mark_policies_walker((Node *) query, NULL);
}
