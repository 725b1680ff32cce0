/*
 * purge.c
 *		Erasing deleted rows for good.  The one place that does.
 *
 * purge_table() streams the expired rows of a table through a cursor and
 * erases them in batches, each in a subtransaction.  Where a batch fails, its
 * rows are tried one by one, so that a row which cannot go stays and stalls
 * none of the others.  Memory is that of one batch.
 *
 * Statements run as the table's owner.  The guard trigger counts the rows and
 * refuses any that a foreign key would take along wrongly.
 */
#include "postgres.h"

#include "compat.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "admin.h"
#include "bykey.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "deletions.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "guc.h"
#include "keys.h"
#include "miscadmin.h"
#include "predicate.h"
#include "query.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(softdelete_purge);
PG_FUNCTION_INFO_V1(softdelete_purge_table);

#define MAX_BATCH_SIZE 1000000

typedef struct PurgeRun
{
	Oid			relid;			/* what is purged: a table or one partition */
	SdTable    *table;
	Oid			owner;
	Interval   *retention;
	TimestampTz now;
	ArrayType  *held;			/* bigint[]: deletions that must stay */
	int			batch_size;
	int64		purged;
	int64		kept;
} PurgeRun;

static void
check_may_purge(Oid relid)
{
	if (!sd_hard_delete && !sd_owns_table(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relid));
}

static Oid
owner_of(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Oid			owner = rel->rd_rel->relowner;

	table_close(rel, NoLock);
	return owner;
}

/* the deletions on hold, as bigint[] */
static ArrayType *
held_deletions(void)
{
	Datum		held;
	bool		isnull;

	sd_log_execute("SELECT pg_catalog.array_agg(id) FROM softdelete.deletion_log"
				   " WHERE held_at IS NOT NULL", 0, NULL, NULL);
	held = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? construct_empty_array(INT8OID) : (ArrayType *) PG_DETOAST_DATUM_COPY(held);
}

static void
set_held(SdStatement *statement, ArrayType *held)
{
	deconstruct_array(held, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &statement->held, NULL, &statement->n_held);
}

/* "expired" for the row under alias: deleted, and its retention is over */
static void
append_expired(StringInfo buf, SdTable *table, const char *alias,
			   int retention, int now)
{
	appendStringInfo(buf, "(%s AND (%s.%s)::pg_catalog.timestamptz OPERATOR(pg_catalog.+) $%d OPERATOR(pg_catalog.<=) $%d)",
					 sd_table_predicate(table, false, alias), alias,
					 sd_column_name(table->relid, table->time), retention, now);
}

/* ----------
 * SELECT t.ctid, t.deletion_id, <may not go> FROM ONLY table t
 *	WHERE <deleted> AND t.deleted_at <= $1 AND <expired by $2, $3>
 * $1 is a bound that the partial index can use; $4 are the held deletions.
 * ----------
 */
static char *
candidates_text(PurgeRun *run)
{
	SdTable    *table = run->table;
	StringInfoData buf;
	ListCell   *lc;

	initStringInfo(&buf);
	appendStringInfo(&buf, "SELECT t.ctid, t.%s, COALESCE(t.%s OPERATOR(pg_catalog.=) ANY ($4), false)",
					 sd_column_name(table->relid, table->id),
					 sd_column_name(table->relid, table->id));

	/*
	 * Rows that still refer to it keep it; its own table's go with it.  Tables
	 * of other owners are not for this one to read: there the foreign key's
	 * own check keeps the row.
	 */
	foreach(lc, table->children)
	{
		SdKey	   *key = lfirst(lc);

		if (!sd_key_matters(key) || owner_of(key->child) != run->owner)
			continue;
		appendStringInfo(&buf, " OR EXISTS (SELECT FROM %s c WHERE ",
						 sd_qualified_name(key->child));
		for (int i = 0; i < key->n; i++)
		{
			char	   *parent = psprintf("t.%s", sd_column_name(table->relid, key->own_atts[i]));
			char	   *child = psprintf("c.%s", sd_column_name(key->child, key->child_atts[i]));

			sd_append_equal(&buf, parent, get_atttype(key->parent, key->parent_atts[i]),
							key->operators[i],
							child, get_atttype(key->child, key->child_atts[i]));
			if (i < key->n - 1)
				appendStringInfoString(&buf, " AND ");
		}
		if (key->child == table->root)
		{
			SdTable    *child = sd_table_by_oid(key->child);

			appendStringInfoString(&buf, " AND (");
			append_expired(&buf, child, "c", 2, 3);
			appendStringInfo(&buf, " AND NOT COALESCE(c.%s OPERATOR(pg_catalog.=) ANY ($4), false)) IS NOT TRUE",
							 sd_column_name(child->relid, child->id));
		}
		appendStringInfoString(&buf, ")");
	}
	appendStringInfo(&buf, " FROM ONLY %s t WHERE t.%s OPERATOR(pg_catalog.<=) $1 AND ",
					 sd_qualified_name(run->relid),
					 sd_column_name(table->relid, table->time));
	append_expired(&buf, table, "t", 2, 3);
	appendStringInfoString(&buf, " AND $5 IS NULL");
	return buf.data;
}

