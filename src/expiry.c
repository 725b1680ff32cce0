/*
 * expiry.c
 *		Which deleted rows a purge takes.
 *
 * The one place that says what "expired" means, in SQL text.  Runs nothing.
 */
#include "postgres.h"

#include "expiry.h"
#include "catalog/pg_type.h"
#include "integrity.h"
#include "keys.h"
#include "predicate.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* "expired" for the row under alias: deleted, and its retention is over */
void
sd_append_expired(StringInfo buf, SdTable *table, const char *alias,
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
char *
sd_candidates_text(PurgeRun *run)
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

		if (!sd_key_matters(key) || sd_owner_of(key->child) != run->owner)
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
			sd_append_expired(&buf, child, "c", 2, 3);
			appendStringInfo(&buf, " AND NOT COALESCE(c.%s OPERATOR(pg_catalog.=) ANY ($4), false)) IS NOT TRUE",
							 sd_column_name(child->relid, child->id));
		}
		appendStringInfoString(&buf, ")");
	}
	appendStringInfo(&buf, " FROM ONLY %s t WHERE t.%s OPERATOR(pg_catalog.<=) $1 AND ",
					 sd_qualified_name(run->relid),
					 sd_column_name(table->relid, table->time));
	sd_append_expired(&buf, table, "t", 2, 3);
	appendStringInfoString(&buf, " AND $5 IS NULL");
	return buf.data;
}

/*
 * A bound on the time of deletion that no expired row exceeds.  Months and
 * days have no fixed length, so "deleted_at + retention <= now()" cannot be
 * turned round exactly; the exact test is made beside it.
 */
Datum
sd_upper_bound(PurgeRun *run, Oid type)
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
