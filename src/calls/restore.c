/*
 * restore.c
 *		The strict calls: delete, restore and undo tell what they found.
 *
 * delete() and restore() run a DELETE as the caller, so that privileges and
 * row security hold by themselves; restore()'s is planned as the UPDATE that
 * clears the mark.  Owns no state.
 */
#include "postgres.h"

#include "calls/rowbykey.h"
#include "access/relation.h"
#include "access/table.h"
#include "mark/cascade.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "engine/log.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fk/orphan.h"
#include "tables/predicate.h"
#include "engine/statement.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "miscadmin.h"

PG_FUNCTION_INFO_V1(softdelete_delete);
PG_FUNCTION_INFO_V1(softdelete_restore);
PG_FUNCTION_INFO_V1(softdelete_undo);
PG_FUNCTION_INFO_V1(softdelete_live_predicate);

static void
connect(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

static void
finish(void)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

static void
raise_already(SdByKey *key, bool deleted, int64 id)
{
	char	   *table = quote_literal_cstr(sd_qualified_name(key->relid));

	if (deleted)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("row of table \"%s\" is already deleted", get_rel_name(key->relid)),
				 id != 0 ?
				 errdetail("The row with key %s was deleted by deletion " INT64_FORMAT ".",
						   key->text, id) :
				 errdetail("The row with key %s was inserted with the mark, and belongs to no deletion.",
						   key->text),
				 errhint("SELECT softdelete.restore(%s, ...) brings it back.", table)));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("row of table \"%s\" is not deleted", get_rel_name(key->relid)),
			 errdetail("The row with key %s is live.", key->text)));
}

static void
raise_refused(SdByKey *key, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s of a row of table \"%s\" was refused", what, get_rel_name(key->relid)),
			 errdetail("Row-level security, a trigger or a rule kept the row with key %s as it is.",
					   key->text)));
}

/* delete(table, VARIADIC key) -> deletion id */
Datum
softdelete_delete(PG_FUNCTION_ARGS)
{
	SdByKey    *key = sd_by_key(fcinfo);
	SdStatement statement = {SD_TASK_DELETE};
	SdRowState	state;

	connect();
	/* a row that was restored between the two looks is tried once more */
	for (int attempt = 1; key->has_null ||
		 sd_by_key_execute(key, &statement, InvalidOid) == 0; attempt++)
	{
		if (!sd_probe(key, &state))
			sd_raise_no_row(key);
		if (state.deleted)
			raise_already(key, true, state.id);
		if (attempt == 2)
			raise_refused(key, "delete");
	}
	finish();
	PG_RETURN_INT64(statement.id);
}

/* tell what to do about a live row that has taken the key meanwhile */
static void
clash_hint(void *arg)
{
	if (geterrcode() == ERRCODE_UNIQUE_VIOLATION ||
		geterrcode() == ERRCODE_EXCLUSION_VIOLATION)
		errhint("A live row has taken the key of the deleted one: delete or change that row of table \"%s\" first.",
				(char *) arg);
}

/* restore(table, VARIADIC key) -> rows brought back, cascaded ones included */
Datum
softdelete_restore(PG_FUNCTION_ARGS)
{
	SdByKey    *key = sd_by_key(fcinfo);
	SdByKey		bound = *key;
	SdStatement statement;
	SdRowState	state = {false, PG_INT64_MIN};
	ErrorContextCallback callback;
	int			rows;

	connect();
	callback.previous = error_context_stack;
	callback.callback = clash_hint;
	callback.arg = get_rel_name(key->relid);
	do
	{
		int64		id = state.id;

		CHECK_FOR_INTERRUPTS();
		if (!sd_probe(key, &state))
			sd_raise_no_row(key);
		if (!state.deleted)
			raise_already(key, false, 0);
		if (state.id == id)
			raise_refused(key, "restore");

		/*
		 * Of that deletion, which the log will say was restored: somebody may
		 * restore the row just now, and have it deleted again.
		 */
		statement = (SdStatement) {SD_TASK_RESTORE, .id = state.id};
		bound.where = psprintf("COALESCE(t.%s, 0) OPERATOR(pg_catalog.=) '" INT64_FORMAT "'::pg_catalog.int8 AND %s",
							   sd_column_name(key->relid, key->table->id),
							   state.id, key->where);
		error_context_stack = &callback;
		rows = sd_by_key_execute(&bound, &statement, InvalidOid);
		error_context_stack = callback.previous;
	} while (rows == 0);
	finish();
	PG_RETURN_INT64(statement.rows);
}

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
	callback.callback = clash_hint;
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
	SdFrame		frame = {sd_frame, &query, NULL, sd_op_begin(estate)};
	int64		rows;
	ListCell   *lc;

	sd_frame = &frame;
	PG_TRY();
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
	PG_FINALLY();
	{
		sd_frame = frame.outer;
	}
	PG_END_TRY();
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

	connect();
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
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("nothing of deletion " INT64_FORMAT " is left to restore", id),
				 errdetail("Its rows were restored or purged.")));
	finish();
	PG_RETURN_INT64(rows);
}

/* live_predicate(table) -> text */
Datum
softdelete_live_predicate(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);

	sd_require_managed(relid);
	PG_RETURN_TEXT_P(cstring_to_text(sd_table_predicate(sd_table_by_oid(relid), true, NULL)));
}
