/*
 * undoskip.c
 *		undo() that passes over conflicts.
 *
 * Rows whose key a live row has taken, or whose parent is deleted still, stay
 * deleted with what hangs on them; the rest comes back.  Which ones these are is
 * for the keys themselves to say: all rows are tried together, and where that
 * meets a conflict one half and the other, down to single rows.  Called by undo.c.
 */
#include "postgres.h"

#include "base/errors.h"
#include "calls/try.h"
#include "calls/undo.h"
#include "catalog/pg_type.h"
#include "engine/statement.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/itemptr.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

typedef struct UndoRow
{
	SdUndoPart *part;
	Oid			leaf;			/* the partition that it is in, or the table */
	ItemPointerData tid;
	int			code;			/* SQLSTATE of what keeps it, -1: not tried yet,
								 * 0: restored */
	char	   *why;
} UndoRow;

typedef struct UndoRows
{
	UndoRow    *rows;			/* those of one part and partition side by side */
	int			n;
	int64		restored;		/* out */
} UndoRows;

/* the rows of a part that are deleted still, read as the table's owner */
static void
find_rows(SdUndoPart *part, UndoRow **rows, int *n)
{
	SdStatement statement = {SD_TASK_READ};
	SdTable    *table = sd_table_by_oid(part->relid);
	Oid			owner = sd_owner_of(part->relid);
	Oid			types[2] = {INT8OID};
	Datum		values[2] = {Int64GetDatum(part->id)};
	char	   *text;

	text = psprintf("SELECT t.tableoid, t.ctid FROM %s t"
					" WHERE t.%s OPERATOR(pg_catalog.=) $1 AND %s AND $2 IS NULL"
					" ORDER BY 1 USING OPERATOR(pg_catalog.<), 2 USING OPERATOR(pg_catalog.<)",
					sd_qualified_name(part->relid), sd_column_name(part->relid, table->id),
					sd_table_predicate(table, false, "t"));
	sd_execute(sd_prepare(text, 1, types, owner, 0), values, &statement, owner, true,
			   SD_VIEW_STATEMENT, 0);
	*rows = *rows ? repalloc_huge(*rows, sizeof(UndoRow) * (*n + SPI_processed + 1)) :
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(UndoRow) * (SPI_processed + 1));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		UndoRow    *row = &(*rows)[(*n)++];
		bool		isnull;

		row->part = part;
		row->leaf = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
												   SPI_tuptable->tupdesc, 1, &isnull));
		row->tid = *(ItemPointer) DatumGetPointer(SPI_getbinval(SPI_tuptable->vals[i],
																SPI_tuptable->tupdesc, 2,
																&isnull));
		row->code = -1;
		row->why = NULL;
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Restore rows of one part and partition, as the caller. */
static void
restore_run(SdOp *op, UndoRow *rows, int n)
{
	SdUndoPart *part = rows[0].part;
	SdStatement statement = {SD_TASK_RESTORE, .op = op, .id = part->id, .relid = part->relid};
	SdTable    *table = sd_table_by_oid(part->relid);
	Oid			types[4] = {get_array_type(TIDOID), OIDOID, INT8OID};
	Datum	   *tids = palloc(sizeof(Datum) * n);
	Datum		values[4] = {0, ObjectIdGetDatum(rows[0].leaf), Int64GetDatum(part->id)};
	SPIPlanPtr	plan;

	for (int i = 0; i < n; i++)
		tids[i] = PointerGetDatum(&rows[i].tid);
	values[0] = PointerGetDatum(construct_array(tids, n, TIDOID, sizeof(ItemPointerData),
												false, TYPALIGN_SHORT));
	plan = sd_prepare(psprintf("DELETE FROM %s t WHERE t.ctid OPERATOR(pg_catalog.=) ANY ($1)"
							   " AND t.tableoid OPERATOR(pg_catalog.=) $2"
							   " AND t.%s OPERATOR(pg_catalog.=) $3 AND $4 IS NULL",
							   sd_qualified_name(part->relid),
							   sd_column_name(part->relid, table->id)),
					  3, types, InvalidOid, 0);
	sd_execute(plan, values, &statement, InvalidOid, true, SD_VIEW_STATEMENT, 0);
	SPI_freeplan(plan);
	pfree(tids);
}

/* Restore exactly these rows, in one operation. */
static void
restore_rows(SdOp *op, EState *estate, void *arg)
{
	UndoRows   *these = arg;
	int			n;

	for (int i = 0; i < these->n; i += n)
	{
		CHECK_FOR_INTERRUPTS();
		for (n = 1; i + n < these->n && these->rows[i + n].part == these->rows[i].part &&
			 these->rows[i + n].leaf == these->rows[i].leaf; n++)
			;
		restore_run(op, &these->rows[i], n);
	}
	op->pending = NIL;			/* what hangs on them is among them, or stays */
}

