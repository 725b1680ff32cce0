/*
 * purge.c
 *		Erasing deleted rows for good.  The one place that does.
 *
 * purge_table() streams the expired rows of a table through a cursor and
 * erases them in batches (batch.c), so that memory is that of one batch.
 * Statements run as the table's owner.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/errors.h"
#include "base/guc.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "calls/events.h"
#include "calls/rowbykey.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "engine/lognote.h"
#include "engine/statement.h"
#include "executor/spi.h"
#include "fk/deferred.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "purge/batch.h"
#include "purge/purge.h"
#include "purge/relation.h"
#include "purge/replaced.h"
#include "purge/retention.h"
#include "purge/shards.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(softdelete_purge);
PG_FUNCTION_INFO_V1(softdelete_purge_table);

#define MAX_BATCH_SIZE 1000000

/* The owner may, and whoever has softdelete.hard_delete on. */
void
sd_check_may_purge(Oid relid)
{
	if (!sd_hard_delete && !sd_owns_table(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relid));
}

void
sd_check_batch_size(int batch_size)
{
	if (batch_size < 1 || batch_size > MAX_BATCH_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch size must be between 1 and %d", MAX_BATCH_SIZE)));
}

/*
 * The deletions on hold, as bigint[].  Without statistics of the log the planner takes
 * half of the rows for held ones where they are "not null", and reads it all.
 */
static ArrayType *
held_deletions(void)
{
	Datum		held;
	bool		isnull;

	sd_own_sql("SELECT pg_catalog.array_agg(id) FROM softdelete.deletion_log"
			   " WHERE held_at OPERATOR(pg_catalog.>=) '-infinity'"
			   " AND held_at OPERATOR(pg_catalog.<=) 'infinity'", 0, NULL, NULL);
	held = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? construct_empty_array(INT8OID) : (ArrayType *) PG_DETOAST_DATUM_COPY(held);
}

static void
purge_relation(PurgeRun *run)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "softdelete purge",
												  ALLOCSET_DEFAULT_SIZES);
	Portal		portal = sd_open_expired(run, NULL);
	PurgeRows	batch;
	int			found;

	do
	{
		MemoryContext old = MemoryContextSwitchTo(context);

		CHECK_FOR_INTERRUPTS();
		sd_room_for_rows(run, &batch);
		sd_fetch_rows(run, portal, &batch);
		found = batch.n;
		if (found > 0)
			sd_erase_batch(run, &batch);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
	} while (found == run->batch_size);
	sd_close_cursor(portal);
	MemoryContextDelete(context);
}

/*
 * A chain of rows that refer to one another, longer than a batch and by a key
 * that does not cascade, goes from its end: so try again while anything goes.
 */
static void
purge_until_settled(PurgeRun *run, Oid relid)
{
	SdKept		kept = run->kept;
	int64		purged;

	sd_open_relation(run, relid);
	do
	{
		purged = run->purged;
		run->kept = kept;
		purge_relation(run);
	} while (run->kept.rows > kept.rows && run->purged > purged);
	sd_close_relation(run);
}

/*
 * Prepare to purge a table; raises where the caller may not, or on values that
 * make no sense.  SPI is connected.
 */
void
sd_start_purge(PurgeRun *run, Oid relid, Interval *retention, int batch_size,
			   SdTally *tally)
{
	sd_require_managed(relid);
	sd_check_may_purge(relid);
	sd_check_batch_size(batch_size);
	sd_check_retention(retention);

	memset(run, 0, sizeof(PurgeRun));
	run->relid = run->root = relid;
	run->table = sd_table_by_oid(relid);
	run->owner = sd_owner_of(relid);
	run->retention = retention;
	run->batch_size = batch_size;
	run->now = GetCurrentTransactionStartTimestamp();
	run->held = held_deletions();
	run->longer = sd_longer_tables(run->table->root, retention);
	sd_tally_wait_for(tally, run->longer);
	run->tally = tally;
	run->kept.context = CurrentMemoryContext;
}

