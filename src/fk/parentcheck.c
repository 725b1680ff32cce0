/*
 * parentcheck.c
 *		What PostgreSQL's own foreign-key check may see of a deleted parent.
 *
 * The check of a child's reference gets "live OR deleted_parent_ok(...)" as its
 * condition on the parent (visibility.c).  The function runs only when the
 * parent is deleted.  It asks whether a live child refers to it: the row that
 * is being checked is visible by now, so if that one is live it is found, and
 * the check fails as if the parent were gone; if it is deleted itself, its
 * reference to a deleted parent is as it should be.
 *
 * While a statement marks rows, its cascade has yet to come; then the parent
 * passes and is looked at again when the operation is done.  Owns no state.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fk/orphan.h"
#include "tables/foreignkeys.h"
#include "engine/operation.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(softdelete_deleted_parent_ok);
PG_FUNCTION_INFO_V1(softdelete_raise_deleted_row);
PG_FUNCTION_INFO_V1(softdelete_engine_in);
PG_FUNCTION_INFO_V1(softdelete_engine_out);

/*
 * Do the key's columns of the parent stand among the checked ones?  Fills
 * values in the key's order.
 */
static bool
key_values(SdKey *key, FunctionCallInfo fcinfo, int2vector *atts, Datum *values)
{
	if (key->n != atts->dim1)
		return false;
	for (int i = 0; i < key->n; i++)
	{
		int			j;

		for (j = 0; j < atts->dim1; j++)
			if (atts->values[j] == key->parent_atts[i])
				break;
		if (j == atts->dim1)
			return false;
		values[i] = PG_GETARG_DATUM(j + 5);
	}
	return true;
}

/*
 * The command after the one of this transaction that marked the parent (or
 * updated it since), 0 if none did: children that a SET NULL or SET DEFAULT key
 * ties to it may have been written before.
 */
static CommandId
marked_before(Oid relid, ItemPointer tid)
{
	Relation	rel = table_open(relid, NoLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	CommandId	before = 0;

	if (table_tuple_fetch_row_version(rel, tid, SnapshotAny, slot) &&
		TTS_IS_BUFFERTUPLE(slot))
	{
		HeapTupleHeader tuple = ((BufferHeapTupleTableSlot *) slot)->base.tuple->t_data;

		if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple)))
			before = HeapTupleHeaderGetCmin(tuple) + 1;
	}
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
	return before;
}

/*
 * deleted_parent_ok(engine, table, key columns, parent's ctid and tableoid,
 * VARIADIC key values)
 */
Datum
softdelete_deleted_parent_ok(PG_FUNCTION_ARGS)
{
	SdTable    *table;
	int2vector *atts;
	SdOp	   *op = NULL;
	bool		found = false;
	ListCell   *lc;

	sd_check_engine_arg(fcinfo);
	table = sd_table_by_oid(PG_GETARG_OID(1));
	atts = (int2vector *) PG_GETARG_POINTER(2);
	if (table == NULL)
		PG_RETURN_BOOL(true);
	op = sd_existing_op();
	if (op != NULL && op->id == 0)
		op = NULL;

	if (op == NULL && SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	foreach(lc, table->children)
	{
		SdKey	   *key = lfirst(lc);
		Datum		values[INDEX_MAX_KEYS];
		CommandId	before = 0;

		if (found || !key_values(key, fcinfo, atts, values))
			continue;
		if (!sd_key_needs_parent(key))
		{
			/* a data-only load, see pg_dump, brings all as they were */
			if (!row_security)
				continue;
			before = marked_before(PG_GETARG_OID(4), (ItemPointer) PG_GETARG_POINTER(3));
		}
		if (op != NULL)
			sd_op_recheck(op, key, before, values);
		else
		{
			SdKeySet   *set = sd_key_set(key, false, false, 0);

			set->before = before;
			sd_key_set_add(set, values);
			found = sd_find_orphan(set, false);
		}
	}
	if (op == NULL && SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PG_RETURN_BOOL(!found);
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
	table = quote_literal_cstr(sd_qualified_name(relid));
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
					   names.data, values.data, get_rel_name(relid)) :
			 errdetail("A deleted row of table \"%s\" still holds the unique key.",
					   get_rel_name(relid)),
			 tell ?
			 errhint("SELECT softdelete.restore(%s, %s) brings it back, softdelete.purge(%s, %s) erases it; softdelete.create_live_unique() makes the key unique among live rows only.",
					 table, values.data, table, values.data) :
			 errhint("softdelete.create_live_unique() makes the key unique among live rows only."),
			 err_generic_string(PG_DIAG_TABLE_NAME, get_rel_name(relid))));
	PG_RETURN_BOOL(false);
}

/* The type engine has values in query trees only. */
Datum
softdelete_engine_in(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot accept a value of type softdelete.engine")));
	PG_RETURN_VOID();
}

Datum
softdelete_engine_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(pstrdup("engine"));
}
