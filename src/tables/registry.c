/*
 * registry.c
 *		What is managed: the facts about a table that the rest works with.
 *
 * A table is managed if and only if it carries the AFTER UPDATE row trigger
 * that calls softdelete.mark().  The trigger is the only place where the state
 * stands: its UPDATE OF list names, in this order, the marker, deletion_id,
 * the time of deletion (unless the marker is that) and the former status (for
 * a status marker), and its arguments are the kind of marker, the deleted
 * value, whose triggers fire ('delete', 'update' or 'both'; 'update' where it
 * is missing) and whether deleted rows are hidden ('hide' or 'show'; 'hide'
 * where it is missing).  PostgreSQL itself carries the list along through
 * renames, to partitions and into dumps.
 *
 * Cache: one entry a table in a hash, each in a memory context of its own.
 * Callbacks may arrive at any moment and only set flags; the next look-up
 * builds a new entry.  The old one stays readable until the transaction ends
 * (its context moves below TopTransactionContext), so that callers may hold an
 * entry across catalog access.  This file reads catalogs and writes nothing.
 */
#include "postgres.h"

#include "tables/registry.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/partition.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "tables/condition.h"
#include "tables/foreignkeys.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

typedef struct CacheEntry
{
	Oid			relid;			/* hash key */
	bool		stale;
	bool		building;		/* being read, and not changed since */
	SdTable    *table;			/* NULL: not managed */
	MemoryContext context;
} CacheEntry;

static HTAB *cache = NULL;

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
		make_stale(InvalidOid);
		return;
	}
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

bool
sd_is_own_trigger(const Trigger *trigger)
{
	const SdObjects *o = sd_objects();

	return OidIsValid(o->mark_trigger) &&
		(trigger->tgfoid == o->mark_trigger ||
		 trigger->tgfoid == o->stamp_trigger ||
		 trigger->tgfoid == o->guard_trigger ||
		 trigger->tgfoid == o->truncate_trigger);
}

/* the topmost partitioned table above rel, or rel itself */
Oid
sd_topmost(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);

	if (rel->rd_rel->relispartition)
	{
		List	   *ancestors = get_partition_ancestors(relid);

		if (ancestors != NIL)
			relid = llast_oid(ancestors);
		list_free(ancestors);
	}
	return relid;
}

/* does a partition key of rel or of a table above it hold one of the columns? */
static bool
in_partition_key(Relation rel, const AttrNumber *atts, int natts)
{
	List	   *tables = NIL;
	ListCell   *lc;
	bool		found = false;

	if (rel->rd_rel->relispartition)
		tables = get_partition_ancestors(RelationGetRelid(rel));
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		tables = lappend_oid(tables, RelationGetRelid(rel));
	foreach(lc, tables)
	{
		Relation	above = table_open(lfirst_oid(lc), AccessShareLock);
		Bitmapset  *columns = NULL;

		for (int i = 0; i < natts; i++)
		{
			char	   *name = get_attname(RelationGetRelid(rel), atts[i], false);

			columns = bms_add_member(columns,
									 get_attnum(RelationGetRelid(above), name) -
									 FirstLowInvalidHeapAttributeNumber);
		}
		found |= has_partition_attrs(above, columns, NULL);
		table_close(above, NoLock);
	}
	return found;
}

/* has the column one of these base types? */
static bool
has_type(Relation rel, AttrNumber attnum, Oid type1, Oid type2)
{
	Oid			type;

	if (attnum <= 0 || attnum > RelationGetNumberOfAttributes(rel) ||
		TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attisdropped)
		return false;
	type = getBaseType(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid);
	return type == type1 || type == type2;
}

/*
 * Read the kind from the trigger, and see that its columns are what enable()
 * makes them.  Anybody may create a trigger that calls our function; a table
 * with one that does not fit is not managed.
 */
static bool
read_kind(Relation rel, const Trigger *trigger, SdKind *kind, int *natts)
{
	AttrNumber	marker;
	Oid			type;

	if (trigger->tgnargs < 2 || trigger->tgnargs > 4 || trigger->tgnattr < 2)
		return false;
	marker = trigger->tgattr[0];
	if (strcmp(trigger->tgargs[0], "timestamp") == 0)
	{
		*kind = SD_TIMESTAMP;
		*natts = 2;
		if (!has_type(rel, marker, TIMESTAMPTZOID, TIMESTAMPOID))
			return false;
	}
	else if (strcmp(trigger->tgargs[0], "boolean") == 0)
	{
		*kind = SD_BOOLEAN;
		*natts = 3;
		if (!has_type(rel, marker, BOOLOID, BOOLOID))
			return false;
	}
	else if (strcmp(trigger->tgargs[0], "status") == 0)
	{
		*kind = SD_STATUS;
		*natts = 4;
		if (marker <= 0)
			return false;
		type = getBaseType(TupleDescAttr(RelationGetDescr(rel), marker - 1)->atttypid);
		if (get_typtype(type) == TYPTYPE_ENUM)
		{
			if (!SearchSysCacheExists2(ENUMTYPOIDNAME, ObjectIdGetDatum(type),
									   CStringGetDatum(trigger->tgargs[1])))
				return false;
		}
		else if (!has_type(rel, marker, TEXTOID, VARCHAROID) && type != BPCHAROID)
			return false;
	}
	else
		return false;

	return trigger->tgnattr == *natts &&
		has_type(rel, trigger->tgattr[1], INT8OID, INT8OID) &&
		(*natts < 3 || has_type(rel, trigger->tgattr[2], TIMESTAMPTZOID, TIMESTAMPOID)) &&
		(*natts < 4 || (trigger->tgattr[3] > 0 &&
						TupleDescAttr(RelationGetDescr(rel), trigger->tgattr[3] - 1)->atttypid ==
						TupleDescAttr(RelationGetDescr(rel), marker - 1)->atttypid));
}

