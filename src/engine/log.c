/*
 * log.c
 *		The log of deletions: one row for each (deletion.c).
 *
 * The row is written without the executor (logrow.c) where that may be, else by SQL.
 * What became of a deletion's rows later on is added by lognote.c.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/guc.h"
#include "base/own_objects.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "catalog/indexing.h"
#include "catalog/pg_type.h"
#include "engine/counts.h"
#include "engine/deletion.h"
#include "engine/log.h"
#include "engine/lognote.h"
#include "engine/logrow.h"
#include "engine/losses.h"
#include "engine/operation.h"
#include "engine/trace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "tables/primarykey.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

static void
table_arrays(SdOp *op, Datum *tables, Datum *marked)
{
	Datum	   *old_oids = NULL;
	Datum	   *old_rows = NULL;
	Datum	   *oids;
	Datum	   *rows;
	int			n = 0;
	ListCell   *lc;

	if (*tables != 0)
	{
		deconstruct_array(DatumGetArrayTypeP(*tables), REGCLASSOID, sizeof(Oid), true,
						  TYPALIGN_INT, &old_oids, NULL, &n);
		deconstruct_array(DatumGetArrayTypeP(*marked), INT8OID, sizeof(int64),
						  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &old_rows, NULL, &n);
	}
	oids = palloc(sizeof(Datum) * (n + list_length(op->counts)));
	rows = palloc(sizeof(Datum) * (n + list_length(op->counts)));
	for (int i = 0; i < n; i++)
	{
		oids[i] = old_oids[i];
		rows[i] = old_rows[i];
	}
	foreach(lc, op->counts)
	{
		SdCount    *count = lfirst(lc);
		int			i = 0;

		while (i < n && DatumGetObjectId(oids[i]) != count->relid)
			i++;
		if (i == n)
		{
			oids[n] = ObjectIdGetDatum(count->relid);
			rows[n++] = Int64GetDatum(0);
		}
		rows[i] = Int64GetDatum(count->in_all ? count->n : DatumGetInt64(rows[i]) + count->n);
	}
	*tables = PointerGetDatum(construct_array(oids, n, REGCLASSOID,
											  sizeof(Oid), true, TYPALIGN_INT));
	*marked = PointerGetDatum(construct_array(rows, n, INT8OID, sizeof(int64),
											  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Insert the row by SQL, as the log's owner. */
static void
insert_by_sql(Relation log, Datum *values, bool *isnull)
{
	StringInfoData text;
	Oid			types[LOG_COLUMNS];
	char		nulls[LOG_COLUMNS + 1];

	initStringInfo(&text);
	appendStringInfoString(&text, "INSERT INTO softdelete.deletion_log VALUES (");
	for (int i = 0; i < LOG_COLUMNS; i++)
	{
		appendStringInfo(&text, "%s$%d", i > 0 ? ", " : "", i + 1);
		types[i] = TupleDescAttr(RelationGetDescr(log), i)->atttypid;
		nulls[i] = isnull[i] ? 'n' : ' ';
	}
	nulls[LOG_COLUMNS] = '\0';
	appendStringInfoChar(&text, ')');
	sd_spi_connect();
	(void) sd_own_sql_nulls(text.data, LOG_COLUMNS, types, values, nulls);
	sd_spi_finish();
}

static void
insert_row(Relation log, CatalogIndexState indexes, SdOp *op, SdDeletion *deletion)
{
	Datum		values[LOG_COLUMNS] = {0};
	bool		nulls[LOG_COLUMNS] = {0};

	values[LOG_ID] = Int64GetDatum(op->id);
	values[LOG_TARGET] = ObjectIdGetDatum(op->root);
	values[LOG_DELETED_AT] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	values[LOG_DELETED_BY] = sd_log_role(op->role);
	values[LOG_SESSION_ROLE] = sd_log_role(GetSessionUserId());
	values[LOG_ACTOR] = sd_log_text(deletion ? deletion->actor : sd_actor,
									&nulls[LOG_ACTOR]);
	values[LOG_REASON] = sd_log_text(deletion ? deletion->reason : sd_reason,
									 &nulls[LOG_REASON]);
	values[LOG_TXID] = Int64GetDatum((int64) U64FromFullTransactionId(GetTopFullTransactionId()));
	values[LOG_APPLICATION_NAME] = sd_log_text(application_name,
											   &nulls[LOG_APPLICATION_NAME]);
	table_arrays(op, &values[LOG_TABLES], &values[LOG_MARKED]);
	values[LOG_RESTORED] = Int64GetDatum(0);
	values[LOG_PURGED] = Int64GetDatum(0);
	for (int i = LOG_RESTORED_AT; i < LOG_COLUMNS; i++)
		nulls[i] = true;

	if (sd_is_plain_table(log, indexes))
	{
		HeapTuple	tuple = heap_form_tuple(RelationGetDescr(log), values, nulls);

		sd_plain_insert(log, indexes, tuple);
		heap_freetuple(tuple);
	}
	else
		insert_by_sql(log, values, nulls);
}

