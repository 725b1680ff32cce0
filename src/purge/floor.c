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
#include "executor/spi.h"
#include "purge/floor.h"
#include "tables/foreignkeys.h"
#include "tables/registry.h"
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

static ArrayType *
oid_array(List *oids)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(list_length(oids), 1));
	ListCell   *lc;
	int			n = 0;

	foreach(lc, oids)
		values[n++] = ObjectIdGetDatum(lfirst_oid(lc));
	return construct_array(values, n, REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT);
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
	List	   *roots = NIL;
	List	   *above = NIL;
	SdLonger   *longer;
	ListCell   *lc;
	uint64		n;

	n = sd_own_sql("SELECT r.target FROM softdelete.retention r"
				   " WHERE r.target OPERATOR(pg_catalog.<>) $1"
				   " AND (r.retention IS NULL OR r.retention OPERATOR(pg_catalog.>) $2)"
				   " AND EXISTS (SELECT FROM softdelete.retention o WHERE o.target OPERATOR(pg_catalog.=) $1"
				   " AND o.retention OPERATOR(pg_catalog.=) $2)",
				   2, types, values);
	MemoryContextSwitchTo(context);
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		roots = lappend_oid(roots, DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
																  SPI_tuptable->tupdesc,
																  1, &isnull)));
	}
	if (roots == NIL)
		return NULL;
	foreach(lc, tables_above(root))
		if (list_member_oid(roots, lfirst_oid(lc)))
			above = lappend_oid(above, lfirst_oid(lc));
	longer = palloc(sizeof(SdLonger));
	longer->table = root;
	longer->roots = oid_array(roots);
	longer->above = oid_array(above);
	return longer;
}
