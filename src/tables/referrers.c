/*
 * referrers.c
 *		What refers to a managed table, its partitions included.
 *
 * Keys may name partitions by themselves, which the table's own entry in the
 * registry does not tell.  Reads catalogs, and keeps the answer in that entry.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "tables/foreignkeys.h"
#include "tables/referrers.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"

/*
 * Does a foreign key name this partition?  Keys that name a table above it have
 * triggers here, too, as children of its own.  Needs no lock.
 */
static bool
is_referred_to(Oid relid)
{
	Relation	triggers = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key[1];
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key[0], Anum_pg_trigger_tgrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(triggers, TriggerRelidNameIndexId, true, NULL, 1, key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);

		found = !OidIsValid(trigger->tgparentid) &&
			RI_FKey_trigger_type(trigger->tgfoid) == RI_TRIGGER_PK;
	}
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
	return found;
}

/* Does a foreign key name one of the partitions below the relation? */
static bool
is_referred_to_below(Oid relid)
{
	ListCell   *lc;

	foreach(lc, find_inheritance_children(relid, NoLock))
	{
		Relation	rel;
		bool		found = is_referred_to(lfirst_oid(lc));

		if (!found && get_rel_relkind(lfirst_oid(lc)) == RELKIND_PARTITIONED_TABLE &&
			(rel = try_relation_open(lfirst_oid(lc), AccessShareLock)) != NULL)
		{
			/* so that registry.c hears of partitions that it gets */
			(void) sd_table(rel);
			found = is_referred_to_below(lfirst_oid(lc));
			relation_close(rel, NoLock);
		}
		if (found)
			return true;
	}
	return false;
}

/*
 * Does a foreign key refer to the table, or to a partition of it by itself?
 * The latter is looked up once for each cache entry, which goes stale when a key
 * or a partition is added.
 */
bool
sd_has_children(SdTable *table)
{
	if (table->children != NIL)
		return true;
	if (table->partitioned && !table->below_known)
	{
		table->below = is_referred_to_below(table->relid);
		table->below_known = true;
	}
	return table->below;
}

static bool
hangs_on_reference(SdTable *table, List **visited)
{
	ListCell   *lc;

	if (table == NULL || list_member_oid(*visited, table->relid))
		return false;
	*visited = lappend_oid(*visited, table->relid);
	if (table->reference)
		return true;
	foreach(lc, table->parents)
		if (hangs_on_reference(sd_find_table(((SdKey *) lfirst(lc))->parent), visited))
			return true;
	return false;
}

/*
 * Is it a managed table that every node of a cluster has, or does it refer to one,
 * directly or not?
 */
bool
sd_hangs_on_reference(SdTable *table)
{
	List	   *visited = NIL;

	return table->distributed && hangs_on_reference(table, &visited);
}

/*
 * The foreign keys that refer to a managed table or to a partition of it by
 * itself.  Locks the partitions; the list is the caller's.
 */
List *
sd_all_children(Oid relid)
{
	List	   *keys = NIL;
	List	   *oids = NIL;
	ListCell   *lc;

	foreach(lc, find_all_inheritors(relid, AccessShareLock, NULL))
	{
		SdTable    *table = sd_table_by_oid(lfirst_oid(lc));
		ListCell   *lk;

		if (table == NULL)
			continue;
		foreach(lk, table->children)
		{
			SdKey	   *key = lfirst(lk);

			if (list_member_oid(oids, key->oid))
				continue;
			oids = lappend_oid(oids, key->oid);
			keys = lappend(keys, key);
		}
	}
	return keys;
}
