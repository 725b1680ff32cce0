/*
 * undo.c
 *		undo(): everything that one deletion took comes back, or several did.
 *
 * Where it is to pass over conflicts, undoskip.c goes on when the whole meets one.
 * Owns no state.
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "calls/bringback.h"
#include "calls/refusal.h"
#include "calls/try.h"
#include "calls/undo.h"
#include "catalog/pg_type.h"
#include "engine/counts.h"
#include "engine/frame.h"
#include "engine/log.h"
#include "engine/operation.h"
#include "engine/statement.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "mark/cascade.h"
#include "mark/settle.h"
#include "miscadmin.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "tables/table.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(softdelete_undo);
PG_FUNCTION_INFO_V1(softdelete_undo_many);

/* restore what is left of the deletion in one table, as the caller */
static void
undo_table(Oid relid, int64 id, SdOp *op)
{
	SdStatement statement = {SD_TASK_RESTORE, .op = op};
	SdTable    *table = sd_table_by_oid(relid);
	Oid			types[2] = {INT8OID};
	Datum		values[2] = {Int64GetDatum(id)};
	char	   *text;
	SPIPlanPtr	plan;
	ErrorContextCallback callback;

	callback.previous = error_context_stack;
	callback.callback = sd_clash_hint;
	callback.arg = get_rel_name(relid);
	error_context_stack = &callback;
	statement.id = id;
	statement.relid = relid;
	text = psprintf("DELETE FROM %s t WHERE t.%s OPERATOR(pg_catalog.=) $1 AND $2 IS NULL",
					sd_qualified_name(relid), sd_column_name(relid, table->id));
	plan = sd_prepare(text, 1, types, InvalidOid, 0);
	sd_execute(plan, values, &statement, InvalidOid, true, SD_VIEW_STATEMENT, 0);
	error_context_stack = callback.previous;
}

/* Is anything of the deletion left in the table?  Asked as its owner. */
static bool
has_rows_of(Oid relid, int64 id)
{
	SdStatement statement = {SD_TASK_READ};
	SdTable    *table = sd_table_by_oid(relid);
	Oid			types[2] = {INT8OID};
	Datum		values[2] = {Int64GetDatum(id)};
	/* shards show what is not committed yet to the role alone that did it */
	Oid			role = table->distributed ? InvalidOid : sd_owner_of(relid);
	char	   *text;

	text = psprintf("SELECT FROM %s t WHERE t.%s OPERATOR(pg_catalog.=) $1 AND %s AND $2 IS NULL",
					sd_qualified_name(relid), sd_column_name(relid, table->id),
					sd_table_predicate(table, false, "t"));
	sd_execute(sd_prepare(text, 1, types, role, 0), values, &statement, role, true,
			   SD_VIEW_STATEMENT, 1);
	return SPI_processed > 0;
}

/*
 * Restore something in one operation, as if it were one statement, whose checks
 * come at its end: rows may refer to each other in a circle.  Returns the number
 * of rows.
 */
int64
sd_in_one_operation(void (*restore) (SdOp *, EState *, void *), void *arg)
{
	EState	   *estate = CreateExecutorState();
	QueryDesc	query = {.estate = estate};
	SdFrame		frame = {NULL, &query, NULL, sd_op_begin(estate)};
	int64		rows;

	frame.op->restoring = true;
	frame.op->whole = true;
	SD_BEGIN_FRAME(&frame);
	{
		restore(frame.op, estate, arg);
		sd_cascade(frame.op, estate);
		sd_log_write(frame.op);
		rows = frame.op->restored_total;
	}
	SD_END_FRAME(&frame);
	ExecResetTupleTable(estate->es_tupleTable, false);
	ExecCloseResultRelations(estate);
	FreeExecutorState(estate);
	return rows;
}

/* Its rows are gone already: how. */
static void
raise_nothing_left(int64 id)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(id)};
	char	   *numbers[3];

	if (sd_own_sql("SELECT (SELECT pg_catalog.sum(n) FROM pg_catalog.unnest(l.marked) AS n),"
				   " l.restored, l.purged FROM softdelete.deletion_log AS l"
				   " WHERE l.id OPERATOR(pg_catalog.=) $1", 1, types, values) == 0)
		elog(ERROR, "log row of deletion " INT64_FORMAT " is gone", id);
	for (int i = 0; i < 3; i++)
		numbers[i] = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1);
	ereport(ERROR,
			(errcode(SD_ERRCODE_NOT_DELETED),
			 errmsg("nothing of deletion " INT64_FORMAT " is left to restore", id),
			 errdetail("Rows it took: %s, restored: %s, purged: %s.",
					   numbers[0], numbers[1], numbers[2])));
}

/* How many rows of the part has the operation restored? */
static int64
restored_rows(SdOp *op, SdUndoPart *part)
{
	int64		key[2] = {part->id, part->relid};
	SdIdCount  *count = op->restored == NULL ? NULL :
		hash_search(op->restored, key, HASH_FIND, NULL);

	return count ? count->n : 0;
}

static bool
has_restored(SdOp *op, int64 id)
{
	HASH_SEQ_STATUS scan;
	SdIdCount  *count;

	if (op->restored == NULL)
		return false;
	hash_seq_init(&scan, op->restored);
	while ((count = hash_seq_search(&scan)) != NULL)
		if (count->key.id == id)
		{
			hash_seq_term(&scan);
			return true;
		}
	return false;
}

