/*
 * upsert.c
 *		INSERT ... ON CONFLICT on a managed table.
 *
 * Query in, Query out, for rewrite.c; nothing is kept.
 */
#include "postgres.h"

#include "plan/upsert.h"
#include "access/htup_details.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "tables/condition.h"
#include "tables/foreignkeys.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* does the SET list of DO UPDATE name the marker? */
static bool
sets_mark(List *targets, SdTable *table)
{
	ListCell   *lc;

	foreach(lc, targets)
		if (lfirst_node(TargetEntry, lc)->resno == table->marker)
			return true;
	return false;
}

/*
 * ON CONFLICT: let column lists infer a unique index among live rows, and let
 * DO UPDATE fail on a deleted row, which only a full unique index can lead to.
 * (Unless it sets the mark itself and so knows what it does.)
 */
void
sd_convert_upsert(Query *query, Relation rel, SdTable *table)
{
	OnConflictExpr *conflict = query->onConflict;
	Index		varno = query->resultRelation;
	BoolExpr   *either;
	FuncExpr   *raise;
	List	   *args;
	int2vector *atts;
	HeapTuple	index;

	if (conflict->arbiterElems != NIL)
		conflict->arbiterWhere = conflict->arbiterWhere ?
			(Node *) make_andclause(list_make2(conflict->arbiterWhere,
											   sd_condition(table, varno, true))) :
			sd_condition(table, varno, true);

	if (conflict->action != ONCONFLICT_UPDATE ||
		sets_mark(conflict->onConflictSet, table))
		return;

	/* raise_deleted_row(engine, table, key columns, key values) */
	index = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(sd_primary_key(rel)));
	if (HeapTupleIsValid(index))
	{
		Form_pg_index form = (Form_pg_index) GETSTRUCT(index);

		atts = buildint2vector(form->indkey.values, form->indnkeyatts);
		ReleaseSysCache(index);
	}
	else
		atts = buildint2vector(NULL, 0);
	args = NIL;
	for (int i = 0; i < atts->dim1; i++)
	{
		AttrNumber	att = atts->values[i];

		args = lappend(args, makeVar(varno, att,
									 TupleDescAttr(RelationGetDescr(rel), att - 1)->atttypid,
									 TupleDescAttr(RelationGetDescr(rel), att - 1)->atttypmod,
									 TupleDescAttr(RelationGetDescr(rel), att - 1)->attcollation, 0));
	}
	if (args == NIL)
		args = list_make1(makeBoolConst(false, true));
	args = lcons(makeConst(INT2VECTOROID, -1, InvalidOid, -1,
						   PointerGetDatum(atts), false, false), args);
	args = lcons(makeConst(OIDOID, -1, InvalidOid, sizeof(Oid),
						   ObjectIdGetDatum(RelationGetRelid(rel)), false, true), args);
	args = lcons(sd_engine_arg(), args);
	raise = makeFuncExpr(sd_objects()->raise_deleted_row, BOOLOID, args, InvalidOid,
						 InvalidOid, COERCE_EXPLICIT_CALL);
	either = (BoolExpr *) makeBoolExpr(OR_EXPR,
									   list_make2(sd_condition(table, varno, true), raise), -1);
	conflict->onConflictWhere = conflict->onConflictWhere ?
		(Node *) make_andclause(list_make2(either, conflict->onConflictWhere)) :
		(Node *) either;
}
