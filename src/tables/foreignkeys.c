/*
 * foreignkeys.c
 *		Reading the foreign keys of a relation, from either side.
 *
 * The constraint triggers that PostgreSQL keeps on both sides of a foreign key
 * name the constraint, so no scan of pg_constraint is needed, and a key that is
 * added or dropped changes the triggers of the tables and with them the
 * relcache entry that registry.c listens to.  On partitions the triggers are
 * copies; the topmost constraint is the one that counts.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "commands/trigger.h"
#include "compat.h"
#include "tables/foreignkeys.h"
#include "utils/array.h"
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

/* Does marking a referred-to row have to look at this key's children at all? */
bool
sd_key_needs_parent(SdKey *key)
{
	return key->on_delete == FKCONSTR_ACTION_CASCADE ||
		key->on_delete == FKCONSTR_ACTION_RESTRICT ||
		key->on_delete == FKCONSTR_ACTION_NOACTION;
}
