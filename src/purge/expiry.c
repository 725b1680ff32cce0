/*
 * expiry.c
 *		Which deleted rows a purge takes.
 *
 * The one place that says what "expired" means, in SQL text.  Called by the rest
 * of this folder; runs nothing.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "purge/expiry.h"
#include "tables/foreignkeys.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "tables/table.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* The time of deletion, no earlier than any of ours. */
void
sd_append_time(StringInfo buf, SdTable *table, const char *alias)
{
	char	   *time = psprintf("%s.%s", alias, sd_column_name(table->relid, table->time));

	if (getBaseType(get_atttype(table->relid, table->time)) == TIMESTAMPTZOID)
		appendStringInfoString(buf, time);
	else
		appendStringInfo(buf, "GREATEST(%s::pg_catalog.timestamp, '0001-01-01'::pg_catalog.timestamp)::pg_catalog.timestamptz",
						 time);
}

/*
 * "expired" for the row under alias: deleted, and its retention is over.  Whoever
 * may write the row may have put any time there.  One that is to come has not
 * expired, so nothing is added to it; no time of ours is from before the year 1,
 * and from there no time zone leads out of timestamptz.
 */
void
sd_append_expired(StringInfo buf, SdTable *table, const char *alias,
				  int retention, int now)
{
	appendStringInfo(buf, "(%s AND CASE WHEN %s.%s OPERATOR(pg_catalog.<=) $%d THEN ",
					 sd_table_predicate(table, false, alias), alias,
					 sd_column_name(table->relid, table->time), now);
	sd_append_time(buf, table, alias);
	appendStringInfo(buf, " OPERATOR(pg_catalog.+) $%d OPERATOR(pg_catalog.<=) $%d ELSE false END)",
					 retention, now);
}

/* expired, and not on hold: may go as far as the row itself is concerned */
void
sd_append_may_go(StringInfo buf, SdTable *table, const char *alias, int which)
{
	appendStringInfoChar(buf, '(');
	sd_append_expired(buf, table, alias, SD_EXPIRY_RETENTION(which), SD_EXPIRY_NOW);
	appendStringInfo(buf, " AND NOT COALESCE(%s.%s OPERATOR(pg_catalog.=) ANY ($%d), false))",
					 alias, sd_column_name(table->relid, table->id), SD_EXPIRY_HELD);
}

/* the condition that the row under alias child refers to the one under parent */
void
sd_append_join(StringInfo buf, SdKey *key, const char *parent, const char *child)
{
	for (int i = 0; i < key->n; i++)
	{
		if (i > 0)
			appendStringInfoString(buf, " AND ");
		sd_append_equal(buf,
						psprintf("%s.%s", parent, sd_column_name(key->parent, key->parent_atts[i])),
						get_atttype(key->parent, key->parent_atts[i]),
						key->operators[i],
						psprintf("%s.%s", child, sd_column_name(key->child, key->child_atts[i])),
						get_atttype(key->child, key->child_atts[i]));
	}
}

/* ----------
 * FROM ONLY table t WHERE t.deleted_at <= <upper> AND <deleted> AND
 *	(t.deleted_at <= <sure> OR <expired>)
 *
 * for a table, or a partition, of the which'th of those purged together.  The
 * upper bound is there since the partial index can use it, the other since
 * reckoning with time zones takes longer than all the rest.
 * ----------
 */
void
sd_append_candidates(StringInfo buf, SdTable *table, int which)
{
	const char *time = sd_column_name(table->relid, table->time);

	appendStringInfo(buf, " FROM ONLY %s t WHERE t.%s OPERATOR(pg_catalog.<=) $%d AND %s"
					 " AND (t.%s OPERATOR(pg_catalog.<=) $%d OR ",
					 sd_qualified_name(table->relid), time, SD_EXPIRY_UPPER(which),
					 sd_table_predicate(table, false, "t"), time, SD_EXPIRY_SURE(which));
	sd_append_expired(buf, table, "t", SD_EXPIRY_RETENTION(which), SD_EXPIRY_NOW);
	appendStringInfoChar(buf, ')');
}