/*
 * Erase the rows with these ctids, as far as they are still expired.  The
 * statement's counts tell what went.
 */
static void
erase(PurgeRun *run, SPIPlanPtr plan, Datum *tids, int n, SdStatement *statement)
{
	Datum		values[4];

	values[0] = PointerGetDatum(construct_array(tids, n, TIDOID,
												sizeof(ItemPointerData), false,
												TYPALIGN_SHORT));
	values[1] = IntervalPGetDatum(run->retention);
	values[2] = TimestampTzGetDatum(run->now);
	sd_execute(plan, values, statement, run->owner, true, SD_VIEW_STATEMENT, 0);
}

/* errors that end the purge instead of keeping a row */
static bool
is_fatal(int sqlerrcode)
{
	int			category = ERRCODE_TO_CATEGORY(sqlerrcode);

	return category == ERRCODE_OPERATOR_INTERVENTION ||
		category == ERRCODE_INSUFFICIENT_RESOURCES ||
		category == ERRCODE_TRANSACTION_ROLLBACK ||
		category == ERRCODE_INTERNAL_ERROR ||
		category == ERRCODE_SYSTEM_ERROR;
}

/*
 * The same in a subtransaction; false when it failed and nothing went.
 *
 * guarded: every row passes the guard trigger, which counts it.  Otherwise all
 * of them have to go, and are counted by their deletion ids, 0 for none.
 */
static bool
try_erase(PurgeRun *run, SPIPlanPtr plan, Datum *tids, int64 *ids, int n, bool guarded)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	SdStatement statement = {SD_TASK_PURGE};
	volatile bool done = false;

	statement.relid = run->relid;
	statement.purge_table = run->table->root;
	statement.guarded = guarded;
	set_held(&statement, run->held);
	statement.retention = run->retention;
	statement.now = run->now;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		erase(run, plan, tids, n, &statement);
		if (statement.unguarded)
		{
			if (SPI_processed != (uint64) n)
				ereport(ERROR,
						(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
						 errmsg("rows to purge were changed meanwhile")));
			statement.rows += n;
			for (int i = 0; i < n; i++)
				if (ids[i] != 0)
					sd_count_by_id(&statement.purged, TopTransactionContext, ids[i], 1);
		}
		sd_log_note(statement.purged, GetUserId(), true);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		run->purged += statement.rows;
		done = true;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (is_fatal(error->sqlerrcode))
			ReThrowError(error);
		FreeErrorData(error);
	}
	PG_END_TRY();
	if (statement.purged)
		hash_destroy(statement.purged);
	return done;
}

/* All at once, or, when that fails, one by one. */
static void
erase_batch(PurgeRun *run, SPIPlanPtr plan, Datum *tids, int64 *ids, int n)
{
	if (n == 0 ||
		try_erase(run, plan, tids, ids, n, false) ||
		try_erase(run, plan, tids, ids, n, true))
		return;
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (n == 1 || !try_erase(run, plan, &tids[i], &ids[i], 1, true))
			run->kept++;
	}
}

