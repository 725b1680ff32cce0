/*
 * refusals.c
 *		Commands that a managed table refuses.
 *
 * Owns no state.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "base/guc.h"
#include "base/own_objects.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "ddl/refusals.h"
#include "engine/holds.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
#include "storage/lmgr.h"
#include "tables/names.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Is there such a table? */
bool
sd_is_table(Oid relid)
{
	return OidIsValid(relid) &&
		(get_rel_relkind(relid) == RELKIND_RELATION ||
		 get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE);
}

/*
 * ALTER TABLE ... DROP COLUMN of a column that the table's state needs.
 * PostgreSQL itself refuses it, as the triggers depend on the column, and
 * suggests CASCADE, which would drop them and make the table an ordinary one.
 */
void
sd_refuse_drop_column(AlterTableStmt *stmt)
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
void
sd_refuse_rename_value(AlterEnumStmt *stmt)
{
	Oid			types[3] = {OIDOID, TEXTOID, TEXTOID};
	Datum		values[3];

	if (stmt->oldVal == NULL || !OidIsValid(sd_objects()->log))
		return;
	values[0] = ObjectIdGetDatum(typenameTypeId(NULL, makeTypeNameFromNameList(stmt->typeName)));
	values[1] = CStringGetTextDatum(stmt->oldVal);
	values[2] = CStringGetTextDatum(stmt->newVal);
	sd_spi_connect();
	if (sd_own_sql("WITH RECURSIVE types AS ("
				   " SELECT $1 AS oid UNION ALL"
				   " SELECT t.oid FROM types JOIN pg_catalog.pg_type t ON t.typbasetype = types.oid)"
				   " SELECT m.target, pg_catalog.format('SELECT softdelete.disable(%L) first, and when it is renamed,"
				   " SELECT softdelete.enable(%L, %L, %L).', m.target, m.target, m.marker, $3)"
				   " FROM softdelete.tables m JOIN pg_catalog.pg_attribute a"
				   " ON a.attrelid = m.target AND a.attname = m.marker"
				   " WHERE m.deleted_value = $2 AND a.atttypid IN (SELECT oid FROM types)",
				   3, types, values) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot rename enum value \"%s\"", stmt->oldVal),
				 errdetail("It marks the deleted rows of table \"%s\".",
						   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1)),
				 errhint("%s", SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2))));
	sd_spi_finish();
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

/* A foreign table, or a partition that is one, below a managed table: refuse. */
static void
refuse_foreign_partition(Oid parent, Oid child)
{
	ListCell   *lc;
	char	   *root;

	if (!OidIsValid(child) || sd_table_by_oid(parent) == NULL)
		return;
	root = sd_qualified_name(sd_table_by_oid(parent)->root);
	foreach(lc, find_all_inheritors(child, AccessShareLock, NULL))
		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_FOREIGN_TABLE)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot put foreign table \"%s\" below managed table \"%s\"",
							get_rel_name(lfirst_oid(lc)), get_rel_name(parent)),
					 errdetail("A DELETE could not mark its rows."),
					 errhint("SELECT softdelete.disable(%s) first, or leave the foreign table where it is.",
							 quote_literal_cstr(root))));
}

/* CREATE FOREIGN TABLE ... PARTITION OF a managed one. */
void
sd_refuse_foreign_partition(CreateForeignTableStmt *stmt)
{
	Oid			parent;

	if (stmt->base.partbound == NULL)
		return;
	parent = RangeVarGetRelid(linitial_node(RangeVar, stmt->base.inhRelations), NoLock, true);
	if (sd_is_table(parent))
		refuse_foreign_partition(parent, RangeVarGetRelid(stmt->base.relation, NoLock, true));
}

/*
 * ATTACH PARTITION and INHERIT of a managed table: a DELETE that comes through
 * an ordinary table above it would mark its rows one by one, and report none.
 */
void
sd_refuse_new_parent(AlterTableStmt *stmt)
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
		if (!sd_is_table(parent))
			continue;
		if (attach)
			refuse_foreign_partition(parent, child);
		if (!sd_is_table(child))
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

void
sd_refuse_truncate(Oid relid)
{
	Relation	rel;
	SdTable    *table;

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
	if (sd_hard_delete)
	{
		sd_refuse_truncate_held(table->root);
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot truncate managed table \"%s\"", get_rel_name(relid)),
			 errdetail("TRUNCATE erases rows that could not be restored."),
			 errhint("Use DELETE, or SET softdelete.hard_delete = on to erase the rows for good.")));
}
