/*
 * shards.c
 *		Erasing deleted rows of a distributed table.
 *
 * They are not where ctids or cursors could be kept, so one statement takes all that
 * has expired and is free to go, and returns how many of which deletion it took.
 * What it may not take is in its condition: deletions on hold, those that
 * have to wait for the rest of what they took (floor.c), rows that others refer to.
 * Called by purge.c and purgejob.c.  Owns no state.
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/own_sql.h"
#include "catalog/pg_type.h"
#include "engine/counts.h"
#include "engine/lognote.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "purge/expiry.h"
#include "purge/shards.h"
#include "tables/foreignkeys.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/referrers.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

/* parameters of the statements below */
#define TIME_LIMIT	1
#define HELD		2
#define WAITING		3
#define OWN_PARAMS	3

/*
 * The last time of deletion whose retention is over.  Shards take no condition that
 * reckons with time zones, so it is found here, by halving the time between two bounds:
 * a later deletion does not expire earlier, save within the hour in which clocks are put
 * back.
 */
static TimestampTz
last_expired(PurgeRun *run)
{
	TimestampTz low = DatumGetTimestampTz(sd_expiry_bound(run, TIMESTAMPTZOID, false));
	TimestampTz high = DatumGetTimestampTz(sd_expiry_bound(run, TIMESTAMPTZOID, true));

	/* what is to come has not expired */
	high = Min(high, run->now);
	while (low < high)
	{
		TimestampTz middle = low + (high - low + 1) / 2;
		Datum		end = DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(middle),
											  IntervalPGetDatum(run->retention));

		if (DatumGetTimestampTz(end) <= run->now)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/*
 * The deletions whose rows wait for a table that keeps its rows longer, as bigint[]; see
 * floor.c.
 */
static Datum
waiting_deletions(PurgeRun *run)
{
	ArrayBuildState *ids = NULL;
	Oid			types[5] = {REGCLASSOID, REGCLASSOID, BOOLOID, INTERVALOID, TIMESTAMPTZOID};
	Datum		values[5];

	for (int i = 0; run->longer && i < run->longer->n; i++)
	{
		SdLongerTable *table = &run->longer->tables[i];

		values[0] = ObjectIdGetDatum(run->root);
		values[1] = ObjectIdGetDatum(table->table);
		values[2] = BoolGetDatum(table->above);
		values[3] = IntervalPGetDatum(&table->retention);
		values[4] = TimestampTzGetDatum(run->now);
		(void) sd_own_sql_nulls("SELECT l.id FROM softdelete.deletion_log l"
								" WHERE $1::pg_catalog.oid OPERATOR(pg_catalog.=) ANY (l.tables)"
								" AND (l.target OPERATOR(pg_catalog.=) $2"
								" OR $3 AND $2::pg_catalog.oid OPERATOR(pg_catalog.=) ANY (l.tables))"
								" AND ($4 IS NULL OR l.deleted_at OPERATOR(pg_catalog.+) $4 OPERATOR(pg_catalog.>) $5)",
								5, types, values, table->for_ever ? "   n " : "     ");
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			bool		isnull;

			ids = accumArrayResult(ids, SPI_getbinval(SPI_tuptable->vals[row],
													  SPI_tuptable->tupdesc, 1, &isnull),
								   false, INT8OID, CurrentMemoryContext);
		}
	}
	return ids ? makeArrayResult(ids, CurrentMemoryContext) :
		PointerGetDatum(construct_empty_array(INT8OID));
}

/* " FROM table t WHERE it is deleted and has expired" */
static void
append_expired(StringInfo buf, SdTable *table)
{
	appendStringInfo(buf, " FROM %s t WHERE %s AND t.%s OPERATOR(pg_catalog.<=) $%d",
					 sd_qualified_name(table->relid), sd_table_predicate(table, false, "t"),
					 sd_column_name(table->relid, table->time), TIME_LIMIT);
}

/*
 * " AND t.k <> ALL (...)": the keys by which rows of the child refer, as an array.  Not where
 * the key has several columns; then the foreign key itself keeps the rows.
 */
static void
append_not_among(StringInfo buf, SdKey *key, Oid owner)
{
	SdStatement statement = {SD_TASK_READ};
	Oid			types[1];
	Datum		values[1];
	char	   *column = sd_column_name(key->child, key->child_atts[0]);
	char	   *array;

	if (key->n > 1)
		return;
	sd_execute(sd_prepare(psprintf("SELECT pg_catalog.array_agg(DISTINCT c.%s) FROM %s c"
								   " WHERE c.%s IS NOT NULL AND $1 IS NULL", column,
								   sd_qualified_name(key->child), column),
						  0, types, owner, 0),
			   values, &statement, owner, true, SD_VIEW_STATEMENT, 0);
	array = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (array == NULL)
		return;
	column = sd_column_name(key->parent, key->parent_atts[0]);
	appendStringInfo(buf, " AND (t.%s IS NULL OR t.%s <> ALL (%s::%s))", column, column,
					 quote_literal_cstr(array),
					 format_type_be_qualified(get_array_type(get_atttype(key->child, key->child_atts[0]))));
}

/*
 * " AND NOT EXISTS (a row that refers to it)", for each key that keeps it.  From a
 * reference table Citus does not ask the shards of others: there their keys are looked up.
 */