/* is the part the first one of its deletion, and so its root? */
static bool
is_root(List *parts, ListCell *lc)
{
	return lc == list_head(parts) ||
		((SdUndoPart *) lfirst(list_nth_cell(parts, list_cell_number(parts, lc) - 1)))->id !=
		((SdUndoPart *) lfirst(lc))->id;
}

/*
 * Restore what is left of all parts, of each deletion its root first and what it
 * cascades to, as the owners, before the others.
 */
static void
restore_parts(SdOp *op, EState *estate, void *arg)
{
	List	   *parts = arg;
	ListCell   *lc;

	foreach(lc, parts)
	{
		SdUndoPart *part = lfirst(lc);

		if (!is_root(parts, lc) &&
			(sd_table_by_oid(part->relid) == NULL ||
			 pg_class_aclcheck(part->relid, GetUserId(), ACL_DELETE) != ACLCHECK_OK ||
			 restored_rows(op, part) >= part->marked ||
			 !has_rows_of(part->relid, part->id)))
			continue;
		undo_table(part->relid, part->id, op);
		sd_follow(op, estate);
	}
	foreach(lc, parts)
		if (is_root(parts, lc) && !has_restored(op, ((SdUndoPart *) lfirst(lc))->id))
			raise_nothing_left(((SdUndoPart *) lfirst(lc))->id);
}

typedef struct Attempt
{
	List	   *parts;
	int64		rows;			/* out */
} Attempt;

/* The same, to be tried. */
static void
try_parts(void *arg)
{
	Attempt    *attempt = arg;

	attempt->rows = sd_in_one_operation(restore_parts, attempt->parts);
}

/*
 * The parts of a deletion, its root first; what of it made room for others is
 * among its rows again.  Raises P0002 where there is no such deletion.
 */
static List *
parts_of(int64 id, bool skip)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(id)};
	List	   *parts = NIL;
	AclResult	acl;
	Oid			root = InvalidOid;
	bool		found = false;

	if (sd_own_sql("SELECT l.target, t.t, t.n"
				   " FROM softdelete.deletion_log l, ROWS FROM (pg_catalog.unnest(l.tables),"
				   " pg_catalog.unnest(l.marked)) AS t(t, n)"
				   " WHERE l.id OPERATOR(pg_catalog.=) $1",
				   1, types, values) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no deletion " INT64_FORMAT, id),
				 errhint("SELECT id, target, deleted_at FROM softdelete.deletions lists them.")));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		SdUndoPart *part = palloc(sizeof(SdUndoPart));
		bool		isnull;

		root = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
											  SPI_tuptable->tupdesc, 1, &isnull));
		part->id = id;
		part->relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
													 SPI_tuptable->tupdesc, 2, &isnull));
		part->marked = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
												   SPI_tuptable->tupdesc, 3, &isnull));
		if (part->relid == root)
		{
			found = true;
			parts = lcons(part, parts);
		}
		else if (get_rel_name(part->relid) != NULL)
			parts = lappend(parts, part);
	}
	if (!found || sd_table_by_oid(root) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table of deletion " INT64_FORMAT " is not managed any more", id)));
	acl = pg_class_aclcheck(root, GetUserId(), ACL_DELETE);
	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_TABLE, get_rel_name(root));
	sd_bring_back_deletion(id, skip);
	return parts;
}

static bool
skips(FunctionCallInfo fcinfo)
{
	char	   *policy = text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (strcmp(policy, "skip") != 0 && strcmp(policy, "error") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("on_conflict must be 'error' or 'skip'")));
	return strcmp(policy, "skip") == 0;
}

static int64
undo(List *parts, bool skip)
{
	Attempt		attempt = {parts};
	char	   *why;

	if (!skip)
		return sd_in_one_operation(restore_parts, parts);
	return sd_try_restore(try_parts, &attempt, &why) == 0 ? attempt.rows :
		sd_undo_skipping(parts);
}

/*
 * undo(deletion id, on_conflict) -> rows brought back.  The caller needs DELETE on
 * the root table.  Where rows are left in others, that no foreign key led to (a
 * WITH query deleted from several tables), he needs it there, or they stay.
 */
Datum
softdelete_undo(PG_FUNCTION_ARGS)
{
	bool		skip = skips(fcinfo);
	int64		rows;

	sd_spi_connect();
	rows = undo(parts_of(PG_GETARG_INT64(0), skip), skip);
	sd_spi_finish();
	PG_RETURN_INT64(rows);
}

/* undo(deletion ids, on_conflict) -> rows brought back, of all of them or none */
Datum
softdelete_undo_many(PG_FUNCTION_ARGS)
{
	bool		skip = skips(fcinfo);
	Datum	   *ids;
	bool	   *nulls;
	int			n;
	List	   *parts = NIL;
	int64		rows;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &ids, &nulls, &n);
	sd_spi_connect();
	for (int i = 0; i < n; i++)
	{
		ListCell   *lc;
		bool		repeated = false;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("deletion id must not be null")));
		foreach(lc, parts)
			if (((SdUndoPart *) lfirst(lc))->id == DatumGetInt64(ids[i]))
				repeated = true;
		if (!repeated)
			parts = list_concat(parts, parts_of(DatumGetInt64(ids[i]), skip));
	}
	rows = parts == NIL ? 0 : undo(parts, skip);
	sd_spi_finish();
	PG_RETURN_INT64(rows);
}
