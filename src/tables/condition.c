/*
 * condition.c
 *		The condition that a row is live, as an expression.
 *
 * predicate.c has it as text; here that is parsed, for the planner.  Keeps
 * nothing: registry.c keeps what is parsed with the table.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "rewrite/rewriteManip.h"
#include "tables/condition.h"
#include "tables/predicate.h"
#include "tables/table.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* $1 is the marker, $2 the deleted value: see sd_status_predicate() */
static Node *
status_parameter(ParseState *pstate, ParamRef *ref)
{
	SdTable    *table = pstate->p_ref_hook_state;
	Relation	rel = table_open(table->relid, AccessShareLock);
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), table->marker - 1);
	Oid			base = getBaseType(att->atttypid);
	int16		len;
	bool		byval;
	Node	   *node;

	if (ref->number == 1)
	{
		node = (Node *) makeVar(1, table->marker, att->atttypid, att->atttypmod,
								att->attcollation, 0);
		if (base != att->atttypid)
			node = applyRelabelType(node, base, -1, InvalidOid,
									COERCE_EXPLICIT_CAST, -1, false);
	}
	else
	{
		get_typlenbyval(base, &len, &byval);
		node = (Node *) makeConst(base, -1, InvalidOid, len, table->deleted_datum,
								  false, byval);
	}
	table_close(rel, NoLock);
	return node;
}

/*
 * Parse the condition that a row is live, or deleted, as CREATE INDEX parses
 * its predicate, and simplify it as the planner simplifies that: only so are
 * the two equal and a partial index with the same text matches.
 */
Node *
sd_parse_condition(Relation rel, SdTable *table, bool live)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), table->marker - 1);
	bool		is_enum = get_typtype(getBaseType(att->atttypid)) == TYPTYPE_ENUM;
	ParseState *pstate = make_parsestate(NULL);
	ParseNamespaceItem *item;
	RawStmt    *raw;
	ResTarget  *target;
	Node	   *expr;

	raw = linitial_node(RawStmt,
						raw_parser(is_enum ? sd_status_predicate(att, live) :
								   sd_predicate(att, table->kind,
												table->deleted_value, live, NULL),
								   RAW_PARSE_PLPGSQL_EXPR));
	target = linitial_node(ResTarget, castNode(SelectStmt, raw->stmt)->targetList);
	item = addRangeTableEntryForRelation(pstate, rel, AccessShareLock,
										 NULL, false, true);
	addNSItemToQuery(pstate, item, false, true, true);
	if (is_enum)
	{
		pstate->p_paramref_hook = status_parameter;
		pstate->p_ref_hook_state = table;
	}
	expr = transformExpr(pstate, target->val, EXPR_KIND_INDEX_PREDICATE);
	expr = coerce_to_boolean(pstate, expr, "WHERE");
	assign_expr_collations(pstate, expr);
	free_parsestate(pstate);
	return eval_const_expressions(NULL, expr);
}

/*
 * "column <> 'deleted'", by itself or in "column IS NULL OR ...", else NULL.
 */
static OpExpr *
differs_from_deleted(Node *live)
{
	Node	   *last = live;

	if (is_orclause(live))
	{
		List	   *terms = ((BoolExpr *) live)->args;

		if (list_length(terms) != 2 || !IsA(linitial(terms), NullTest) ||
			linitial_node(NullTest, terms)->nulltesttype != IS_NULL)
			return NULL;
		last = lsecond(terms);
	}
	if (!IsA(last, OpExpr) || list_length(((OpExpr *) last)->args) != 2 ||
		!IsA(lsecond(((OpExpr *) last)->args), Const) ||
		lsecond_node(Const, ((OpExpr *) last)->args)->constisnull)
		return NULL;
	return (OpExpr *) last;
}

/*
 * "column IS DISTINCT FROM 'deleted'", which is true of the same rows as the live
 * condition on a status and takes half the steps.  But no index's condition is proved
 * by it, and as text it would have its operator looked up in the search_path, so it
 * is for the planner only.  A text equals another, by any collation that is
 * deterministic, if the bytes do: byteaeq() compares these and asks for no collation.
 * Any other condition comes back as it is.
 */
Node *
sd_shorter_condition(Node *live)
{
	OpExpr	   *differs = differs_from_deleted(live);
	Oid			equal = differs ? get_negator(differs->opno) : InvalidOid;
	DistinctExpr *result;

	if (!OidIsValid(equal))
		return live;
	result = makeNode(DistinctExpr);
	result->opno = equal;
	result->opfuncid = get_opcode(equal);
	if (result->opfuncid == F_TEXTEQ && OidIsValid(differs->inputcollid) &&
		get_collation_isdeterministic(differs->inputcollid))
		result->opfuncid = F_BYTEAEQ;
	result->opresulttype = BOOLOID;
	result->opcollid = differs->opcollid;
	result->inputcollid = differs->inputcollid;
	result->args = copyObject(differs->args);
	result->location = -1;
	return (Node *) result;
}

static Node *
condition_of(Node *condition, Index varno)
{
	Node	   *expr = copyObject(condition);

	if (varno != 1)
		ChangeVarNodes(expr, 1, varno, 0);
	return expr;
}

/* The condition that a row of range table entry varno is live, or is not. */
Node *
sd_condition(SdTable *table, Index varno, bool live)
{
	return condition_of(live ? table->live : table->deleted, varno);
}

/* That a row is live, for who has no index that has to match. */
Node *
sd_live_filter(SdTable *table, Index varno)
{
	return condition_of(table->live_filter, varno);
}
