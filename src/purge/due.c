/*
 * due.c
 *		Has anything expired at all?
 *
 * Most tables have nothing to purge most of the time.  One look at the index that
 * enable() makes over the time of deletion tells so, where planning the purge's
 * query would take a hundred times as long.  Where there is no such index, or the
 * answer is not sure, it is yes.  Called from SQL; owns no state.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "optimizer/optimizer.h"
#include "purge/expiry.h"
#include "purge/purge.h"
#include "tables/registry.h"
#include "tables/trashquery.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(softdelete_may_have_expired);

/* An index of all deleted rows by time, InvalidOid without one. */
static Oid
index_by_time(Relation rel, SdTable *table, Oid type)
{
	ListCell   *lc;
	Oid			found = InvalidOid;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		List	   *predicate = RelationGetIndexPredicate(index);

		if (index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indisvalid &&
			!index->rd_index->indcheckxmin &&
			index->rd_index->indkey.values[0] == table->time &&
			index->rd_opcintype[0] == type &&
			(predicate == NIL ||
			 predicate_implied_by(predicate, list_make1(table->deleted), false)))
			found = lfirst_oid(lc);
		index_close(index, NoLock);
	}
	return found;
}

static bool
relation_may_have_expired(Relation rel, SdTable *table, PurgeRun *run)
{
	Oid			type = getBaseType(get_atttype(RelationGetRelid(rel), table->time));
	Oid			index = index_by_time(rel, table, type);
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	if (!OidIsValid(index))
		return true;
	ScanKeyInit(&key, table->time, BTLessEqualStrategyNumber,
				type == TIMESTAMPOID ? F_TIMESTAMP_LE : F_TIMESTAMPTZ_LE,
				sd_expiry_bound(run, type, true));
	/* made for catalogs, but so is the question */
	scan = systable_beginscan(rel, index, true, GetActiveSnapshot(), 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	return found;
}

/* may_have_expired(table, retention): see the script */
Datum
softdelete_may_have_expired(PG_FUNCTION_ARGS)
{
	PurgeRun	run = {.retention = PG_GETARG_INTERVAL_P(1),
		.now = GetCurrentTransactionStartTimestamp()};
	bool		found;
	ListCell   *lc;

	sd_check_may_purge(PG_GETARG_OID(0));
	/* what is in shards is for them to say */
	found = sd_table_by_oid(PG_GETARG_OID(0))->distributed || sd_has_replaced(PG_GETARG_OID(0));
	foreach(lc, find_all_inheritors(PG_GETARG_OID(0), AccessShareLock, NULL))
	{
		Relation	rel;
		SdTable    *table;

		if (found || get_rel_relkind(lfirst_oid(lc)) != RELKIND_RELATION)
			continue;
		rel = table_open(lfirst_oid(lc), AccessShareLock);
		table = sd_table(rel);
		found = table != NULL && relation_may_have_expired(rel, table, &run);
		table_close(rel, NoLock);
	}
	PG_RETURN_BOOL(found);
}
