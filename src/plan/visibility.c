/*
 * visibility.c
 *		Scans of managed tables see live rows only.
 *
 * The one place that hides rows.  As the planner looks at a base relation, the
 * condition joins the relation's restrictions, as if it had been written in the
 * query's WHERE right at the scan: below outer joins, inside views, sublinks
 * and inlined functions, and partial indexes match it.
 *
 * Children of an inheritance tree or a partitioned table get their parent's
 * restrictions from apply_child_basequals().  Members of a pulled-up UNION ALL
 * pass there, too, which overwrites what we add; it does look at the member's
 * securityQuals, and so the condition goes there.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "base/guc.h"
#include "base/own_objects.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/plancat.h"
#include "parser/parsetree.h"
#include "plan/planning.h"
#include "plan/trash.h"
#include "plan/visibility.h"
#include "tables/condition.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/builtins.h"

static get_relation_info_hook_type prev_relation_info = NULL;

/*
 * live OR deleted_parent_ok(engine, table, key columns, ctid, tableoid, key values
 * ...): what RI may see of a parent.
 */
static Node *
parent_condition(Relation rel, SdTable *table, Index varno, List *check_atts)
{
	int2vector *atts = buildint2vector(NULL, list_length(check_atts));
	List	   *args = NIL;
	Node	   *live;
	Node	   *ok;
	ListCell   *lc;
	int			n = 0;

	foreach(lc, check_atts)
	{
		AttrNumber	attnum = lfirst_int(lc);
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

		atts->values[n++] = attnum;
		args = lappend(args, makeVar(varno, attnum, att->atttypid,
									 att->atttypmod, att->attcollation, 0));
	}
	args = lcons(makeVar(varno, TableOidAttributeNumber, OIDOID, -1, InvalidOid, 0), args);
	args = lcons(makeVar(varno, SelfItemPointerAttributeNumber, TIDOID, -1,
						 InvalidOid, 0), args);
	args = lcons(makeConst(INT2VECTOROID, -1, InvalidOid, -1,
						   PointerGetDatum(atts), false, false), args);
	args = lcons(makeConst(OIDOID, -1, InvalidOid, sizeof(Oid),
						   ObjectIdGetDatum(RelationGetRelid(rel)), false, true), args);
	args = lcons(sd_engine_arg(), args);
	live = sd_condition(table, varno, true);
	ok = (Node *) makeFuncExpr(sd_objects()->deleted_parent_ok, BOOLOID, args,
							   InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);

	/* the planner wants ORs flat */
	if (is_orclause(live))
		return (Node *) make_orclause(lappend(((BoolExpr *) live)->args, ok));
	return (Node *) make_orclause(list_make2(live, ok));
}

/*
 * CASE WHEN condition THEN true END: true for the same rows, but nothing that the
 * planner could use an index for.  The one over deleted rows looks small to it where
 * statistics are older than the delete, and holds all of what was deleted.
 */
static Node *
filter_only(Node *condition)
{
	CaseExpr   *result = makeNode(CaseExpr);
	CaseWhen   *when = makeNode(CaseWhen);

	when->expr = (Expr *) condition;
	when->result = (Expr *) makeBoolConst(true, false);
	when->location = -1;
	result->casetype = BOOLOID;
	result->args = list_make1(when);
	result->defresult = (Expr *) makeBoolConst(false, true);
	result->location = -1;
	return (Node *) result;
}

/* Is the condition taken from the parent by apply_child_basequals()? */
static bool
parent_is_filtered(PlannerInfo *root, RelOptInfo *rel)
{
	AppendRelInfo *appinfo;
	RangeTblEntry *parent;
	SdTable    *table;

	if (rel->reloptkind != RELOPT_OTHER_MEMBER_REL || root->append_rel_array == NULL)
		return false;
	appinfo = root->append_rel_array[rel->relid];
	if (appinfo == NULL)
		return false;
	parent = root->simple_rte_array[appinfo->parent_relid];
	if (parent->rtekind != RTE_RELATION)
		return false;
	table = sd_table_by_oid(parent->relid);
	return table != NULL;
}

