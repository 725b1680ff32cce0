/*
 * foreignkeys.c
 *		Reading the keys of a relation, foreign and primary.
 *
 * The constraint triggers that PostgreSQL keeps on both sides of a foreign key
 * name the constraint, so no scan of pg_constraint is needed, and a key that is
 * added or dropped changes the triggers of the tables and with them the
 * relcache entry that registry.c listens to.  On partitions the triggers are
 * copies; the topmost constraint is the one that counts.
 */
#include "postgres.h"

#include "compat.h"
#include "tables/foreignkeys.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "tables/registry.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

/* climb from a partition's copy to the constraint that the user declared */
static Oid
topmost_constraint(Oid oid)
{
	for (;;)
	{
		HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(oid));
		Oid			up;

		if (!HeapTupleIsValid(tuple))
			return InvalidOid;
		up = ((Form_pg_constraint) GETSTRUCT(tuple))->conparentid;
		ReleaseSysCache(tuple);
		if (!OidIsValid(up))
			return oid;
		oid = up;
	}
}

/* the column of rel that has the name of attnum in relation other */
static AttrNumber
same_column(Relation rel, Oid other, AttrNumber attnum)
{
	char	   *name;

	if (RelationGetRelid(rel) == other)
		return attnum;
	name = get_attname(other, attnum, false);
	return get_attnum(RelationGetRelid(rel), name);
}

static SdKey *
read_key(Relation rel, Oid oid, bool children)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(oid));
	Form_pg_constraint con;
	SdKey	   *key = palloc0(sizeof(SdKey));
	AttrNumber	conkey[INDEX_MAX_KEYS];
	AttrNumber	confkey[INDEX_MAX_KEYS];
	Oid			operators[INDEX_MAX_KEYS];

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", oid);
	con = (Form_pg_constraint) GETSTRUCT(tuple);
	DeconstructFkConstraintRow(tuple, &key->n, conkey, confkey, operators,
							   NULL, NULL, NULL, NULL);

	key->oid = oid;
	key->name = pstrdup(NameStr(con->conname));
	key->child = con->conrelid;
	key->parent = con->confrelid;
	key->on_delete = con->confdeltype;
	key->deferrable = con->condeferrable;
	key->deferred = con->condeferred;
	key->validated = con->convalidated;
	key->temporal = sd_is_temporal(con);
	key->child_atts = palloc(sizeof(AttrNumber) * key->n);
	key->parent_atts = palloc(sizeof(AttrNumber) * key->n);
	key->own_atts = palloc(sizeof(AttrNumber) * key->n);
	key->operators = palloc(sizeof(Oid) * key->n);
	for (int i = 0; i < key->n; i++)
	{
		key->child_atts[i] = conkey[i];
		key->parent_atts[i] = confkey[i];
		key->operators[i] = operators[i];
		key->own_atts[i] = children ?
			same_column(rel, key->parent, confkey[i]) :
			same_column(rel, key->child, conkey[i]);
	}
	ReleaseSysCache(tuple);
	return key;
}

/*
 * The foreign keys that refer to rel (children) or that rel has (not
 * children), as SdKeys in the current memory context, by rising OID so that
 * every caller meets them in one order.
 */
List *
sd_keys_of(Relation rel, bool children)
{
	List	   *oids = NIL;
	List	   *keys = NIL;
	ListCell   *lc;
	int			wanted = children ? RI_TRIGGER_PK : RI_TRIGGER_FK;
	TriggerDesc *triggers;

	if (rel->trigdesc == NULL)
		return NIL;

	/* the relcache may replace its own while we look at catalogs */
	triggers = CopyTriggerDesc(rel->trigdesc);
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];
		Oid			oid;

		if (!OidIsValid(trigger->tgconstraint) ||
			RI_FKey_trigger_type(trigger->tgfoid) != wanted)
			continue;
		oid = topmost_constraint(trigger->tgconstraint);
		if (OidIsValid(oid))
			oids = list_append_unique_oid(oids, oid);
	}
	list_sort(oids, list_oid_cmp);

	foreach(lc, oids)
		keys = lappend(keys, read_key(rel, lfirst_oid(lc), children));
	return keys;
}

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

/*
 * The index of the primary key, InvalidOid without one.  The relcache's own
 * leaves out those that are DEFERRABLE.
 */
Oid
sd_primary_key(Relation rel)
{
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
		bool		found = HeapTupleIsValid(tuple) &&
			((Form_pg_index) GETSTRUCT(tuple))->indisprimary &&
			((Form_pg_index) GETSTRUCT(tuple))->indisvalid;

		if (HeapTupleIsValid(tuple))
			ReleaseSysCache(tuple);
		if (found)
			return lfirst_oid(lc);
	}
	return InvalidOid;
}

/* Does marking a referred-to row have to look at this key's children at all? */
bool
sd_key_needs_parent(SdKey *key)
{
	return key->on_delete == FKCONSTR_ACTION_CASCADE ||
		key->on_delete == FKCONSTR_ACTION_RESTRICT ||
		key->on_delete == FKCONSTR_ACTION_NOACTION;
}
