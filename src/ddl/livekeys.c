/*
 * livekeys.c
 *		Unique constraints that became indexes of live rows, by their names.
 *
 * enable() makes a unique constraint an index of live rows, and a CHECK
 * constraint keeps its name, the stand-in; a partitioned table has none, as its
 * partitions would inherit it (sql/parts/67_keys.sql).  A migration that drops or
 * renames either means both, and is told what PostgreSQL would tell it of a unique
 * constraint.  utility.c calls before and after the command; drops.c takes the
 * stand-in along where the index goes with something else.  Keeps nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "commands/comment.h"
#include "commands/tablecmds.h"
#include "compat.h"
#include "ddl/livekeys.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "tables/cluster.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

static bool
is_index(Oid relid)
{
	char		relkind = OidIsValid(relid) ? get_rel_relkind(relid) : '\0';

	return relkind == RELKIND_INDEX || relkind == RELKIND_PARTITIONED_INDEX;
}

static bool
begins_with(const char *comment, const char *begin)
{
	return comment != NULL && strncmp(comment, begin, strlen(begin)) == 0;
}

/* the index of live rows that was the table's constraint of that name, if any */
static Oid
live_key(Oid relid, const char *name)
{
	Oid			index = get_relname_relid(name, get_rel_namespace(relid));

	/* shards would not know that the two belong together */
	if (!is_index(index) || IndexGetRelation(index, true) != relid ||
		OidIsValid(get_index_constraint(index)) || sd_is_distributed(relid) ||
		!begins_with(GetComment(index, RelationRelationId, 0), SD_LIVE_KEY_COMMENT "UNIQUE"))
		return InvalidOid;
	return index;
}

/* the constraint that stands for the index, if any */
Oid
sd_stand_in_of(Oid index)
{
	Oid			relid = is_index(index) ? IndexGetRelation(index, true) : InvalidOid;
	Oid			constraint;

	if (!OidIsValid(relid) || sd_is_distributed(relid))
		return InvalidOid;
	constraint = get_relation_constraint_oid(relid, get_rel_name(index), true);
	return OidIsValid(constraint) &&
		begins_with(GetComment(constraint, ConstraintRelationId, 0), SD_STAND_IN_COMMENT) ?
		constraint : InvalidOid;
}

/* InvalidOid where there is none, or the user may not alter it */
static Oid
own_relation(RangeVar *relation)
{
	Oid			relid = RangeVarGetRelid(relation, NoLock, true);

	return OidIsValid(relid) && sd_owns_table(relid, GetUserId()) ? relid : InvalidOid;
}

/*
 * ALTER TABLE ... DROP CONSTRAINT: the indexes go first, so that the command can
 * make new keys of their names.  Where there is no stand-in, that was all.
 */
static PlannedStmt *
drop_live_keys(PlannedStmt *pstmt)
{
	AlterTableStmt *stmt = (AlterTableStmt *) pstmt->utilityStmt;
	List	   *cmds = NIL;
	Oid			relid = InvalidOid;
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);
		Oid			index = InvalidOid;

		if (cmd->subtype == AT_DropConstraint)
			relid = own_relation(stmt->relation);
		if (cmd->subtype == AT_DropConstraint && OidIsValid(relid))
			index = live_key(relid, cmd->name);
		if (!OidIsValid(index) || OidIsValid(get_relation_constraint_oid(relid, cmd->name, true)))
			cmds = lappend(cmds, cmd);
		if (OidIsValid(index))
		{
			ObjectAddress address;

			ObjectAddressSet(address, RelationRelationId, index);
			performDeletion(&address, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
			CommandCounterIncrement();
		}
	}
	if (list_length(cmds) < list_length(stmt->cmds))
	{
		pstmt = copyObject(pstmt);
		((AlterTableStmt *) pstmt->utilityStmt)->cmds = cmds;
	}
	return pstmt;
}

/* ALTER TABLE ... RENAME CONSTRAINT, ALTER INDEX ... RENAME */
static PlannedStmt *
rename_live_key(PlannedStmt *pstmt, SdKeyRename *rename)
{
	RenameStmt *stmt = (RenameStmt *) pstmt->utilityStmt;
	Oid			relid = stmt->relation ? own_relation(stmt->relation) : InvalidOid;
	Oid			index;

	if (!OidIsValid(relid))
		return pstmt;
	if (stmt->renameType == OBJECT_INDEX || stmt->renameType == OBJECT_TABLE)
		rename->constraint = sd_stand_in_of(relid);
	else if (stmt->renameType == OBJECT_TABCONSTRAINT)
	{
		index = live_key(relid, stmt->subname);
		if (OidIsValid(index) && !OidIsValid(get_relation_constraint_oid(relid, stmt->subname, true)))
		{
			pstmt = copyObject(pstmt);
			stmt = (RenameStmt *) pstmt->utilityStmt;
			stmt->renameType = OBJECT_INDEX;
			stmt->relation = makeRangeVar(get_namespace_name(get_rel_namespace(index)),
										  stmt->subname, -1);
			stmt->subname = NULL;
		}
		else
			rename->index = index;
		/* of a name that is taken PostgreSQL says so for the index, too */
		if (OidIsValid(rename->index) &&
			OidIsValid(get_relname_relid(stmt->newname, get_rel_namespace(index))))
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_TABLE),
					 errmsg("relation \"%s\" already exists", stmt->newname)));
	}
	return pstmt;
}

/*
 * DROP INDEX of what is a constraint for the user: PostgreSQL's own words.  A dump
 * that is restored over what is there (row_security = off) drops both.
 */
static void
refuse_drop_index(DropStmt *stmt)
{
	ListCell   *lc;

	if (stmt->removeType != OBJECT_INDEX || !row_security)
		return;
	foreach(lc, stmt->objects)
	{
		Oid			index = own_relation(makeRangeVarFromNameList(lfirst(lc)));
		Oid			stand_in = sd_stand_in_of(index);
		ObjectAddress address;
		char	   *constraint;

		if (!OidIsValid(stand_in))
			continue;
		ObjectAddressSet(address, ConstraintRelationId, stand_in);
		constraint = getObjectDescription(&address, false);
		ObjectAddressSet(address, RelationRelationId, index);
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop %s because %s requires it",
						getObjectDescription(&address, false), constraint),
				 errhint("You can drop %s instead.", constraint)));
	}
}

/* The command as it is to be run; a copy where that is another one. */
PlannedStmt *
sd_live_keys_begin(PlannedStmt *pstmt, SdKeyRename *rename)
{
	rename->index = rename->constraint = InvalidOid;
	if (IsA(pstmt->utilityStmt, AlterTableStmt))
		return drop_live_keys(pstmt);
	if (IsA(pstmt->utilityStmt, RenameStmt))
		return rename_live_key(pstmt, rename);
	if (IsA(pstmt->utilityStmt, DropStmt))
		refuse_drop_index((DropStmt *) pstmt->utilityStmt);
	return pstmt;
}

/* The command is done: the partner follows. */
void
sd_live_keys_end(Node *command, SdKeyRename *rename)
{
	if (OidIsValid(rename->index))
		RenameRelationInternal(rename->index, ((RenameStmt *) command)->newname, false, true);
	if (OidIsValid(rename->constraint))
	{
		CommandCounterIncrement();
		RenameConstraintById(rename->constraint, ((RenameStmt *) command)->newname);
	}
}
