/*
 * reader.c
 *		Reading what is known of a managed table from its trigger.
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
 * Reads catalogs and keeps nothing: registry.c does.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "catalog/partition.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "nodes/nodeFuncs.h"
#include "nodes/nodes.h"
#include "tables/cluster.h"
#include "tables/condition.h"
#include "tables/deletedindex.h"
#include "tables/foreignkeys.h"
#include "tables/heldkeys.h"
#include "tables/reader.h"
#include "tables/table.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

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

	if (trigger->tgnargs < 1 || trigger->tgnargs > 4 || trigger->tgnattr < 2)
		return false;
	marker = trigger->tgattr[0];
	if (strcmp(trigger->tgargs[0], "timestamp") == 0)
	{
		*kind = SD_TIMESTAMP;
		*natts = 2;
		if (!has_type(rel, marker, TIMESTAMPTZOID, TIMESTAMPOID))
			return false;
	}
	else if (trigger->tgnargs < 2)
		return false;
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

/*
 * Read the third and fourth argument.  One argument alone stands for the defaults;
 * older triggers have two.
 */
static bool
read_modes(const Trigger *trigger, SdTriggerMode *mode, bool *hide)
{
	const char *triggers = trigger->tgnargs > 2 ? trigger->tgargs[2] :
		trigger->tgnargs == 2 ? "update" : "delete";
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

static bool
is_user_function(Oid function, void *context)
{
	return function >= FirstNormalObjectId;
}

static bool
calls_user_function(Node *node, void *context)
{
	return node != NULL &&
		(check_functions_in_node(node, is_user_function, NULL) ||
		 expression_tree_walker(node, calls_user_function, NULL));
}

/*
 * Does an UPDATE of these columns take no lock on anything from when it has the new
 * row until that is written?  Who waits for a lock hears of changes of the table.
 */
static bool
opens_nothing(Relation rel, const AttrNumber *atts, int natts)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;

	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rel->relispartition ||
		table_slot_callbacks(rel) != &TTSOpsBufferHeapTuple)
		return false;
	for (int i = 0; i < natts; i++)
		if (get_typtype(TupleDescAttr(RelationGetDescr(rel), atts[i] - 1)->atttypid) == TYPTYPE_DOMAIN)
			return false;		/* it may have checks */
	if (constr == NULL)
		return true;
	for (int i = 0; i < constr->num_check; i++)
		if (calls_user_function(stringToNode(constr->check[i].ccbin), NULL))
			return false;
	return !constr->has_generated_stored;
}

/*
 * Which UPDATEs need none of our triggers?  trigger: mark(), in triggers.
 */
static void
read_quiet(SdTable *table, Relation rel, TriggerDesc *triggers, const Trigger *trigger)
{
	ListCell   *lc;

	table->mark_trigger = trigger - triggers->triggers;
	table->quiet = !triggers->trig_update_before_statement &&
		!triggers->trig_update_after_statement && !triggers->trig_update_new_table &&
		!triggers->trig_update_old_table;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		Trigger    *other = &triggers->triggers[i];

		if (!TRIGGER_FOR_UPDATE(other->tgtype) || !TRIGGER_FOR_ROW(other->tgtype) ||
			sd_is_own_trigger(other))
			continue;
		if (TRIGGER_FOR_AFTER(other->tgtype))
			table->others_after = true;
		else
			table->quiet = false;
	}

	table->key_columns = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	table->loud_columns = bms_add_member(bms_copy(table->key_columns),
										 table->marker - FirstLowInvalidHeapAttributeNumber);
	table->loud_columns = bms_add_member(table->loud_columns,
										 table->id - FirstLowInvalidHeapAttributeNumber);
	foreach(lc, table->held)
	{
		SdHeldKey  *key = lfirst(lc);

		for (int i = 0; i < key->n; i++)
			table->loud_columns = bms_add_member(table->loud_columns,
												 key->atts[i] - FirstLowInvalidHeapAttributeNumber);
	}
}

/* Which INSERTs do, but for the keys of new rows and for rows born deleted? */
static void
read_quiet_insert(SdTable *table, TriggerDesc *triggers)
{
	const SdObjects *objects = sd_objects();

	table->born_trigger = table->room_trigger = -1;
	table->quiet_insert = !triggers->trig_insert_before_statement &&
		!triggers->trig_insert_after_statement && !triggers->trig_insert_new_table;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (!TRIGGER_FOR_INSERT(trigger->tgtype) || !TRIGGER_FOR_ROW(trigger->tgtype))
			continue;
		if (trigger->tgfoid == objects->born_trigger)
			table->born_trigger = i;
		else if (trigger->tgfoid == objects->room_trigger)
			table->room_trigger = i;
		else if (TRIGGER_FOR_AFTER(trigger->tgtype))
			table->others_after_insert = true;
		else
			table->quiet_insert = false;
	}
}

/*
 * Fill the entry from the trigger; the current context is the entry's.  NULL
 * where the trigger is none of enable()'s.
 */
SdTable *
sd_read_table(Relation rel, TriggerDesc *triggers, const Trigger *trigger)
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
	table->deleted_value = pstrdup(trigger->tgnargs > 1 ? trigger->tgargs[1] : "");
	table->marker = trigger->tgattr[0];
	table->id = trigger->tgattr[1];
	table->time = natts > 2 ? trigger->tgattr[2] : table->marker;
	table->former = natts > 3 ? trigger->tgattr[3] : InvalidAttrNumber;

	table->disabled = trigger->tgenabled == TRIGGER_DISABLED ||
		trigger->tgenabled == TRIGGER_FIRES_ON_REPLICA;
	table->moves = in_partition_key(rel, trigger->tgattr, natts);
	table->opens_nothing = opens_nothing(rel, trigger->tgattr, natts);
	sd_read_cluster(table, rel);
	att = TupleDescAttr(RelationGetDescr(rel), table->marker - 1);
	table->of_domain = get_typtype(att->atttypid) == TYPTYPE_DOMAIN;
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
	table->live_filter = sd_shorter_condition(table->live);
	table->deleted = sd_parse_condition(rel, table, false);
	table->children = sd_keys_of(rel, true);
	table->parents = sd_keys_of(rel, false);
	/* what made room would have to move along with the shard */
	table->held = table->shard || table->distributed ? NIL : sd_held_keys(rel);
	if (table->held != NIL && !table->partitioned)
		table->deleted_index = sd_index_of_deleted(rel, table->deleted);
	read_quiet(table, rel, triggers, trigger);
	read_quiet_insert(table, triggers);
	return table;
}