/* ----------
 * CASE WHEN <held> THEN -1 WHEN EXISTS (SELECT FROM child c WHERE <refers to t>)
 *	THEN 0 WHEN ... END
 *
 * tells why the row t of runs[which] has to stay, NULL if it may go.
 * ----------
 */
void
sd_append_stays(StringInfo buf, SdTable *table, PurgeRun *runs, int n, int which)
{
	ListCell   *lc;

	appendStringInfo(buf, "CASE WHEN t.%s OPERATOR(pg_catalog.=) ANY ($%d) THEN %d",
					 sd_column_name(table->relid, table->id), SD_EXPIRY_HELD,
					 SD_STAYS_HELD);

	/*
	 * Rows that still refer to it keep it, those excepted that go with it.
	 * Tables of other owners are not for this one to read: there the foreign
	 * key's own check keeps the row.
	 */
	foreach(lc, table->children)
	{
		SdKey	   *key = lfirst(lc);
		SdTable    *child = sd_table_by_oid(key->child);

		if (!sd_key_needs_parent(key) || sd_owner_of(key->child) != runs[which].owner)
			continue;
		appendStringInfo(buf, " WHEN EXISTS (SELECT FROM %s c WHERE ",
						 sd_qualified_name(key->child));
		/* the partition has the key's columns by the names of its table */
		sd_append_join(buf, key, "t", "c");
		for (int i = 0; i < n; i++)
			if (child != NULL && child->root == runs[i].root)
			{
				appendStringInfoString(buf, " AND ");
				sd_append_may_go(buf, child, "c", i);
				appendStringInfoString(buf, " IS NOT TRUE");
			}
		appendStringInfo(buf, ") THEN %d", foreach_current_index(lc));
	}
	appendStringInfoString(buf, " END");
}

/* what it told, in words */
const char *
sd_why_stays(SdTable *table, int stays)
{
	if (stays == SD_STAYS_HELD)
		return "on hold";
	return psprintf("rows of table \"%s\" refer to it",
					get_rel_name(((SdKey *) list_nth(table->children, stays))->child));
}

/*
 * Months and days have no fixed length, so "deleted_at + retention <= now()"
 * cannot be turned round exactly.  It has a bound that no expired row exceeds,
 * and one before which all have expired; between them the exact test decides.
 */
Datum
sd_expiry_bound(PurgeRun *run, Oid type, bool upper)
{
	Interval	slack = {0};
	Datum		bound;

	if (upper)
	{
		if (run->retention->month != 0)
			slack.day = 4;
		else if (run->retention->day != 0)
			slack.day = 1;
	}
	else
		slack.day = run->retention->month != 0 ? -33 : -2;
	bound = DirectFunctionCall2(timestamptz_mi_interval,
								TimestampTzGetDatum(run->now),
								IntervalPGetDatum(run->retention));
	bound = DirectFunctionCall2(timestamptz_pl_interval, bound,
								IntervalPGetDatum(&slack));
	if (type == TIMESTAMPOID)
		bound = DirectFunctionCall1(timestamptz_timestamp, bound);
	return bound;
}

/* Types and values of the parameters. */
void
sd_expiry_values(PurgeRun *runs, int n, Oid *types, Datum *values)
{
	types[SD_EXPIRY_NOW - 1] = TIMESTAMPTZOID;
	values[SD_EXPIRY_NOW - 1] = TimestampTzGetDatum(runs[0].now);
	types[SD_EXPIRY_HELD - 1] = INT8ARRAYOID;
	values[SD_EXPIRY_HELD - 1] = PointerGetDatum(runs[0].held);
	for (int i = 0; i < n; i++)
	{
		Oid			type = getBaseType(get_atttype(runs[i].table->relid, runs[i].table->time));

		types[SD_EXPIRY_UPPER(i) - 1] = type;
		values[SD_EXPIRY_UPPER(i) - 1] = sd_expiry_bound(&runs[i], type, true);
		types[SD_EXPIRY_SURE(i) - 1] = type;
		values[SD_EXPIRY_SURE(i) - 1] = sd_expiry_bound(&runs[i], type, false);
		types[SD_EXPIRY_RETENTION(i) - 1] = INTERVALOID;
		values[SD_EXPIRY_RETENTION(i) - 1] = IntervalPGetDatum(runs[i].retention);
	}
}
