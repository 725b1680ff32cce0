/*
 * undo.c
 *		undo(): everything that one deletion took comes back.
 *
 * Owns no state.
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "calls/refusal.h"
#include "catalog/pg_type.h"
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
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(softdelete_undo);

/* restore what is left of the deletion in one table, as the caller */
static void
undo_table(Oid relid, int64 id, SdOp *op)
{
	SdStatement statement = {SD_TASK_RESTORE, .op = op};
	SdTable    *table = sd_table_by_oid(relid);
	Oid			types[2] = {INT8OID};
	Datum		values[2] = {Int64GetDatum(id)};
	char	   *text;
	ErrorContextCallback callback;

	callback.previous = error_context_stack;
	callback.callback = sd_clash_hint;
	callback.arg = get_rel_name(relid);
	error_context_stack = &callback;
	statement.id = id;
	statement.relid = relid;
	text = psprintf("DELETE FROM %s t WHERE t.%s OPERATOR(pg_catalog.=) $1 AND $2 IS NULL",
					sd_qualified_name(relid), sd_column_name(relid, table->id));
	sd_execute(sd_prepare(text, 1, types, InvalidOid, 0), values, &statement,
			   InvalidOid, true, SD_VIEW_STATEMENT, 0);
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
	char	   *text;

	text = psprintf("SELECT FROM %s t WHERE t.%s OPERATOR(pg_catalog.=) $1 AND %s AND $2 IS NULL",
					sd_qualified_name(relid), sd_column_name(relid, table->id),
					sd_table_predicate(table, false, "t"));
	sd_execute(sd_prepare(text, 1, types, sd_owner_of(relid), 0), values,
			   &statement, sd_owner_of(relid), true, SD_VIEW_STATEMENT, 1);
	return SPI_processed > 0;
}

/*
 * Restore what is left of the deletion in the tables, the first one first and
 * what it cascades to, as the owners, before the others.  One operation, as if
 * it were one statement, whose checks come at its end: rows may refer to each
 * other in a circle.  Returns the number of rows.
 */
static int64
undo_tables(List *tables, int64 id)
{
	EState	   *estate = CreateExecutorState();
	QueryDesc	query = {.estate = estate};
	SdFrame		frame = {NULL, &query, NULL, sd_op_begin(estate)};
	int64		rows;
	ListCell   *lc;

	frame.op->restoring = true;
	frame.op->whole = true;
	SD_BEGIN_FRAME(&frame);
	{
		foreach(lc, tables)
		{
			Oid			relid = lfirst_oid(lc);

			if (lc != list_head(tables) &&
				(sd_table_by_oid(relid) == NULL ||
				 pg_class_aclcheck(relid, GetUserId(), ACL_DELETE) != ACLCHECK_OK ||
				 !has_rows_of(relid, id)))
				continue;
			undo_table(relid, id, frame.op);
			sd_follow(frame.op, estate);
		}
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

/*
 * The tables of a deletion's log row, and its root; raises P0002 without one.
 */
static List *
logged_tables(int64 id, Oid *root)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(id)};
	List	   *tables = NIL;
	bool		isnull;

	if (sd_own_sql("SELECT l.target, t.t"
				   " FROM softdelete.deletion_log l, pg_catalog.unnest(l.tables) AS t(t)"
				   " WHERE l.id OPERATOR(pg_catalog.=) $1",
				   1, types, values) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no deletion " INT64_FORMAT, id),
				 errhint("SELECT id, target, deleted_at FROM softdelete.deletions lists them.")));
	*root = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1, &isnull));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Oid			relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
														   SPI_tuptable->tupdesc,
														   2, &isnull));

		if (get_rel_name(relid) != NULL)
			tables = lappend_oid(tables, relid);
	}
	return tables;
}

/*
 * undo(deletion id) -> rows brought back.  The caller needs DELETE on the root
 * table.  Where rows are left in others, that no foreign key led to (a WITH
 * query deleted from several tables), he needs it there, or they stay.
 */
Datum
softdelete_undo(PG_FUNCTION_ARGS)
{
	int64		id = PG_GETARG_INT64(0);
	Oid			root;
	List	   *tables;
	int64		rows;
	AclResult	acl;

	sd_spi_connect();
	tables = logged_tables(id, &root);
	if (!list_member_oid(tables, root) || sd_table_by_oid(root) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table of deletion " INT64_FORMAT " is not managed any more", id)));
	acl = pg_class_aclcheck(root, GetUserId(), ACL_DELETE);
	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_TABLE, get_rel_name(root));

	rows = undo_tables(lcons_oid(root, list_delete_oid(tables, root)), id);
	if (rows == 0)
		ereport(ERROR,
				(errcode(SD_ERRCODE_NOT_DELETED),
				 errmsg("nothing of deletion " INT64_FORMAT " is left to restore", id),
				 errdetail("Its rows were restored or purged.")));
	sd_spi_finish();
	PG_RETURN_INT64(rows);
}