static void
add_condition(PlannerInfo *root, RelOptInfo *rel, Node *condition)
{
	RestrictInfo *rinfo;

	if (rel->reloptkind == RELOPT_OTHER_MEMBER_REL)
	{
		RangeTblEntry *rte = planner_rt_fetch(rel->relid, root);
		List	   *quals = list_make1(condition);

		/* planning of MIN and MAX looks at the same entry again */
		if (list_member(rte->securityQuals, quals))
			return;
		rte->securityQuals = lappend(rte->securityQuals, quals);
		root->qual_security_level = Max(root->qual_security_level,
										(Index) list_length(rte->securityQuals));
		return;
	}

	/*
	 * On the level of the query's own conditions: a lower one would keep
	 * operators that are not leakproof from using indexes.
	 */
	rinfo = sd_make_restrictinfo(root, (Expr *) condition,
								 root->qual_security_level);
	rel->baserestrictinfo = lappend(rel->baserestrictinfo, rinfo);
	rel->baserestrict_min_security = Min(rel->baserestrict_min_security,
										 rinfo->security_level);
}

/*
 * May the condition have to be proved of an index, or by one: because that is partial,
 * or because the query says which status it looks for by it?
 */
static bool
index_speaks_of_mark(SdTable *table, IndexOptInfo *index)
{
	for (int i = 0; i < index->nkeycolumns; i++)
		if (index->indexkeys[i] == table->marker)
			return true;
	return index->indpred != NIL && index->indexoid != table->deleted_index;
}

/*
 * The condition of the rows to be seen: the shorter one where neither an index nor
 * the bounds of partitions have to match it.
 */
static Node *
row_condition(SdTable *table, RelOptInfo *rel, bool live)
{
	ListCell   *lc;

	if (!live || table->live_filter == table->live ||
		table->partitioned || table->root != table->relid)
		return sd_condition(table, rel->relid, live);
	foreach(lc, rel->indexlist)
		if (index_speaks_of_mark(table, lfirst_node(IndexOptInfo, lc)))
			return sd_condition(table, rel->relid, true);
	return sd_live_filter(table, rel->relid);
}

static void
softdelete_relation_info(PlannerInfo *root, Oid relid, bool inhparent,
						 RelOptInfo *rel)
{
	Relation	relation;
	SdTable    *table;

	if (prev_relation_info)
		prev_relation_info(root, relid, inhparent, rel);

	/* CREATE INDEX and CLUSTER come here without the planner */
	if (!sd_planning.active || sd_surely_unmanaged(relid))
		return;

	relation = table_open(relid, NoLock);
	table = sd_table(relation);
	if (table != NULL && !table->distributed)
	{
		SdVisibility visibility = sd_visible_of(table);

		/* an inlined function has a query of its own below the marked one */
		for (PlannerInfo *up = root; up != NULL; up = up->parent_root)
			if (up->parse->queryId == SD_POLICY_QUERY)
				visibility = table->hide ? SD_VISIBLE_LIVE : SD_VISIBLE_ALL;
		if (sd_is_trash_entry(planner_rt_fetch(rel->relid, root)))
			visibility = SD_VISIBLE_DELETED;
		sd_planning.touched = true;
		if (!parent_is_filtered(root, rel))
		{
			if (sd_planning.check_parent)
				add_condition(root, rel,
							  parent_condition(relation, table, rel->relid,
											   sd_planning.check_atts));
			else if (visibility != SD_VISIBLE_ALL)
			{
				Node	   *condition = row_condition(table, rel,
													  visibility == SD_VISIBLE_LIVE);

				add_condition(root, rel, sd_planning.by_key ?
							  filter_only(condition) : condition);
			}
		}
	}
	table_close(relation, NoLock);
}

void
sd_visibility_init(void)
{
	prev_relation_info = get_relation_info_hook;
	get_relation_info_hook = softdelete_relation_info;
}
