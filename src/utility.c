/*
 * utility.c
 *		Utility commands that managed tables have a say in.
 *
 * ALTER TABLE sees every row while it adds or validates constraints, and a new
 * foreign key is held to deleted parents, too.  SET
 * CONSTRAINTS reaches the extension's deferred checks.  TRUNCATE is refused
 * for partitions, too, which have no statement trigger.  A column that a
 * managed table needs cannot be dropped, not even with CASCADE.
 */
#include "postgres.h"

#include "compat.h"
#include "utility.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "deferred.h"
#include "deletions.h"
#include "executor/spi.h"
#include "guc.h"
#include "integrity.h"
#include "keys.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
#include "predicate.h"
#include "registry.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "visibility.h"

static ProcessUtility_hook_type prev_utility = NULL;
static object_access_hook_type prev_object_access = NULL;

/*
 * ALTER TABLE ... DROP COLUMN of a column that the table's state needs.
 * PostgreSQL itself refuses it, as the triggers depend on the column, and
 * suggests CASCADE, which would drop them and make the table an ordinary one.
 */
static void
refuse_drop_column(AlterTableStmt *stmt)
{
	Oid			relid = InvalidOid;
	SdTable    *table = NULL;
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);
		AttrNumber	attnum;

		if (cmd->subtype != AT_DropColumn)
			continue;
		if (!OidIsValid(relid))
		{
			/* no lock yet: whoever may not alter the table must not block it */
			relid = RangeVarGetRelid(stmt->relation, NoLock, true);
			if (!OidIsValid(relid) || !sd_owns_table(relid, GetUserId()) ||
				(get_rel_relkind(relid) != RELKIND_RELATION &&
				 get_rel_relkind(relid) != RELKIND_PARTITIONED_TABLE))
				return;
			table = sd_table_by_oid(relid);
			UnlockRelationOid(relid, AccessShareLock);
		}
		if (table == NULL)
			return;
		attnum = get_attnum(relid, cmd->name);
		if (attnum == InvalidAttrNumber ||
			(attnum != table->marker && attnum != table->id &&
			 attnum != table->time && attnum != table->former))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop column \"%s\" of managed table \"%s\"",
						cmd->name, get_rel_name(relid)),
				 errdetail("The column says which rows are deleted, or when and by what."),
				 errhint("SELECT softdelete.disable(%s) first.",
						 quote_literal_cstr(sd_qualified_name(relid)))));
	}
}

/* ALTER TYPE ... RENAME VALUE of the value that says "deleted" somewhere. */
static void
refuse_rename_value(AlterEnumStmt *stmt)
{
	Oid			types[2] = {OIDOID, TEXTOID};
	Datum		values[2];

	if (stmt->oldVal == NULL || !OidIsValid(sd_objects()->log))
		return;
	values[0] = ObjectIdGetDatum(typenameTypeId(NULL, makeTypeNameFromNameList(stmt->typeName)));
	values[1] = CStringGetTextDatum(stmt->oldVal);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (sd_log_execute("WITH RECURSIVE types AS ("
					   " SELECT $1 AS oid UNION ALL"
					   " SELECT t.oid FROM types JOIN pg_catalog.pg_type t ON t.typbasetype = types.oid)"
					   " SELECT m.target FROM softdelete.tables m JOIN pg_catalog.pg_attribute a"
					   " ON a.attrelid = m.target AND a.attname = m.marker"
					   " WHERE m.deleted_value = $2 AND a.atttypid IN (SELECT oid FROM types)",
					   2, types, values) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot rename enum value \"%s\"", stmt->oldVal),
				 errdetail("It marks the deleted rows of table \"%s\".",
						   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("SELECT softdelete.disable(...) first, and enable the table again with the new value.")));
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

