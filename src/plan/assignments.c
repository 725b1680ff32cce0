/*
 * assignments.c
 *		What an UPDATE assigns that marks or restores.
 *
 * Makes target lists; keeps nothing.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "base/own_objects.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "plan/assignments.h"
#include "rewrite/rewriteHandler.h"
#include "tables/cluster.h"
#include "tables/referrers.h"
#include "tables/table.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* a value on its way into the column, as an UPDATE assigns it */
static Expr *
coerced(Relation rel, AttrNumber attnum, Expr *value)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	Node	   *expr;

	expr = coerce_to_target_type(NULL, (Node *) value, exprType((Node *) value),
								 att->atttypid, att->atttypmod,
								 COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1);
	if (expr == NULL)
		elog(ERROR, "cannot assign to column \"%s\"", NameStr(att->attname));
	return (Expr *) expr;
}

static Expr *
null_value(Relation rel, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	Oid			type = getBaseType(att->atttypid);

	return coerced(rel, attnum,
				   (Expr *) makeNullConst(type, -1, get_typcollation(type)));
}

static Expr *
now_value(Relation rel, AttrNumber attnum)
{
	/* a shard is told the time, which the whole cluster has */
	bool		told = sd_in_cluster() && OidIsValid(sd_objects()->stamped_at);

	return coerced(rel, attnum,
				   (Expr *) makeFuncExpr(told ? sd_objects()->stamped_at : F_NOW, TIMESTAMPTZOID,
										 told ? list_make1(sd_engine_arg()) : NIL,
										 InvalidOid, InvalidOid,
										 COERCE_EXPLICIT_CALL));
}

static Expr *
column(Relation rel, Index varno, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

	return (Expr *) makeVar(varno, attnum, att->atttypid, att->atttypmod,
							att->attcollation, 0);
}

/* the value that says "deleted", or, for a flag, "live" */
static Expr *
mark_value(Relation rel, SdTable *table, bool deleted)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), table->marker - 1);
	Oid			type = getBaseType(att->atttypid);
	Oid			input;
	Oid			ioparam;
	int16		len;
	bool		byval;

	if (table->kind == SD_TIMESTAMP)
		return deleted ? now_value(rel, table->marker) : null_value(rel, table->marker);
	if (table->kind == SD_BOOLEAN)
	{
		bool		value = (strcmp(table->deleted_value, "true") == 0) == deleted;

		return coerced(rel, table->marker, (Expr *) makeBoolConst(value, false));
	}
	Assert(deleted);
	getTypeInputInfo(type, &input, &ioparam);
	get_typlenbyval(type, &len, &byval);
	return coerced(rel, table->marker,
				   (Expr *) makeConst(type, -1, get_typcollation(type), len,
									  OidInputFunctionCall(input, table->deleted_value,
														   ioparam, -1),
									  false, byval));
}

/* stamp(engine), or stamp(engine, ctid, tableoid) where others may refer to it */
static Expr *
stamp_value(Relation rel, Index varno, SdTable *table)
{
	List	   *args = list_make1(sd_engine_arg());
	Oid			function = sd_objects()->stamp;

	if (sd_has_children(table))
	{
		Expr	   *tableoid;

		if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ||
			has_subclass(RelationGetRelid(rel)))
			tableoid = (Expr *) makeVar(varno, TableOidAttributeNumber,
										OIDOID, -1, InvalidOid, 0);
		else
			tableoid = (Expr *) makeConst(OIDOID, -1, InvalidOid, sizeof(Oid),
										  ObjectIdGetDatum(RelationGetRelid(rel)),
										  false, true);
		args = lappend(args, makeVar(varno, SelfItemPointerAttributeNumber,
									 TIDOID, -1, InvalidOid, 0));
		args = lappend(args, tableoid);
		function = sd_objects()->stamp_locked;
	}
	return coerced(rel, table->id,
				   (Expr *) makeFuncExpr(function, INT8OID, args, InvalidOid,
										 InvalidOid, COERCE_EXPLICIT_CALL));
}

/*
 * The former status; where none is known (the row was inserted with the mark)
 * and the column cannot be NULL, its default, or else an error that says so.
 */
static Expr *
former_value(Relation rel, Index varno, SdTable *table)
{
	Expr	   *former = column(rel, varno, table->former);
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), table->marker - 1);
	Node	   *fallback = NULL;
	CoalesceExpr *coalesce;

	if (!att->attnotnull)
		return former;
	fallback = build_column_default(rel, table->marker);
	if (fallback == NULL)
		fallback = (Node *)
			makeFuncExpr(sd_objects()->former_unknown, att->atttypid,
						 list_make3(sd_engine_arg(),
									makeConst(OIDOID, -1, InvalidOid, sizeof(Oid),
											  ObjectIdGetDatum(RelationGetRelid(rel)),
											  false, true),
									copyObject(former)),
						 att->attcollation, att->attcollation, COERCE_EXPLICIT_CALL);
	coalesce = makeNode(CoalesceExpr);
	coalesce->coalescetype = exprType((Node *) former);
	coalesce->coalescecollid = exprCollation((Node *) former);
	coalesce->args = list_make2(former, fallback);
	coalesce->location = -1;
	return (Expr *) coalesce;
}

static int
by_attnum(const ListCell *a, const ListCell *b)
{
	return ((TargetEntry *) lfirst(a))->resno - ((TargetEntry *) lfirst(b))->resno;
}

static List *
add_target(List *targets, Relation rel, AttrNumber attnum, Expr *value)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

	return lappend(targets, makeTargetEntry(value, attnum,
											pstrdup(NameStr(att->attname)), false));
}

/*
 * The SET list of a delete or restore, in the order of the columns, which is
 * what the planner expects.  mark_only: leave the stamp to the trigger.
 */
List *
sd_set_list(Relation rel, Index varno, SdTable *table, bool deleted, bool mark_only)
{
	List	   *targets = NIL;

	if (!deleted && table->kind == SD_STATUS)
		targets = add_target(targets, rel, table->marker,
							 former_value(rel, varno, table));
	else
		targets = add_target(targets, rel, table->marker,
							 mark_value(rel, table, deleted));
	if (!mark_only)
	{
		targets = add_target(targets, rel, table->id,
							 deleted ? stamp_value(rel, varno, table) :
							 null_value(rel, table->id));
		if (table->time != table->marker)
			targets = add_target(targets, rel, table->time,
								 deleted ? now_value(rel, table->time) :
								 null_value(rel, table->time));
		if (table->former != InvalidAttrNumber)
			targets = add_target(targets, rel, table->former,
								 deleted ? column(rel, varno, table->marker) :
								 null_value(rel, table->former));
		list_sort(targets, by_attnum);
	}
	return targets;
}

/* What the marker of a row that is deleted held, or holds, while it is live. */
Expr *
sd_live_value(Relation rel, Index varno, SdTable *table)
{
	return table->former != InvalidAttrNumber ?
		column(rel, varno, table->former) : mark_value(rel, table, false);
}
