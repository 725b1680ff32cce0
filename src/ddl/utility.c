/*
 * utility.c
 *		Utility commands that managed tables have a say in.
 *
 * ALTER TABLE sees every row while it adds or validates constraints, and a new
 * foreign key, or an old one over new rows or values, is held to deleted
 * parents, too.  SET CONSTRAINTS reaches the extension's deferred checks.
 * TRUNCATE is refused for partitions, too, which have no statement trigger.  A
 * column that a managed table needs cannot be dropped, not even with CASCADE,
 * nor its triggers (drops.c).  A managed table cannot go below one that is not.
 */
#include "postgres.h"

#include "compat.h"
#include "ddl/copy.h"
#include "ddl/utility.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "fk/deferred.h"
#include "engine/log.h"
#include "ddl/drops.h"
#include "executor/spi.h"
#include "base/guc.h"
#include "fk/orphan.h"
#include "tables/foreignkeys.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "plan/visibility.h"

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
	if (sd_own_sql("WITH RECURSIVE types AS ("
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
is_table(Oid relid)
{
	return OidIsValid(relid) &&
		(get_rel_relkind(relid) == RELKIND_RELATION ||
		 get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE);
}

/* what an ALTER TABLE may do to foreign keys */
typedef struct KeyChange
{
	RangeVar   *relation;		/* whose keys it adds or validates, or whose
								 * rows they see for the first time, or NULL */
	List	   *columns;		/* String: their values may change */
	List	   *before;			/* SdKey: valid ones of before */
} KeyChange;

/* the table's foreign keys that hold for the rows that it has */
static List *
valid_keys_of(RangeVar *relation, bool children)
{
	Oid			relid = RangeVarGetRelid(relation, NoLock, true);
	List	   *keys = NIL;
	Relation	rel;
	ListCell   *lc;

	if (!is_table(relid))
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

/* not inlined: its variables would count as clobbered by the caller's PG_TRY */
static pg_noinline KeyChange *
key_change(AlterTableStmt *stmt)
{
	KeyChange  *change = palloc0(sizeof(KeyChange));
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
may_differ(KeyChange *change, SdKey *key)
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
static void
check_new_keys(KeyChange *change)
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

/* has the table triggers of ours that are not copies of a parent's? */
static bool
has_own_triggers(Relation rel)
{
	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
		if (!rel->trigdesc->triggers[i].tgisclone &&
			sd_is_own_trigger(&rel->trigdesc->triggers[i]))
			return true;
	return false;
}

/*
 * ATTACH PARTITION and INHERIT of a managed table: a DELETE that comes through
 * an ordinary table above it would mark its rows one by one, and report none.
 */
static void
refuse_new_parent(AlterTableStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);
		bool		attach = cmd->subtype == AT_AttachPartition;
		Oid			child;
		Oid			parent;
		Relation	rel;

		if (!attach && cmd->subtype != AT_AddInherit)
			continue;
		child = RangeVarGetRelid(attach ? castNode(PartitionCmd, cmd->def)->name :
								 stmt->relation, NoLock, true);
		parent = RangeVarGetRelid(attach ? stmt->relation : castNode(RangeVar, cmd->def),
								  NoLock, true);
		if (!is_table(child) || !is_table(parent))
			continue;
		rel = table_open(child, AccessShareLock);
		if (has_own_triggers(rel) && (attach || sd_table_by_oid(parent) == NULL))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot put managed table \"%s\" below table \"%s\"",
							get_rel_name(child), get_rel_name(parent)),
					 errdetail("A DELETE through \"%s\" would not know that its rows are to be kept.",
							   get_rel_name(parent)),
					 attach ?
					 errhint("SELECT softdelete.disable(%s) first, and enable the partitioned table.",
							 quote_literal_cstr(sd_qualified_name(child))) :
					 errhint("SELECT softdelete.disable(%s) first.",
							 quote_literal_cstr(sd_qualified_name(child)))));
		table_close(rel, NoLock);
	}
}

static void
softdelete_utility(PlannedStmt *pstmt, const char *queryString,
				   bool readOnlyTree, ProcessUtilityContext context,
				   ParamListInfo params, QueryEnvironment *queryEnv,
				   DestReceiver *dest, QueryCompletion *qc)
{
	Node	   *command = pstmt->utilityStmt;
	NodeTag		tag = nodeTag(command);
	PlannedStmt *const meant = sd_copy_visible(pstmt);
	int			depth = sd_bypass_depth;
	SdDrops		drops;
	KeyChange  *change = tag == T_AlterTableStmt ? key_change((AlterTableStmt *) command) : NULL;

	if (tag == T_AlterTableStmt)
	{
		refuse_drop_column((AlterTableStmt *) command);
		sd_bypass_depth++;
	}
	else if (tag == T_AlterEnumStmt)
		refuse_rename_value((AlterEnumStmt *) command);
	sd_drops_begin(&drops);
	PG_TRY();
	{
		if (prev_utility)
			prev_utility(meant, queryString, readOnlyTree, context, params,
						 queryEnv, dest, qc);
		else
			standard_ProcessUtility(meant, queryString, readOnlyTree, context,
									params, queryEnv, dest, qc);
	}
	PG_CATCH();
	{
		sd_bypass_depth = depth;
		sd_drops_end(&drops);
		PG_RE_THROW();
	}
	PG_END_TRY();
	sd_bypass_depth = depth;
	sd_drops_end(&drops);

	sd_drops_check(&drops);
	if (tag == T_AlterTableStmt)
	{
		check_new_keys(change);
		refuse_new_parent((AlterTableStmt *) command);
	}

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

	if (classId == RelationRelationId && access == OAT_TRUNCATE)
		refuse_truncate(objectId);
	else if (classId == TriggerRelationId &&
			 (access == OAT_POST_CREATE ||
			  (access == OAT_DROP &&
			   !(((ObjectAccessDrop *) arg)->dropflags & PERFORM_DELETION_INTERNAL))))
		sd_drops_note(objectId);
}

void
sd_utility_init(void)
{
	prev_utility = ProcessUtility_hook;
	ProcessUtility_hook = softdelete_utility;
	prev_object_access = object_access_hook;
	object_access_hook = softdelete_object_access;
}
