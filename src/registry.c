/*
 * registry.c
 *		What is managed: the facts about a table that the rest works with.
 *
 * A table is managed if and only if it carries the AFTER UPDATE row trigger
 * that calls softdelete.mark().  The trigger is the only place where the state
 * stands: its UPDATE OF list names, in this order, the marker, deletion_id,
 * the time of deletion (unless the marker is that) and the former status (for
 * a status marker), and its arguments are the kind of marker and the deleted
 * value.  PostgreSQL itself carries the list along through renames, to
 * partitions and into dumps.
 *
 * Cache: one entry a table in a hash, each in a memory context of its own.
 * Callbacks may arrive at any moment and only set flags; the next look-up
 * builds a new entry.  The old one stays readable until the transaction ends
 * (its context moves below TopTransactionContext), so that callers may hold an
 * entry across catalog access.  This file reads catalogs and writes nothing.
 */
#include "postgres.h"

#include "registry.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "keys.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "predicate.h"
#include "rewrite/rewriteManip.h"
#include "utils/builtins.h"
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
static SdObjects objects;
static bool objects_known = false;

static void
relation_changed(Datum arg, Oid relid)
{
	CacheEntry *entry;

	if (OidIsValid(relid))
	{
		entry = hash_search(cache, &relid, HASH_FIND, NULL);
		if (entry)
		{
			entry->stale = true;
			entry->building = false;
		}
	}
	else
	{
		HASH_SEQ_STATUS scan;

		hash_seq_init(&scan, cache);
		while ((entry = hash_seq_search(&scan)) != NULL)
		{
			entry->stale = true;
			entry->building = false;
		}
	}
	if (!OidIsValid(relid) || relid == objects.log)
		objects_known = false;
}

/* a function, schema, type or constraint changed: rare, so forget all */
static void
catalog_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	objects_known = false;
	if (cacheid == CONSTROID)
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
	CacheRegisterSyscacheCallback(PROCOID, catalog_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, catalog_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(CONSTROID, catalog_changed, (Datum) 0);
}

static Oid
function_oid(Oid schema, const char *name, int nargs, const Oid *args)
{
	oidvector  *types = buildoidvector(args, nargs);

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(name),
						   PointerGetDatum(types),
						   ObjectIdGetDatum(schema));
}

/*
 * The extension's objects.  All are InvalidOid where CREATE EXTENSION was not
 * run (or is running just now), and then nothing is managed.
 */
const SdObjects *
sd_objects(void)
{
	SdObjects	o = {0};

	if (objects_known)
		return &objects;

	/* a message that arrives while we look makes it unknown again */
	objects_known = true;

	o.schema = get_namespace_oid("softdelete", true);
	if (OidIsValid(o.schema) &&
		OidIsValid(get_extension_oid("softdelete", true)))
	{
		HeapTuple	tuple;
		Oid			args[5];

		o.stamp_trigger = function_oid(o.schema, "stamp_trigger", 0, NULL);
		o.mark_trigger = function_oid(o.schema, "mark", 0, NULL);
		o.guard_trigger = function_oid(o.schema, "guard", 0, NULL);
		o.truncate_trigger = function_oid(o.schema, "refuse_truncate", 0, NULL);
		o.engine = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
								   CStringGetDatum("engine"),
								   ObjectIdGetDatum(o.schema));
		args[0] = o.engine;
		o.stamp = function_oid(o.schema, "stamp", 1, args);
		args[1] = TIDOID;
		args[2] = OIDOID;
		o.stamp_locked = function_oid(o.schema, "stamp", 3, args);
		args[1] = OIDOID;
		args[2] = INT2VECTOROID;
		args[3] = ANYOID;
		o.raise_dead_row = function_oid(o.schema, "raise_dead_row", 4, args);
		args[3] = XIDOID;
		args[4] = ANYOID;
		o.dead_parent_ok = function_oid(o.schema, "dead_parent_ok", 5, args);
		o.log = get_relname_relid("deletion_log", o.schema);
		o.log_ids = get_relname_relid("deletion_log_id_seq", o.schema);

		tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(o.log));
		if (HeapTupleIsValid(tuple))
		{
			o.owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
			ReleaseSysCache(tuple);
		}
		else
			o.mark_trigger = InvalidOid;
	}
	objects = o;
	return &objects;
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

/*
 * The first argument of our functions in a query.  SQL has no way to make a
 * value of its type, so a call that has one comes from the planner hook.
 */
Expr *
sd_engine_arg(void)
{
	return (Expr *) makeConst(sd_objects()->engine, -1, InvalidOid,
							  sizeof(int32), Int32GetDatum(1), false, true);
}

/* Raise unless the function was called so. */
void
sd_check_engine_arg(FunctionCallInfo fcinfo)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("this function is for statements that softdelete has planned")));
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