/* Add to the row by SQL, as the log's owner.  false: there is none. */
static bool
add_by_sql(SdOp *op)
{
	Oid			types[] = {INT8OID, REGCLASSARRAYOID, INT8ARRAYOID, REGCLASSOID};
	Datum		values[4] = {Int64GetDatum(op->id), 0, 0, ObjectIdGetDatum(op->root)};
	bool		found;

	sd_spi_connect();
	found = sd_own_sql("SELECT tables, marked FROM softdelete.deletion_log"
					   " WHERE id OPERATOR(pg_catalog.=) $1", 1, types, values) > 0;
	if (found)
	{
		for (int i = 1; i <= 2; i++)
		{
			bool		isnull;

			values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i,
									  &isnull);
		}
		table_arrays(op, &values[1], &values[2]);
		(void) sd_own_sql(op->drew ?
						  "UPDATE softdelete.deletion_log SET tables = $2, marked = $3, target = $4"
						  " WHERE id OPERATOR(pg_catalog.=) $1" :
						  "UPDATE softdelete.deletion_log SET tables = $2, marked = $3"
						  " WHERE id OPERATOR(pg_catalog.=) $1", op->drew ? 4 : 3, types, values);
	}
	sd_spi_finish();
	return found;
}

/*
 * Add to the row that an earlier statement of this transaction has written.
 * false: there is none, since a savepoint that it was written after was rolled
 * back.  Nobody else has seen it yet.
 */
static bool
add_to_row(Relation log, CatalogIndexState indexes, SdOp *op)
{
	Oid			primary = sd_primary_key(log);
	ScanKeyData key[1];
	SysScanDesc scan;
	HeapTuple	tuple;
	Datum		values[LOG_COLUMNS];
	bool		nulls[LOG_COLUMNS] = {0};
	int			atts[] = {LOG_TABLES + 1, LOG_MARKED + 1, LOG_TARGET + 1};
	Datum		changed[3];

	if (!OidIsValid(primary) || !sd_is_plain_table(log, indexes))
		return add_by_sql(op);

	ScanKeyInit(&key[0], LOG_ID + 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(op->id));
	scan = systable_beginscan(log, primary, true, SnapshotSelf, 1, key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		heap_deform_tuple(tuple, RelationGetDescr(log), values, nulls);
		changed[0] = values[LOG_TABLES];
		changed[1] = values[LOG_MARKED];
		table_arrays(op, &changed[0], &changed[1]);
		/* the table whose row asked for the id first, as of one statement */
		changed[2] = op->drew ? ObjectIdGetDatum(op->root) : values[LOG_TARGET];
		tuple = heap_modify_tuple_by_cols(tuple, RelationGetDescr(log), lengthof(atts),
										  atts, changed, nulls);
		sd_plain_update(log, indexes, &tuple->t_self, tuple);
	}
	systable_endscan(scan);
	return HeapTupleIsValid(tuple);
}

/*
 * Write down what the operation has marked since it did so last.  The first
 * statement of a deletion inserts the row, later ones of the transaction add.
 */
static void
log_marked(SdOp *op)
{
	SdDeletion *deletion = sd_deletion_by_id(op->id);
	Relation	log = table_open(sd_objects()->log, RowExclusiveLock);
	CatalogIndexState indexes = CatalogOpenIndexes(log);

	if (RelationGetNumberOfAttributes(log) != LOG_COLUMNS)
		sd_raise_other_version();
	if (!(op->logged || (deletion && deletion->logged)) ||
		!add_to_row(log, indexes, op))
		insert_row(log, indexes, op, deletion);
	CatalogCloseIndexes(indexes);
	table_close(log, RowExclusiveLock);
	CommandCounterIncrement();

	op->logged = true;
	if (deletion)
		deletion->logged = true;
	list_free_deep(op->counts);
	op->counts = NIL;
}

/* Write down what the operation did.  Nothing, when it did nothing. */
void
sd_log_write(SdOp *op)
{
	sd_trace_op(op);
	if (op->ordered)
		return;
	if (op->counts != NIL)
		log_marked(op);
	if (op->restored == NULL && op->purged == NULL)
		return;
	sd_spi_connect();
	sd_log_note(op->restored, op->role, false);
	sd_tell_losses(op->restored);
	op->restored = NULL;
	op->restored_last = NULL;
	sd_log_note(op->purged, op->role, true);
	op->purged = NULL;
	sd_spi_finish();
}
