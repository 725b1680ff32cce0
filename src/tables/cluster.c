/*
 * cluster.c
 *		What Citus has done with a table.
 *
 * Citus keeps a distributed table as an empty shell, whose rows are in shards:
 * tables like any other, on this node or elsewhere, that carry the same triggers.
 * Its catalogs say which is which.  They are read by the names of their columns
 * and nothing of Citus is linked to, so that the library works without it.  Reads
 * catalogs and keeps nothing: what is found goes into the registry's entry, which
 * Citus makes stale when it changes a table.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_namespace.h"
#include "nodes/primnodes.h"
#include "tables/cluster.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* the row of that catalog whose column has the value; NULL for none */
static HeapTuple
find_row(Relation catalog, const char *column, const char *index, RegProcedure equal, Datum value)
{
	Oid			indexoid = get_relname_relid(index, PG_CATALOG_NAMESPACE);
	ScanKeyData key[1];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key[0], get_attnum(RelationGetRelid(catalog), column),
				BTEqualStrategyNumber, equal, value);
	scan = systable_beginscan(catalog, indexoid, OidIsValid(indexoid), NULL, 1, key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	return tuple;
}

static Datum
column(Relation catalog, HeapTuple tuple, const char *name, bool *isnull)
{
	return heap_getattr(tuple, get_attnum(RelationGetRelid(catalog), name),
						RelationGetDescr(catalog), isnull);
}

/* Is it one of the tables that Citus calls table_shardid? */
static bool
is_shard(Relation rel)
{
	const char *name = RelationGetRelationName(rel);
	const char *number = strrchr(name, '_');
	Oid			shards = get_relname_relid("pg_dist_shard", PG_CATALOG_NAMESPACE);
	Relation	catalog;
	HeapTuple	tuple;

	if (number == NULL || number[1] == '\0' || strlen(number + 1) > 18 ||
		strspn(number + 1, "0123456789") != strlen(number + 1) || !OidIsValid(shards))
		return false;
	catalog = table_open(shards, AccessShareLock);
	tuple = find_row(catalog, "shardid", "pg_dist_shard_shardid_index", F_INT8EQ,
					 Int64GetDatum(strtoll(number + 1, NULL, 10)));
	table_close(catalog, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* Fill in what the entry says of the cluster. */
void
sd_read_cluster(SdTable *table, Relation rel)
{
	Relation	catalog;
	HeapTuple	tuple;
	bool		isnull;
	Datum		value;

	if (!sd_in_cluster())
		return;
	catalog = table_open(sd_objects()->citus, AccessShareLock);
	tuple = find_row(catalog, "logicalrelid", "pg_dist_partition_logical_relid_index",
					 F_OIDEQ, ObjectIdGetDatum(RelationGetRelid(rel)));
	if (HeapTupleIsValid(tuple))
	{
		table->distributed = true;
		value = column(catalog, tuple, "repmodel", &isnull);
		table->reference = !isnull && DatumGetChar(value) == 't' &&
			DatumGetChar(column(catalog, tuple, "partmethod", &isnull)) == 'n';
		value = column(catalog, tuple, "partkey", &isnull);
		if (!isnull)
		{
			Node	   *key = stringToNode(TextDatumGetCString(value));

			if (IsA(key, Var))
				table->dist_column = ((Var *) key)->varattno;
		}
	}
	table_close(catalog, AccessShareLock);
	table->shard = !table->distributed && is_shard(rel);
}

/* Has Citus distributed the table, managed or not? */
bool
sd_is_distributed(Oid relid)
{
	SdTable		table = {0};
	Relation	rel;

	if (!sd_in_cluster())
		return false;
	rel = table_open(relid, AccessShareLock);
	sd_read_cluster(&table, rel);
	table_close(rel, AccessShareLock);
	return table.distributed;
}

/* The table's name, without what makes it a shard's; for messages. */
char *
sd_logical_relname(Oid relid)
{
	char	   *name = get_rel_name(relid);
	Relation	rel;

	if (!sd_in_cluster())
		return name;
	rel = table_open(relid, AccessShareLock);
	if (is_shard(rel))
		*strrchr(name, '_') = '\0';
	table_close(rel, NoLock);
	return name;
}

/* The table that has that name; the relation itself where it is no shard. */
Oid
sd_logical_oid(Oid relid)
{
	Oid			table = get_relname_relid(sd_logical_relname(relid), get_rel_namespace(relid));

	return OidIsValid(table) ? table : relid;
}

/* The name quoted and qualified; for hints. */
char *
sd_logical_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  sd_logical_relname(relid));
}

/* The number of this node, by which its ids differ from those of others; 0 is the coordinator. */
int
sd_local_node(void)
{
	Relation	catalog;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		isnull;
	int			node = 0;

	if (!sd_in_cluster() || !OidIsValid(sd_objects()->local_group))
		return 0;
	/* it has one row, and this column alone; a node that joins a cluster changes it */
	catalog = table_open(sd_objects()->local_group, AccessShareLock);
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		node = DatumGetInt32(heap_getattr(tuple, 1, RelationGetDescr(catalog), &isnull));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return node;
}
