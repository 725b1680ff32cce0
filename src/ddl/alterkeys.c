/*
 * alterkeys.c
 *		Foreign keys that an ALTER TABLE adds, validates or gives other values.
 *
 * Looked at before the command and after it: sd_key_change() is what
 * sd_check_new_keys() has to know of before.  Owns no state.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "ddl/alterkeys.h"
#include "ddl/refusals.h"
#include "fk/newkey.h"
#include "miscadmin.h"
#include "tables/foreignkeys.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

/* the table's foreign keys that hold for the rows that it has */
static List *
valid_keys_of(RangeVar *relation, bool children)
{
	Oid			relid = RangeVarGetRelid(relation, NoLock, true);
	List	   *keys = NIL;
	Relation	rel;
	ListCell   *lc;

	if (!sd_is_table(relid))
		return NIL;
	rel = table_open(relid, AccessShareLock);
	foreach(lc, sd_keys_of(rel, children))
	{
		SdKey	   *key = lfirst(lc);

		if (!key->validated)
			continue;
		if (!children)
		{
			/* of a partition, its own rows are in question */
			key->child = relid;
			key->child_atts = key->own_atts;
		}
		keys = lappend(keys, key);
	}
	/* a lock that stayed could deadlock with the command's own */
	table_close(rel, AccessShareLock);
	return keys;
}

SdKeyChange *
sd_key_change(AlterTableStmt *stmt)
{
	SdKeyChange  *change = palloc0(sizeof(SdKeyChange));
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		if (sd_changes_values(cmd))
		{
			change->columns = lappend(change->columns, makeString(cmd->name));
			change->relation = stmt->relation;
		}
		switch (cmd->subtype)
		{
			case AT_AttachPartition:
				change->relation = castNode(PartitionCmd, cmd->def)->name;
				break;
			case AT_AddConstraint:
			case AT_ValidateConstraint:
			case AT_AlterConstraint:
			case AT_AddColumn:
				change->relation = stmt->relation;
				break;
			default:
				break;
		}
	}
	if (change->relation)
	{
		Oid			relid = RangeVarGetRelid(change->relation, NoLock, true);

		/* whoever may not alter it must not wait for it, either */
		if (OidIsValid(relid) && sd_owns_table(relid, GetUserId()))
			change->before = valid_keys_of(change->relation, false);
	}
	return change;
}

/* is there one among the keys that is like this one?  Its OID may be new. */
static bool
has_key_like(List *keys, SdKey *key)
{
	ListCell   *lc;

	foreach(lc, keys)
	{
		SdKey	   *other = lfirst(lc);

		if (other->parent == key->parent && other->on_delete == key->on_delete &&
			other->n == key->n &&
			memcmp(other->child_atts, key->child_atts, key->n * sizeof(AttrNumber)) == 0 &&
			memcmp(other->parent_atts, key->parent_atts, key->n * sizeof(AttrNumber)) == 0)
			return true;
	}
	return false;
}

/* does the key have a column whose values may have changed? */
static bool
may_differ(SdKeyChange *change, SdKey *key)
{
	Oid			relid = RangeVarGetRelid(change->relation, NoLock, true);

	for (int i = 0; OidIsValid(relid) && i < key->n; i++)
		if (list_member(change->columns,
						makeString(get_attname(relid, key->own_atts[i], false))))
			return true;
	return false;
}

/*
 * What the command added or validated, or gave other values, holds for deleted
 * parents.  Not along a key that was valid before and stays as it is: there may
 * be links from before the tables were managed (enable() warns of them), and
 * those that SET NULL and SET DEFAULT keep.  A dump that is being restored
 * (row_security = off) brings such links along.
 */
void
sd_check_new_keys(SdKeyChange *change)
{
	ListCell   *lc;

	if (change->relation == NULL || !row_security)
		return;
	CommandCounterIncrement();
	foreach(lc, valid_keys_of(change->relation, false))
	{
		SdKey	   *key = lfirst(lc);

		if (!has_key_like(change->before, key) ||
			(sd_key_needs_parent(key) && may_differ(change, key)))
			sd_check_new_key(key);
	}
	if (change->columns == NIL)
		return;
	foreach(lc, valid_keys_of(change->relation, true))
		if (sd_key_needs_parent(lfirst(lc)) && may_differ(change, lfirst(lc)))
			sd_check_new_key(lfirst(lc));
}
