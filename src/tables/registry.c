/*
 * registry.c
 *		The cache of what is known of managed tables: everybody asks here.
 *
 * One entry a table in a hash, each in a memory context of its own.
 * Callbacks may arrive at any moment and only set flags; the next look-up
 * builds a new entry.  The old one stays readable until the transaction ends
 * (its context moves below TopTransactionContext), so that callers may hold an
 * entry across catalog access.  This file reads catalogs and writes nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "base/own_objects.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "tables/reader.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

typedef struct CacheEntry
{
	Oid			relid;			/* hash key */
	bool		stale;
	bool		building;		/* being read, and not changed since */
	SdTable    *table;			/* NULL: not managed */
	MemoryContext context;
} CacheEntry;

static HTAB *cache = NULL;

/*
 * Those asked for last, by the end of their OIDs: managed ones, and tables without
 * a trigger like ours.  Most are asked for again and again.
 */
#define RECENT 128
static CacheEntry *recent[RECENT];
static Oid	unmanaged[RECENT];

/* Make the entries of that partition tree stale, or all of them. */
static void
make_stale(Oid root)
{
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (OidIsValid(root) && !(entry->table && entry->table->root == root))
			continue;
		entry->stale = true;
		entry->building = false;
	}
}

static void
relation_changed(Datum arg, Oid relid)
{
	CacheEntry *entry;

	if (!OidIsValid(relid))
	{
		memset(unmanaged, 0, sizeof(unmanaged));
		make_stale(InvalidOid);
		return;
	}
	if (unmanaged[relid % RECENT] == relid)
		unmanaged[relid % RECENT] = InvalidOid;
	entry = hash_search(cache, &relid, HASH_FIND, NULL);
	if (entry)
	{
		entry->stale = true;
		entry->building = false;

		/* what became its partition may have keys, see sd_has_children() */
		if (entry->table && entry->table->partitioned &&
			entry->table->root != relid)
			make_stale(entry->table->root);
	}
}

/* which table a constraint belongs to is not told; they change rarely */
static void
constraint_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	relation_changed(0, InvalidOid);
}

void
sd_registry_init(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(CacheEntry);
	cache = hash_create("softdelete tables", 64, &ctl, HASH_ELEM | HASH_BLOBS);

	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(CONSTROID, constraint_changed, (Datum) 0);
}

/*
 * Forget entries that went stale, among them those of dropped tables, when
 * there are many.
 */
static void
sweep(void)
{
	static long threshold = 256;
	HASH_SEQ_STATUS scan;
	CacheEntry *entry;

	if (hash_get_num_entries(cache) < threshold)
		return;
	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (!entry->stale)
			continue;
		if (entry->context)
			MemoryContextSetParent(entry->context, TopTransactionContext);
		hash_search(cache, &entry->relid, HASH_REMOVE, NULL);
	}
	memset(recent, 0, sizeof(recent));
	threshold = Max(256, 2 * hash_get_num_entries(cache));
}

/* read the table's entry anew */
static CacheEntry *
build_entry(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	Oid			mark_trigger = sd_objects()->mark_trigger;
	MemoryContext context = AllocSetContextCreate(TopTransactionContext,
												  "softdelete table",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	TriggerDesc *triggers;
	SdTable    *table = NULL;
	CacheEntry *entry;
	bool		found;

	sweep();
	entry = hash_search(cache, &relid, HASH_ENTER, &found);
	if (!found)
	{
		entry->table = NULL;
		entry->context = NULL;
	}
	/* stays so if we fail; an invalidation that arrives meanwhile sets it again */
	entry->stale = true;
	entry->building = true;

	/* the relcache may replace its own while we look at catalogs */
	triggers = CopyTriggerDesc(rel->trigdesc);
	for (int i = 0; i < triggers->numtriggers; i++)
		if (triggers->triggers[i].tgfoid == mark_trigger)
		{
			if (sd_objects()->other_version)
				sd_raise_other_version();
			table = sd_read_table(rel, triggers, &triggers->triggers[i]);
			break;
		}
	MemoryContextSwitchTo(old);

	entry = hash_search(cache, &relid, HASH_ENTER, &found);
	if (!found)
	{
		entry->context = NULL;
		entry->building = false;
	}
	if (entry->context)
		MemoryContextSetParent(entry->context, TopTransactionContext);
	entry->context = table ? context : NULL;
	entry->table = table;
	entry->stale = !entry->building;
	entry->building = false;
	if (table)
		MemoryContextSetParent(context, CacheMemoryContext);
	return entry;
}

/*
 * The entry of an open relation; NULL when it is not managed.  Valid until the
 * transaction ends.
 */
SdTable *
sd_table(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	CacheEntry *entry;

	if (rel->trigdesc == NULL || !rel->trigdesc->trig_update_after_row ||
		(rel->rd_rel->relkind != RELKIND_RELATION &&
		 rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE))
	{
		unmanaged[relid % RECENT] = relid;
		return NULL;
	}
	entry = recent[relid % RECENT];
	if (entry && entry->relid == relid && !entry->stale)
		return entry->table;
	entry = hash_search(cache, &relid, HASH_FIND, NULL);
	if (entry && !entry->stale)
	{
		recent[relid % RECENT] = entry;
		return entry->table;
	}
	if (!OidIsValid(sd_objects()->mark_trigger))
		return NULL;
	return build_entry(rel)->table;
}

/* Is the relation, which is locked, one that has no trigger of ours for sure? */
bool
sd_surely_unmanaged(Oid relid)
{
	return unmanaged[relid % RECENT] == relid;
}

/* sd_table() by OID; leaves an AccessShareLock until the transaction ends. */
SdTable *
sd_table_by_oid(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	SdTable    *table = sd_table(rel);

	table_close(rel, NoLock);
	return table;
}

/*
 * The same where there may be no such relation: NULL then, too.  Leaves no lock.
 */
SdTable *
sd_find_table(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	SdTable    *table = NULL;

	if (rel != NULL)
	{
		table = sd_table(rel);
		relation_close(rel, AccessShareLock);
	}
	return table;
}
