/*
 * livekeys.c
 *		Unique constraints that became indexes of live rows, by their names.
 *
 * enable() makes a unique constraint an index of live rows, and a CHECK
 * constraint keeps its name (sql/parts/67_keys.sql).  A migration that drops or
 * renames the constraint means the index, too: so that follows.  utility.c calls
 * before and after the command.  Keeps nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "commands/comment.h"
#include "commands/tablecmds.h"
#include "compat.h"
#include "ddl/livekeys.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#define LIVE_KEY_COMMENT "softdelete: unique among live rows; was UNIQUE"

/* the index of live rows that the table's CHECK constraint stands for, if any */
static Oid
live_key(Oid relid, const char *name)
{
	Oid			constraint = get_relation_constraint_oid(relid, name, true);
	Oid			index = get_relname_relid(name, get_rel_namespace(relid));
	char	   *comment;

	if (!OidIsValid(constraint) || !OidIsValid(index) ||
		get_rel_relkind(index) != RELKIND_INDEX || IndexGetRelation(index, true) != relid ||
		OidIsValid(get_index_constraint(index)))
		return InvalidOid;
	comment = GetComment(index, RelationRelationId, 0);
	return comment != NULL &&
		strncmp(comment, LIVE_KEY_COMMENT, strlen(LIVE_KEY_COMMENT)) == 0 ? index : InvalidOid;
}

/* InvalidOid where there is none, or the user may not alter it */
static Oid
own_relation(RangeVar *relation)
{
	Oid			relid = RangeVarGetRelid(relation, NoLock, true);

	return OidIsValid(relid) && sd_owns_table(relid, GetUserId()) ? relid : InvalidOid;
}

/* The indexes of live rows whose constraints the command drops or renames. */
List *
sd_live_keys_of(Node *command)
{
	List	   *indexes = NIL;
	ListCell   *lc;
	Oid			relid;

	if (IsA(command, RenameStmt) && ((RenameStmt *) command)->renameType == OBJECT_TABCONSTRAINT)
	{
		RenameStmt *rename = (RenameStmt *) command;

		relid = own_relation(rename->relation);
		if (OidIsValid(relid))
			indexes = lappend_oid(NIL, live_key(relid, rename->subname));
	}
	else if (IsA(command, AlterTableStmt))
		foreach(lc, ((AlterTableStmt *) command)->cmds)
		{
			AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

			if (cmd->subtype != AT_DropConstraint)
				continue;
			relid = own_relation(((AlterTableStmt *) command)->relation);
			if (OidIsValid(relid))
				indexes = lappend_oid(indexes, live_key(relid, cmd->name));
		}
	return list_delete_oid(indexes, InvalidOid);
}

/* The command is done: they follow. */
void
sd_follow_live_keys(Node *command, List *indexes)
{
	ListCell   *lc;

	foreach(lc, indexes)
	{
		ObjectAddress address;

		if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(lfirst_oid(lc))))
			continue;
		if (IsA(command, RenameStmt))
			RenameRelationInternal(lfirst_oid(lc), ((RenameStmt *) command)->newname, false, true);
		else
		{
			ObjectAddressSet(address, RelationRelationId, lfirst_oid(lc));
			performDeletion(&address, DROP_RESTRICT, 0);
		}
	}
}