static bool
may_add_key(AlterTableStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->cmds)
		switch (lfirst_node(AlterTableCmd, lc)->subtype)
		{
			case AT_AddConstraint:
			case AT_ValidateConstraint:
			case AT_AddColumn:
				return true;
			default:
				break;
		}
	return false;
}

/* A foreign key that the command added or validated holds for deleted parents. */
static void
check_new_keys(AlterTableStmt *stmt)
{
	Oid			relid = RangeVarGetRelid(stmt->relation, NoLock, true);
	Relation	rel;
	ListCell   *lc;

	if (!OidIsValid(relid) ||
		(get_rel_relkind(relid) != RELKIND_RELATION &&
		 get_rel_relkind(relid) != RELKIND_PARTITIONED_TABLE))
		return;
	CommandCounterIncrement();
	rel = table_open(relid, AccessShareLock);
	foreach(lc, sd_keys_of(rel, false))
		if (((SdKey *) lfirst(lc))->validated)
			sd_check_new_key(lfirst(lc));
	table_close(rel, AccessShareLock);
}

static void
softdelete_utility(PlannedStmt *pstmt, const char *queryString,
				   bool readOnlyTree, ProcessUtilityContext context,
				   ParamListInfo params, QueryEnvironment *queryEnv,
				   DestReceiver *dest, QueryCompletion *qc)
{
	Node	   *command = pstmt->utilityStmt;
	NodeTag		tag = nodeTag(command);
	int			depth = sd_bypass_depth;

	if (tag == T_AlterTableStmt)
	{
		refuse_drop_column((AlterTableStmt *) command);
		sd_bypass_depth++;
	}
	else if (tag == T_AlterEnumStmt)
		refuse_rename_value((AlterEnumStmt *) command);
	PG_TRY();
	{
		if (prev_utility)
			prev_utility(pstmt, queryString, readOnlyTree, context, params,
						 queryEnv, dest, qc);
		else
			standard_ProcessUtility(pstmt, queryString, readOnlyTree, context,
									params, queryEnv, dest, qc);
	}
	PG_CATCH();
	{
		sd_bypass_depth = depth;
		PG_RE_THROW();
	}
	PG_END_TRY();
	sd_bypass_depth = depth;

	if (tag == T_AlterTableStmt && may_add_key((AlterTableStmt *) command))
		check_new_keys((AlterTableStmt *) command);

	/* a ROLLBACK may have freed the command, SET CONSTRAINTS has not */
	if (tag == T_ConstraintsSetStmt)
		sd_set_constraints((ConstraintsSetStmt *) command);
}

static void
refuse_truncate(Oid relid)
{
	Relation	rel;
	SdTable    *table;

	if (sd_hard_delete)
		return;

	/*
	 * TRUNCATE asks before it locks: a lock that we kept would become a
	 * stronger one, and two sessions that do so deadlock.
	 */
	rel = table_open(relid, AccessShareLock);
	table = sd_table(rel);
	table_close(rel, AccessShareLock);
	if (table == NULL ||
		pg_class_aclcheck(relid, GetUserId(), ACL_TRUNCATE) != ACLCHECK_OK)
		return;					/* the last is PostgreSQL's to refuse */
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot truncate managed table \"%s\"", get_rel_name(relid)),
			 errdetail("TRUNCATE erases rows that could not be restored."),
			 errhint("Use DELETE, or SET softdelete.hard_delete = on to erase the rows for good.")));
}

static void
softdelete_object_access(ObjectAccessType access, Oid classId, Oid objectId,
						 int subId, void *arg)
{
	if (prev_object_access)
		prev_object_access(access, classId, objectId, subId, arg);

	if (classId != RelationRelationId)
		return;
	if (access == OAT_TRUNCATE)
		refuse_truncate(objectId);
}

void
sd_utility_init(void)
{
	prev_utility = ProcessUtility_hook;
	ProcessUtility_hook = softdelete_utility;
	prev_object_access = object_access_hook;
	object_access_hook = softdelete_object_access;
}