/* $1 is the marker, $2 the deleted value: see sd_status_predicate() */
static Node *
status_parameter(ParseState *pstate, ParamRef *ref)
{
	SdTable    *table = pstate->p_ref_hook_state;
	Relation	rel = table_open(table->relid, AccessShareLock);
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), table->marker - 1);
	Oid			base = getBaseType(att->atttypid);
	int16		len;
	bool		byval;
	Node	   *node;

	if (ref->number == 1)
	{
		node = (Node *) makeVar(1, table->marker, att->atttypid, att->atttypmod,
								att->attcollation, 0);
		if (base != att->atttypid)
			node = applyRelabelType(node, base, -1, InvalidOid,
									COERCE_EXPLICIT_CAST, -1, false);
	}
	else
	{
		get_typlenbyval(base, &len, &byval);
		node = (Node *) makeConst(base, -1, InvalidOid, len, table->dead_datum,
								  false, byval);
	}
	table_close(rel, NoLock);
	return node;
}

/*
 * Parse the condition that a row is live, or deleted, as CREATE INDEX parses
 * its predicate, and simplify it as the planner simplifies that: only so are
 * the two equal and a partial index with the same text matches.
 */
static Node *
parse_condition(Relation rel, SdTable *table, bool live)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), table->marker - 1);
	bool		is_enum = get_typtype(getBaseType(att->atttypid)) == TYPTYPE_ENUM;
	ParseState *pstate = make_parsestate(NULL);
	ParseNamespaceItem *item;
	RawStmt    *raw;
	ResTarget  *target;
	Node	   *expr;

	raw = linitial_node(RawStmt,
						raw_parser(is_enum ? sd_status_predicate(att, live) :
								   sd_predicate(att, table->kind,
												table->deleted_value, live, NULL),
								   RAW_PARSE_PLPGSQL_EXPR));
	target = linitial_node(ResTarget, castNode(SelectStmt, raw->stmt)->targetList);
	item = addRangeTableEntryForRelation(pstate, rel, AccessShareLock,
										 NULL, false, true);
	addNSItemToQuery(pstate, item, false, true, true);
	if (is_enum)
	{
		pstate->p_paramref_hook = status_parameter;
		pstate->p_ref_hook_state = table;
	}
	expr = transformExpr(pstate, target->val, EXPR_KIND_INDEX_PREDICATE);
	expr = coerce_to_boolean(pstate, expr, "WHERE");
	assign_expr_collations(pstate, expr);
	free_parsestate(pstate);
	return eval_const_expressions(NULL, expr);
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

	if (trigger->tgnargs != 2 || trigger->tgnattr < 2)
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
		if (!has_type(rel, marker, TEXTOID, VARCHAROID) && type != BPCHAROID &&
			get_typtype(type) != TYPTYPE_ENUM)
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

	if (!read_kind(rel, trigger, &table->kind, &natts))
		return NULL;
	table->relid = RelationGetRelid(rel);
	table->root = sd_topmost(rel);
	table->deleted_value = pstrdup(trigger->tgargs[1]);
	table->marker = trigger->tgattr[0];
	table->id = trigger->tgattr[1];
	table->time = natts > 2 ? trigger->tgattr[2] : table->marker;
	table->former = natts > 3 ? trigger->tgattr[3] : InvalidAttrNumber;

	table->disabled = trigger->tgenabled == TRIGGER_DISABLED;
	table->moves = in_partition_key(rel, trigger->tgattr, natts);
	att = TupleDescAttr(RelationGetDescr(rel), table->marker - 1);
	table->marker_collation = att->attcollation;
	if (table->kind == SD_BOOLEAN)
		table->is_dead_true = strcmp(table->deleted_value, "true") == 0;
	else if (table->kind == SD_STATUS)
	{
		Oid			type = getBaseType(att->atttypid);
		TypeCacheEntry *typcache = lookup_type_cache(type, TYPECACHE_EQ_OPR_FINFO);
		Oid			input;
		Oid			ioparam;

		getTypeInputInfo(type, &input, &ioparam);
		table->dead_datum = OidInputFunctionCall(input, table->deleted_value,
												 ioparam, -1);
		fmgr_info_copy(&table->equal, &typcache->eq_opr_finfo,
					   CurrentMemoryContext);
	}

	table->live = parse_condition(rel, table, true);
	table->dead = parse_condition(rel, table, false);
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

	if (rel->trigdesc == NULL || !rel->trigdesc->trig_update_after_row)
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
value_is_dead(SdTable *table, Datum value, bool isnull)
{
	switch (table->kind)
	{
		case SD_TIMESTAMP:
			return !isnull;
		case SD_BOOLEAN:
			return !isnull && DatumGetBool(value) == table->is_dead_true;
		case SD_STATUS:
			return !isnull &&
				DatumGetBool(FunctionCall2Coll(&table->equal,
											   table->marker_collation,
											   value, table->dead_datum));
	}
	return false;
}

bool
sd_slot_is_dead(SdTable *table, TupleTableSlot *slot)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, table->marker, &isnull);

	return value_is_dead(table, value, isnull);
}

bool
sd_tuple_is_dead(SdTable *table, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, table->marker, desc, &isnull);

	return value_is_dead(table, value, isnull);
}

/* The condition that a row of range table entry varno is live, or is not. */
Node *
sd_condition(SdTable *table, Index varno, bool live)
{
	Node	   *expr = copyObject(live ? table->live : table->dead);

	if (varno != 1)
		ChangeVarNodes(expr, 1, varno, 0);
	return expr;
}