/* Purge the table's relations; again, too, where rows of one refer to rows of another. */
static void
purge_leaves(PurgeRun *run, Oid relid)
{
	List	   *leaves = find_all_inheritors(relid, RowExclusiveLock, NULL);
	SdKept		none = run->kept;
	int64		purged;
	ListCell   *lc;

	do
	{
		purged = run->purged;
		run->kept = none;
		foreach(lc, leaves)
			if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_RELATION &&
				sd_table_by_oid(lfirst_oid(lc)) != NULL)
				purge_until_settled(run, lfirst_oid(lc));
	} while (list_length(leaves) > 1 && run->kept.rows > 0 && run->purged > purged);
}

/*
 * purge_table(table, retention, batch_size) -> (expired, purged, kept, why):
 * erase the rows of one table that were deleted at least that long ago.  The
 * caller has ordered the tables, children first.
 */
Datum
softdelete_purge_table(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	PurgeRun	run;
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false};
	List	   *waiting = NIL;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PreventCommandIfReadOnly("softdelete.purge_table()");
	sd_spi_connect();
	sd_start_purge(&run, relid, PG_GETARG_INTERVAL_P(1), PG_GETARG_INT32(2),
				   sd_tally_begin());
	if (run.owner != GetUserId() && !run.table->distributed)
		waiting = sd_make_immediate(relid);
	if (run.table->distributed)
		sd_purge_shards(&run);
	else
		purge_leaves(&run, relid);
	sd_tally_write(run.tally);
	sd_make_deferred(waiting);
	run.purged += sd_purge_replaced(relid, run.retention, run.now);

	values[0] = Int64GetDatum(run.purged + run.kept.rows);
	values[1] = Int64GetDatum(run.purged);
	values[2] = Int64GetDatum(run.kept.rows);
	nulls[3] = run.kept.rows == 0;
	values[3] = nulls[3] ? (Datum) 0 : SPI_datumTransfer(sd_kept_jsonb(&run.kept), false, -1);
	sd_spi_finish();
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static void
raise_live(SdByKey *key)
{
	ereport(ERROR,
			(errcode(SD_ERRCODE_NOT_DELETED),
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
	SdStatement statement = {SD_TASK_ERASE, .restricted = true};
	SdRowState	state;
	Oid			types[1] = {INT8OID};
	Datum		values[1];
	Oid			owner;
	List	   *waiting = NIL;
	int64		replaced;
	bool		found;

	sd_check_may_purge(key->relid);
	sd_spi_connect();
	replaced = sd_purge_replaced_key(key);
	found = sd_probe(key, &state);
	if (replaced > 0 && !(found && state.deleted))
	{
		/* a new row has the key, or had it */
		sd_spi_finish();
		PG_RETURN_INT64(replaced);
	}
	if (!found)
		sd_raise_no_row(key);
	if (!state.deleted)
		raise_live(key);
	values[0] = Int64GetDatum(state.id);
	statement.context = CurrentMemoryContext;
	deconstruct_array(held_deletions(), INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &statement.held, NULL, &statement.n_held);
	if (sd_own_sql("SELECT FROM softdelete.deletion_log"
				   " WHERE id OPERATOR(pg_catalog.=) $1 AND held_at IS NOT NULL",
				   1, types, values) > 0)
		ereport(ERROR,
				(errcode(SD_ERRCODE_ON_HOLD),
				 errmsg("deletion " INT64_FORMAT " is on hold", state.id),
				 errhint("SELECT softdelete.release(" INT64_FORMAT ") first.", state.id)));

	owner = sd_owner_of(key->relid);
	if (owner != GetUserId() && !key->table->distributed)
		waiting = sd_make_immediate(key->relid);
	if ((key->table->distributed ? sd_erase_in_shards(key, state.id, &statement, owner) :
		 sd_by_key_execute(key, &statement, owner)) == 0)
	{
		/* somebody restored or purged it just now */
		if (!sd_probe(key, &state))
			sd_raise_no_row(key);
		raise_live(key);
	}
	sd_make_deferred(waiting);
	sd_log_note(statement.purged, GetUserId(), true);
	sd_name_event(key, state.id, "purged");
	sd_spi_finish();
	PG_RETURN_INT64(statement.rows + replaced);
}