/*
 * A bound on the time of deletion that no expired row exceeds.  Months and
 * days have no fixed length, so "deleted_at + retention <= now()" cannot be
 * turned round exactly; the exact test is made beside it.
 */
static Datum
upper_bound(PurgeRun *run, Oid type)
{
	Interval	slack = {0};
	Datum		bound;

	if (run->retention->month != 0)
		slack.day = 4;
	else if (run->retention->day != 0)
		slack.day = 1;
	bound = DirectFunctionCall2(timestamptz_mi_interval,
								TimestampTzGetDatum(run->now),
								IntervalPGetDatum(run->retention));
	bound = DirectFunctionCall2(timestamptz_pl_interval, bound,
								IntervalPGetDatum(&slack));
	if (type == TIMESTAMPOID)
		bound = DirectFunctionCall1(timestamptz_timestamp, bound);
	return bound;
}

static void
purge_relation(PurgeRun *run)
{
	SdStatement reading = {SD_TASK_READ};
	SdStatement *save_pending = sd_pending_statement;
	Oid			time_type = getBaseType(get_atttype(run->table->relid, run->table->time));
	Oid			types[5] = {time_type, INTERVALOID, TIMESTAMPTZOID, INT8ARRAYOID};
	Oid			erase_types[4] = {TIDARRAYOID, INTERVALOID, TIMESTAMPTZOID};
	Datum		values[5];
	char		nulls[6] = "    n";
	StringInfoData text;
	SPIPlanPtr	eraser;
	Portal		portal;
	Datum	   *tids = palloc(sizeof(Datum) * run->batch_size);
	int64	   *ids = palloc(sizeof(int64) * run->batch_size);
	MemoryContext batch_context = AllocSetContextCreate(CurrentMemoryContext,
														"softdelete purge",
														ALLOCSET_DEFAULT_SIZES);
	Oid			save_role;
	int			save_context;

	initStringInfo(&text);
	appendStringInfo(&text, "DELETE FROM ONLY %s t WHERE t.ctid OPERATOR(pg_catalog.=) ANY ($1) AND ",
					 sd_qualified_name(run->relid));
	append_expired(&text, run->table, "t", 2, 3);
	appendStringInfoString(&text, " AND $4 IS NULL");

	values[0] = upper_bound(run, time_type);
	values[1] = IntervalPGetDatum(run->retention);
	values[2] = TimestampTzGetDatum(run->now);
	values[3] = PointerGetDatum(run->held);
	values[4] = PointerGetDatum(&reading);

	GetUserIdAndSecContext(&save_role, &save_context);
	SetUserIdAndSecContext(run->owner, save_context |
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	/* a plan for each batch's ctids would scan the whole table */
	eraser = sd_prepare(text.data, 3, erase_types, run->owner,
						CURSOR_OPT_GENERIC_PLAN);
	sd_pending_statement = &reading;
	PG_TRY();
	{
		portal = SPI_cursor_open(NULL,
								 sd_prepare(candidates_text(run), 4, types, run->owner,
											CURSOR_OPT_NO_SCROLL | CURSOR_OPT_CUSTOM_PLAN),
								 values, nulls, false);
	}
	PG_FINALLY();
	{
		sd_pending_statement = save_pending;
	}
	PG_END_TRY();
	SetUserIdAndSecContext(save_role, save_context);

	for (;;)
	{
		MemoryContext old;
		SPITupleTable *batch;
		int			found;
		int			n = 0;

		CHECK_FOR_INTERRUPTS();
		SetUserIdAndSecContext(run->owner, save_context |
							   SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
		SPI_cursor_fetch(portal, true, run->batch_size);
		SetUserIdAndSecContext(save_role, save_context);
		found = SPI_processed;
		batch = SPI_tuptable;
		if (found == 0)
			break;

		old = MemoryContextSwitchTo(batch_context);
		for (int i = 0; i < found; i++)
		{
			bool		isnull;

			if (DatumGetBool(SPI_getbinval(batch->vals[i], batch->tupdesc, 3, &isnull)))
			{
				run->kept++;
				continue;
			}
			tids[n] = SPI_getbinval(batch->vals[i], batch->tupdesc, 1, &isnull);
			ids[n] = DatumGetInt64(SPI_getbinval(batch->vals[i], batch->tupdesc, 2, &isnull));
			if (isnull)
				ids[n] = 0;
			n++;
		}
		erase_batch(run, eraser, tids, ids, n);
		MemoryContextSwitchTo(old);
		MemoryContextReset(batch_context);
		SPI_freetuptable(batch);
	}
	SPI_cursor_close(portal);
	MemoryContextDelete(batch_context);
	pfree(tids);
	pfree(ids);
}

/*
 * A chain of rows that refer to one another, longer than a batch and by a key
 * that does not cascade, goes from its end: so try again while anything goes.
 */
static void
purge_until_settled(PurgeRun *run)
{
	int64		kept = run->kept;
	int64		purged;

	do
	{
		purged = run->purged;
		run->kept = kept;
		purge_relation(run);
	} while (run->kept > kept && run->purged > purged);
}

/*
 * purge_table(table, retention, batch_size) -> (expired, purged, kept): erase
 * the rows of one table that were deleted at least that long ago.  The caller
 * has ordered the tables, children first.
 */
Datum
softdelete_purge_table(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	PurgeRun	run = {0};
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};
	ListCell   *lc;

	check_may_purge(relid);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	run.owner = owner_of(relid);
	run.retention = PG_GETARG_INTERVAL_P(1);
	run.batch_size = PG_GETARG_INT32(2);
	if (run.batch_size < 1 || run.batch_size > MAX_BATCH_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch size must be between 1 and %d", MAX_BATCH_SIZE)));
	sd_check_retention(run.retention);
	run.now = GetCurrentTransactionStartTimestamp();

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	run.held = held_deletions();
	foreach(lc, find_all_inheritors(relid, RowExclusiveLock, NULL))
	{
		Oid			leaf = lfirst_oid(lc);

		if (get_rel_relkind(leaf) != RELKIND_RELATION)
			continue;
		run.relid = leaf;
		run.table = sd_table_by_oid(leaf);
		if (run.table != NULL)
			purge_until_settled(&run);
	}
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");

	values[0] = Int64GetDatum(run.purged + run.kept);
	values[1] = Int64GetDatum(run.purged);
	values[2] = Int64GetDatum(run.kept);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static void
raise_live(SdByKey *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("row of table \"%s\" is not deleted", get_rel_name(key->relid)),
			 errdetail("The row with key %s is live, and only deleted rows are purged.",
					   key->text),
			 errhint("DELETE it first.")));
}

/* purge(table, VARIADIC key) -> rows erased, cascaded ones included */
Datum
softdelete_purge(PG_FUNCTION_ARGS)
{
	SdByKey    *key = sd_by_key(fcinfo);
	SdStatement statement = {SD_TASK_ERASE};
	SdRowState	state;
	Oid			types[1] = {INT8OID};
	Datum		values[1];

	check_may_purge(key->relid);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (!sd_probe(key, &state))
		sd_raise_no_row(key);
	if (!state.dead)
		raise_live(key);
	values[0] = Int64GetDatum(state.id);
	set_held(&statement, held_deletions());
	if (sd_log_execute("SELECT FROM softdelete.deletion_log"
					   " WHERE id OPERATOR(pg_catalog.=) $1 AND held_at IS NOT NULL",
					   1, types, values) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("deletion " INT64_FORMAT " is on hold", state.id),
				 errhint("SELECT softdelete.release(" INT64_FORMAT ") first.", state.id)));

	if (sd_by_key_execute(key, &statement, owner_of(key->relid)) == 0)
	{
		/* somebody restored or purged it just now */
		if (!sd_probe(key, &state))
			sd_raise_no_row(key);
		raise_live(key);
	}
	sd_log_note(statement.purged, GetUserId(), true);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	PG_RETURN_INT64(statement.rows);
}
