/*
 * statistics.c
 *		Estimates for a marker that has no statistics yet.
 *
 * "deleted_at IS NULL" would by default be true of one row in two hundred, and
 * next to every plan on a table that was enabled just now would be made for a
 * handful of rows.  Where there are no statistics on the marker, all rows but a
 * few are taken for live: some, lest the index over deleted rows look like the
 * best way to each of them.  (enable() leaves statistics where the table has
 * some; a dump, an empty table or a new partition does not.)  Owns nothing;
 * whatever PostgreSQL knows goes first.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "plan/planning.h"
#include "plan/statistics.h"
#include "tables/registry.h"
#include "utils/array.h"
#include "utils/rel.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#define LIVE_SHARE 0.95

static get_relation_stats_hook_type prev_relation_stats = NULL;

static void
free_stats(HeapTuple tuple)
{
	heap_freetuple(tuple);
}

/* a row of pg_statistic for a marker by which nearly every row is live */
static HeapTuple
mostly_live(SdTable *table)
{
	Relation	catalog = table_open(StatisticRelationId, AccessShareLock);
	Datum		values[Natts_pg_statistic] = {0};
	bool		nulls[Natts_pg_statistic] = {false};
	HeapTuple	tuple;

	values[Anum_pg_statistic_starelid - 1] = ObjectIdGetDatum(table->relid);
	values[Anum_pg_statistic_staattnum - 1] = Int16GetDatum(table->marker);
	values[Anum_pg_statistic_stanullfrac - 1] =
		Float4GetDatum(table->kind == SD_TIMESTAMP ? LIVE_SHARE : 0.0);
	for (int i = 0; i < STATISTIC_NUM_SLOTS; i++)
	{
		nulls[Anum_pg_statistic_stanumbers1 - 1 + i] = true;
		nulls[Anum_pg_statistic_stavalues1 - 1 + i] = true;
	}
	if (table->kind == SD_BOOLEAN)
	{
		Datum		live = BoolGetDatum(strcmp(table->deleted_value, "true") != 0);
		Datum		frequency = Float4GetDatum(LIVE_SHARE);

		values[Anum_pg_statistic_stakind1 - 1] = Int16GetDatum(STATISTIC_KIND_MCV);
		values[Anum_pg_statistic_stanumbers1 - 1] =
			PointerGetDatum(construct_array(&frequency, 1, FLOAT4OID, sizeof(float4),
											true, TYPALIGN_INT));
		values[Anum_pg_statistic_stavalues1 - 1] =
			PointerGetDatum(construct_array(&live, 1, BOOLOID, 1, true, TYPALIGN_CHAR));
		nulls[Anum_pg_statistic_stanumbers1 - 1] = false;
		nulls[Anum_pg_statistic_stavalues1 - 1] = false;
	}
	tuple = heap_form_tuple(RelationGetDescr(catalog), values, nulls);
	table_close(catalog, AccessShareLock);
	return tuple;
}

static bool
softdelete_relation_stats(PlannerInfo *root, RangeTblEntry *rte,
						  AttrNumber attnum, VariableStatData *vardata)
{
	Relation	rel;
	SdTable    *table;
	bool		marker;

	if (prev_relation_stats && prev_relation_stats(root, rte, attnum, vardata))
		return true;

	/* a query without a managed table pays nothing */
	if (!sd_planning.active || !sd_planning.touched || rte->rtekind != RTE_RELATION)
		return false;
	rel = table_open(rte->relid, NoLock);
	table = sd_table(rel);
	/* what a status is in live rows nobody knows, and the default is near one */
	marker = table != NULL && table->marker == attnum && table->kind != SD_STATUS;
	table_close(rel, NoLock);
	if (!marker ||
		SearchSysCacheExists3(STATRELATTINH, ObjectIdGetDatum(rte->relid),
							  Int16GetDatum(attnum), BoolGetDatum(rte->inh)))
		return false;
	vardata->statsTuple = mostly_live(table);
	vardata->freefunc = free_stats;
	vardata->acl_ok = true;
	return true;
}

void
sd_statistics_init(void)
{
	prev_relation_stats = get_relation_stats_hook;
	get_relation_stats_hook = softdelete_relation_stats;
}