/* Read the third and fourth argument, which older triggers do not have. */
static bool
read_modes(const Trigger *trigger, SdTriggerMode *mode, bool *hide)
{
	const char *triggers = trigger->tgnargs > 2 ? trigger->tgargs[2] : "update";
	const char *rows = trigger->tgnargs > 3 ? trigger->tgargs[3] : "hide";

	if (strcmp(triggers, "delete") == 0)
		*mode = SD_TRIGGERS_DELETE;
	else if (strcmp(triggers, "update") == 0)
		*mode = SD_TRIGGERS_UPDATE;
	else if (strcmp(triggers, "both") == 0)
		*mode = SD_TRIGGERS_BOTH;
	else
		return false;
	*hide = strcmp(rows, "hide") == 0;
	return *hide || strcmp(rows, "show") == 0;
}

/*
 * Fill the entry from the trigger; the current context is the entry's.  NULL
 * where the trigger is none of enable()'s.
 */
static SdTable *
build_table(Relation rel, const Trigger *trigger)
{
	SdTable    *table = palloc0(sizeof(SdTable));
	int			natts;
	Form_pg_attribute att;

	if (!read_kind(rel, trigger, &table->kind, &natts) ||
		!read_modes(trigger, &table->trigger_mode, &table->hide))
		return NULL;
	table->relid = RelationGetRelid(rel);
	table->root = sd_topmost(rel);
	table->partitioned = rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	table->deleted_value = pstrdup(trigger->tgargs[1]);
	table->marker = trigger->tgattr[0];
	table->id = trigger->tgattr[1];
	table->time = natts > 2 ? trigger->tgattr[2] : table->marker;
	table->former = natts > 3 ? trigger->tgattr[3] : InvalidAttrNumber;

	table->disabled = trigger->tgenabled == TRIGGER_DISABLED ||
		trigger->tgenabled == TRIGGER_FIRES_ON_REPLICA;
	table->moves = in_partition_key(rel, trigger->tgattr, natts);
	att = TupleDescAttr(RelationGetDescr(rel), table->marker - 1);
	table->marker_collation = att->attcollation;
	if (table->kind == SD_BOOLEAN)
		table->deleted_is_true = strcmp(table->deleted_value, "true") == 0;
	else if (table->kind == SD_STATUS)
	{
		Oid			type = getBaseType(att->atttypid);
		TypeCacheEntry *typcache = lookup_type_cache(type, TYPECACHE_EQ_OPR_FINFO);
		Oid			input;
		Oid			ioparam;

		getTypeInputInfo(type, &input, &ioparam);
		table->deleted_datum = OidInputFunctionCall(input, table->deleted_value,
												 ioparam, -1);
		fmgr_info_copy(&table->equal, &typcache->eq_opr_finfo,
					   CurrentMemoryContext);
	}

	table->live = sd_parse_condition(rel, table, true);
	table->deleted = sd_parse_condition(rel, table, false);
	table->children = sd_keys_of(rel, true);
	table->parents = sd_keys_of(rel, false);
	return table;
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
			table = build_table(rel, &triggers->triggers[i]);
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
		return NULL;
	entry = hash_search(cache, &relid, HASH_FIND, NULL);
	if (entry && !entry->stale)
		return entry->table;
	if (!OidIsValid(sd_objects()->mark_trigger))
		return NULL;
	return build_entry(rel)->table;
}

/* The same by OID; leaves an AccessShareLock until the transaction ends. */
SdTable *
sd_table_by_oid(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	SdTable    *table = sd_table(rel);

	table_close(rel, NoLock);
	return table;
}

static bool
value_is_deleted(SdTable *table, Datum value, bool isnull)
{
	switch (table->kind)
	{
		case SD_TIMESTAMP:
			return !isnull;
		case SD_BOOLEAN:
			return !isnull && DatumGetBool(value) == table->deleted_is_true;
		case SD_STATUS:
			return !isnull &&
				DatumGetBool(FunctionCall2Coll(&table->equal,
											   table->marker_collation,
											   value, table->deleted_datum));
	}
	return false;
}

bool
sd_slot_is_deleted(SdTable *table, TupleTableSlot *slot)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, table->marker, &isnull);

	return value_is_deleted(table, value, isnull);
}

bool
sd_tuple_is_deleted(SdTable *table, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, table->marker, desc, &isnull);

	return value_is_deleted(table, value, isnull);
}