static void
try_rows(void *arg)
{
	UndoRows   *these = arg;

	these->restored = sd_in_one_operation(restore_rows, these);
}

/* Restore what can be of these rows. */
static int64
restore_what_can(UndoRow *rows, int n)
{
	UndoRows	these = {rows, n};
	char	   *why;
	int			code;

	if (n == 0)
		return 0;
	code = sd_try_restore(try_rows, &these, &why);
	if (code != 0 && n > 1)
		return restore_what_can(rows, n / 2) + restore_what_can(rows + n / 2, n - n / 2);
	for (int i = 0; i < n; i++)
		rows[i].code = code;
	if (code != 0)
		rows[0].why = why;
	return code == 0 ? these.restored : 0;
}

/* Tell how many rows of the table stay, and what keeps the first one. */
static void
tell(UndoRow *rows, int n, Oid relid, bool parent)
{
	UndoRow    *first = NULL;
	int			kept = 0;

	for (int i = 0; i < n; i++)
		if (rows[i].part->relid == relid && rows[i].code > 0 &&
			(rows[i].code == SD_ERRCODE_PARENT_DELETED) == parent)
		{
			first = first ? first : &rows[i];
			kept++;
		}
	if (first != NULL)
		ereport(NOTICE,
				(parent ?
				 errmsg_plural("%d row of table \"%s\" stays deleted, with its parent",
							   "%d rows of table \"%s\" stay deleted, with their parents",
							   kept, kept, get_rel_name(relid)) :
				 errmsg_plural("%d row of table \"%s\" stays deleted: a live row has taken its key",
							   "%d rows of table \"%s\" stay deleted: live rows have taken their keys",
							   kept, kept, get_rel_name(relid)),
				 errdetail("%s", first->why)));
}

/* May the caller restore rows of the part?  If not, say what stays deleted. */
static bool
may_restore(SdUndoPart *part)
{
	UndoRow    *rows = NULL;
	int			n = 0;

	if (pg_class_aclcheck(part->relid, GetUserId(), ACL_DELETE) == ACLCHECK_OK)
		return true;
	find_rows(part, &rows, &n);
	if (n > 0)
		ereport(NOTICE,
				(errmsg_plural("%d row of table \"%s\" stays deleted: you have no DELETE privilege on it",
							   "%d rows of table \"%s\" stay deleted: you have no DELETE privilege on it",
							   n, n, get_rel_name(part->relid)),
				 errhint("Where nothing is in the way, SELECT softdelete.undo(" INT64_FORMAT ") brings them back with the rows that they refer to.",
						 part->id)));
	pfree(rows);
	return false;
}

/*
 * Restore what can be of the parts.  Where rows wait for a parent, those that came
 * back meanwhile may have been it, so they are tried again.
 */
int64
sd_undo_skipping(List *parts)
{
	UndoRow    *rows = NULL;
	UndoRow    *open;
	int			n = 0;
	int			n_open = 0;
	int64		restored = 0;
	int64		now;
	List	   *tables = NIL;
	ListCell   *lc;

	foreach(lc, parts)
	{
		SdUndoPart *part = lfirst(lc);

		if (sd_table_by_oid(part->relid) == NULL || !may_restore(part))
			continue;
		if (sd_table_by_oid(part->relid)->distributed)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("rows of distributed table \"%s\" cannot be restored but for those in conflict",
							get_rel_name(part->relid)),
					 errhint("Restore them by their keys: softdelete.restore_many() passes over those that cannot be.")));
		find_rows(part, &rows, &n);
		tables = list_append_unique_oid(tables, part->relid);
	}
	open = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(UndoRow) * (n + 1));
	do
	{
		now = restored;
		/* the same order, without those that are done or in conflict */
		n_open = 0;
		for (int i = 0; i < n; i++)
			if (rows[i].code == -1 || rows[i].code == SD_ERRCODE_PARENT_DELETED)
				open[n_open++] = rows[i];
		restored += restore_what_can(open, n_open);
		n_open = 0;
		for (int i = 0; i < n; i++)
			if (rows[i].code == -1 || rows[i].code == SD_ERRCODE_PARENT_DELETED)
				rows[i] = open[n_open++];
	} while (restored > now);
	foreach(lc, tables)
	{
		tell(rows, n, lfirst_oid(lc), false);
		tell(rows, n, lfirst_oid(lc), true);
	}
	return restored;
}
