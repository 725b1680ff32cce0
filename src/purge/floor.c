/*
 * floor.c
 *		Rows that wait for what their deletion took besides them.
 *
 * A deleted post comes back with its images only as long as they are there.  So a
 * row does not go before the retention is over of the table whose row its deletion
 * began with, nor before that of a table above it that the deletion took rows
 * from.  This file knows which tables those may be; tally.c looks, as it locks a
 * deletion's log row, which they are.
 */
#include "postgres.h"

#include "base/own_sql.h"
#include "catalog/pg_type.h"
#include "engine/logrow.h"
#include "executor/spi.h"
#include "purge/floor.h"
#include "tables/foreignkeys.h"
#include "tables/registry.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

/* The managed tables that a table refers to, directly or not. */
static List *
tables_above(Oid root)
{
	List	   *above = list_make1_oid(root);
	ListCell   *lc;

	foreach(lc, above)			/* it grows meanwhile */
	{
		SdTable    *table = sd_table_by_oid(lfirst_oid(lc));
		ListCell   *lk;

		if (table == NULL)
			continue;
		foreach(lk, table->parents)
			above = list_append_unique_oid(above, ((SdKey *) lfirst(lk))->parent);
	}
	return list_delete_first(above);
}

/*
 * The tables that rows of this one may have to wait for, in the current memory
 * context; NULL for none.  None either where the retention is not the table's own:
 * then the caller of the purge wants it so.  SPI is connected.
 */
SdLonger *
sd_longer_tables(Oid root, Interval *retention)
{
	Oid			types[2] = {REGCLASSOID, INTERVALOID};
	Datum		values[2] = {ObjectIdGetDatum(root), IntervalPGetDatum(retention)};
	MemoryContext context = CurrentMemoryContext;
	SdLonger   *longer = NULL;
	List	   *above;
	int			n;

	n = sd_own_sql("SELECT r.target, r.retention FROM softdelete.retention r"
				   " WHERE r.target OPERATOR(pg_catalog.<>) $1"
				   " AND (r.retention IS NULL OR r.retention OPERATOR(pg_catalog.>) $2)"
				   " AND EXISTS (SELECT FROM softdelete.retention o WHERE o.target OPERATOR(pg_catalog.=) $1"
				   " AND o.retention OPERATOR(pg_catalog.=) $2)",
				   2, types, values);
	MemoryContextSwitchTo(context);
	if (n > 0)
	{
		above = tables_above(root);
		longer = palloc(offsetof(SdLonger, tables) + sizeof(SdLongerTable) * n);
		longer->purged = list_make1_oid(root);
		longer->n = n;
	}
	for (int i = 0; i < n; i++)
	{
		SdLongerTable *entry = &longer->tables[i];
		bool		isnull;
		Datum		value;

		entry->table = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
													  SPI_tuptable->tupdesc, 1, &isnull));
		entry->above = list_member_oid(above, entry->table);
		value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2,
							  &entry->for_ever);
		if (!entry->for_ever)
			entry->retention = *DatumGetIntervalP(value);
	}
	SPI_freetuptable(SPI_tuptable);
	return longer;
}

/*
 * Of tables that are purged together, since they refer to one another: what keeps
 * a deletion's rows in one of them keeps them in the others.
 */
SdLonger *
sd_longer_of_both(SdLonger *a, SdLonger *b)
{
	SdLonger   *both;

	if (a == NULL || b == NULL)
		return a ? a : b;
	both = palloc(offsetof(SdLonger, tables) + sizeof(SdLongerTable) * (a->n + b->n));
	both->purged = list_concat_copy(a->purged, b->purged);
	both->n = a->n + b->n;
	memcpy(both->tables, a->tables, sizeof(SdLongerTable) * a->n);
	memcpy(both->tables + a->n, b->tables, sizeof(SdLongerTable) * b->n);
	return both;
}

/*
 * Have rows of the purged table to wait that were taken by a deletion which began
 * with that target and took rows of these tables?  For ever, or how long?
 *
 * Anybody may have written a deletion's number into his own rows: they do not wait
 * for a deletion that does not name their table.
 */
bool
sd_has_to_wait(SdLonger *longer, Oid target, Datum tables, bool *for_ever,
			   Interval *retention)
{
	bool		waits = false;
	bool		named = false;
	ListCell   *lc;

	*for_ever = false;
	foreach(lc, longer->purged)
		named = named || sd_names_table(tables, lfirst_oid(lc));
	if (!named)
		return false;
	for (int i = 0; i < longer->n; i++)
	{
		SdLongerTable *entry = &longer->tables[i];

		if (entry->table != target && !(entry->above && sd_names_table(tables, entry->table)))
			continue;
		if (entry->for_ever)
			*for_ever = true;
		else if (!waits ||
				 DatumGetBool(DirectFunctionCall2(interval_gt,
												  IntervalPGetDatum(&entry->retention),
												  IntervalPGetDatum(retention))))
			*retention = entry->retention;
		waits = waits || !entry->for_ever;
	}
	return waits || *for_ever;
}
