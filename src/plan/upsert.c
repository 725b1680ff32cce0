/*
 * upsert.c
 *		INSERT ... ON CONFLICT on a managed table.
 *
 * Query in, Query out, for rewrite.c; nothing is kept.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/own_objects.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "plan/upsert.h"
#include "tables/cluster.h"
#include "tables/condition.h"
#include "tables/names.h"
#include "tables/primarykey.h"
#include "tables/rights.h"
#include "tables/table.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(softdelete_raise_deleted_row);

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
 * ON CONSTRAINT that was a unique constraint before enable() made an index of
 * live rows of it: a CHECK constraint keeps the name, and the index has it, too
 * (sql/parts/67_keys.sql).  Let its columns infer it.
 */
static void
infer_live_key(OnConflictExpr *conflict, Relation rel, Index varno)
{
	HeapTuple	tuple;
	Form_pg_constraint constraint;
	Oid			index = InvalidOid;

	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(conflict->constraint));
	if (!HeapTupleIsValid(tuple))
		return;
	constraint = (Form_pg_constraint) GETSTRUCT(tuple);
	if (constraint->contype == CONSTRAINT_CHECK)
		index = get_relname_relid(NameStr(constraint->conname), RelationGetNamespace(rel));
	ReleaseSysCache(tuple);
	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(tuple))
		return;
	if (((Form_pg_index) GETSTRUCT(tuple))->indrelid == RelationGetRelid(rel) &&
		((Form_pg_index) GETSTRUCT(tuple))->indisunique)
	{
		Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);

		conflict->constraint = InvalidOid;
		for (int i = 0; i < form->indnkeyatts; i++)
		{
			InferenceElem *elem = makeNode(InferenceElem);
			Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), form->indkey.values[i] - 1);

			elem->expr = (Node *) makeVar(varno, att->attnum, att->atttypid, att->atttypmod,
										  att->attcollation, 0);
			conflict->arbiterElems = lappend(conflict->arbiterElems, elem);
		}
	}
	ReleaseSysCache(tuple);
}

/*
 * ON CONFLICT: let column lists infer a unique index among live rows, whatever is
 * visible.  Where deleted rows are hidden, let DO UPDATE fail on one, which only a
 * full unique index can lead to (unless it sets the mark itself and so knows what
 * it does).
 */
void
sd_convert_upsert(Query *query, Relation rel, SdTable *table, bool hidden)
{
	OnConflictExpr *conflict = query->onConflict;
	Index		varno = query->resultRelation;
	BoolExpr   *either;
	FuncExpr   *raise;
	List	   *args;
	int2vector *atts;
	HeapTuple	index;

	if (OidIsValid(conflict->constraint))
		infer_live_key(conflict, rel, varno);
	if (conflict->arbiterElems != NIL)
		conflict->arbiterWhere = conflict->arbiterWhere ?
			(Node *) make_andclause(list_make2(conflict->arbiterWhere,
											   sd_condition(table, varno, true))) :
			sd_condition(table, varno, true);

	if (!hidden || conflict->action != ONCONFLICT_UPDATE ||
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
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), atts->values[i] - 1);

		args = lappend(args, makeVar(varno, att->attnum, att->atttypid,
									 att->atttypmod, att->attcollation, 0));
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

/*
 * raise_deleted_row(engine, table, key columns, VARIADIC key values): INSERT ... ON
 * CONFLICT DO UPDATE met a deleted row.
 */
Datum
softdelete_raise_deleted_row(PG_FUNCTION_ARGS)
{
	Oid			relid;
	int2vector *atts;
	StringInfoData names;
	StringInfoData values;
	char	   *table;
	bool		tell;

	sd_check_engine_arg(fcinfo);
	relid = PG_GETARG_OID(1);
	atts = (int2vector *) PG_GETARG_POINTER(2);
	table = quote_literal_cstr(sd_logical_name(relid));
	tell = atts->dim1 > 0 && sd_may_see(relid);

	initStringInfo(&names);
	initStringInfo(&values);
	for (int i = 0; tell && i < atts->dim1; i++)
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(get_fn_expr_argtype(fcinfo->flinfo, i + 3), &output, &varlena);
		appendStringInfo(&names, "%s%s", i ? ", " : "",
						 get_attname(relid, atts->values[i], false));
		appendStringInfo(&values, "%s%s", i ? ", " : "",
						 quote_literal_cstr(OidOutputFunctionCall(output,
																  PG_GETARG_DATUM(i + 3))));
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("row that ON CONFLICT would update is deleted"),
			 tell ?
			 errdetail("Row with key (%s)=(%s) of table \"%s\" is deleted and still holds the unique key.",
					   names.data, values.data, sd_logical_relname(relid)) :
			 errdetail("A deleted row of table \"%s\" still holds the unique key.",
					   sd_logical_relname(relid)),
			 tell ?
			 errhint("SELECT softdelete.restore(%s, %s) brings it back, softdelete.purge(%s, %s) erases it; softdelete.create_live_unique() makes the key unique among live rows only.",
					 table, values.data, table, values.data) :
			 errhint("softdelete.create_live_unique() makes the key unique among live rows only."),
			 err_generic_string(PG_DIAG_TABLE_NAME, get_rel_name(relid))));
	PG_RETURN_BOOL(false);
}