static void
append_free(StringInfo buf, SdTable *table, Oid owner)
{
	ListCell   *lc;

	foreach(lc, table->children)
	{
		SdKey	   *key = lfirst(lc);
		SdTable    *child = sd_find_table(key->child);

		if (!sd_key_needs_parent(key))
			continue;
		if (table->reference && !(child != NULL && child->reference))
		{
			append_not_among(buf, key, owner);
			continue;
		}
		appendStringInfo(buf, " AND NOT EXISTS (SELECT 1 FROM %s c WHERE ",
						 sd_qualified_name(key->child));
		sd_append_join(buf, key, "t", "c");
		appendStringInfoChar(buf, ')');
	}
}

/* the number in that column of the first row that SPI found */
static int64
number(int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static void
count_kept(PurgeRun *run, Oid *types, Datum *values)
{
	SdStatement statement = {SD_TASK_READ};
	SdTable    *table = run->table;
	const char *id = sd_column_name(table->relid, table->id);
	int64		rows,
				held,
				waiting;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "SELECT pg_catalog.count(*),"
					 " pg_catalog.count(*) FILTER (WHERE t.%s OPERATOR(pg_catalog.=) ANY ($%d)),"
					 " pg_catalog.count(*) FILTER (WHERE t.%s OPERATOR(pg_catalog.=) ANY ($%d)"
					 " AND t.%s OPERATOR(pg_catalog.<>) ALL ($%d))",
					 id, HELD, id, WAITING, id, HELD);
	append_expired(&text, table);
	appendStringInfo(&text, " AND $%d IS NULL", OWN_PARAMS + 1);
	sd_execute(sd_prepare(text.data, OWN_PARAMS, types, run->owner, 0), values, &statement,
			   run->owner, true, SD_VIEW_STATEMENT, 0);
	rows = number(1);
	held = number(2);
	waiting = number(3);
	if (held > 0)
		sd_keep(&run->kept, "on hold", held);
	if (waiting > 0)
		sd_keep(&run->kept, "waits for the rest of its deletion", waiting);
	if (rows > held + waiting)
		sd_keep(&run->kept, "rows that refer to it", rows - held - waiting);
}

/*
 * Erase what has expired in a distributed table; the run's purged and kept count it, and
 * the log is written.  SPI is connected.
 */
void
sd_purge_shards(PurgeRun *run)
{
	SdStatement statement = {SD_TASK_PURGE, .restricted = true, .guarded = true};
	SdTable    *table = run->table;
	const char *id = sd_column_name(table->relid, table->id);
	Oid			type = getBaseType(get_atttype(table->relid, table->time));
	Oid			types[OWN_PARAMS + 1] = {type, INT8ARRAYOID, INT8ARRAYOID};
	Datum		values[OWN_PARAMS + 1];
	HTAB	   *counts = NULL;
	StringInfoData text;

	if (sd_hangs_on_reference(table))
		sd_one_connection_each();
	values[TIME_LIMIT - 1] = TimestampTzGetDatum(last_expired(run));
	if (type == TIMESTAMPOID)
		values[TIME_LIMIT - 1] = DirectFunctionCall1(timestamptz_timestamp, values[TIME_LIMIT - 1]);
	values[HELD - 1] = PointerGetDatum(run->held);
	values[WAITING - 1] = waiting_deletions(run);
	statement.relid = run->relid;
	statement.purge_table = run->root;
	statement.retention = run->retention;
	statement.now = run->now;
	statement.context = CurrentMemoryContext;

	/* ----------
	 * WITH gone AS (DELETE FROM table t WHERE <expired> AND <not held> AND <not waiting>
	 *	AND <nobody refers to it> RETURNING t.deletion_id)
	 * SELECT g.id, count(*) FROM gone g WHERE $n IS NULL GROUP BY g.id
	 * ----------
	 */
	initStringInfo(&text);
	appendStringInfoString(&text, "WITH gone(id) AS (DELETE");
	append_expired(&text, table);
	for (int i = HELD; i <= WAITING; i++)
		appendStringInfo(&text, " AND (t.%s IS NULL OR t.%s OPERATOR(pg_catalog.<>) ALL ($%d))", id, id, i);
	append_free(&text, table, run->owner);
	appendStringInfo(&text, " RETURNING t.%s) SELECT g.id, pg_catalog.count(*) FROM gone g"
					 " WHERE $%d IS NULL GROUP BY g.id", id, OWN_PARAMS + 1);
	sd_execute(sd_prepare(text.data, OWN_PARAMS, types, run->owner, 0), values, &statement,
			   run->owner, true, SD_VIEW_STATEMENT, 0);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		bool		no_id;
		bool		isnull;
		int64		deletion = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row],
														   SPI_tuptable->tupdesc, 1, &no_id));
		int64		rows = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row],
													   SPI_tuptable->tupdesc, 2, &isnull));

		run->purged += rows;
		if (!no_id)
			sd_count_by_id(&counts, CurrentMemoryContext, deletion, run->root, rows);
	}
	/* raises where one of them was put on hold meanwhile */
	sd_log_note(counts, GetUserId(), true);
	count_kept(run, types, values);
}
