/*
 * retype.c
 *		ALTER COLUMN ... TYPE of a column that a managed table's state needs.
 *
 * PostgreSQL refuses it, as the triggers depend on the column, and says no more.
 * Here comes the way to do it, with the table's own names.  Reads, changes
 * nothing.
 */
#include "postgres.h"

#include "base/own_sql.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "ddl/refusals.h"
#include "ddl/retype.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "parser/parse_type.h"
#include "storage/lmgr.h"
#include "tables/names.h"
#include "tables/registry.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* the enable() that makes the table what it is */
static char *
enable_again(Oid relid)
{
	Oid			types[1] = {REGCLASSOID};
	Datum		values[1] = {ObjectIdGetDatum(relid)};
	MemoryContext context = CurrentMemoryContext;
	char	   *call;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	sd_own_sql("SELECT softdelete.enable_again($1)", 1, types, values);
	call = MemoryContextStrdup(context, SPI_getvalue(SPI_tuptable->vals[0],
													 SPI_tuptable->tupdesc, 1));
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	return call;
}

static void
refuse(SdTable *table, AlterTableCmd *cmd)
{
	const char *name = sd_qualified_name(table->relid);
	Oid			type;
	int32		typmod;

	typenameTypeIdAndMod(NULL, castNode(ColumnDef, cmd->def)->typeName, &type, &typmod);
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot alter type of column \"%s\" of managed table \"%s\"",
					cmd->name, get_rel_name(table->relid)),
			 errdetail("The column says which rows are deleted, or when and by what."),
			 errhint("BEGIN; SELECT softdelete.disable(%s); ALTER TABLE %s ALTER COLUMN %s TYPE %s; %s; COMMIT;",
					 quote_literal_cstr(name), name, quote_identifier(cmd->name),
					 format_type_with_typemod(type, typmod), enable_again(table->relid))));
}

void
sd_refuse_retype(AlterTableStmt *stmt)
{
	ListCell   *lc;
	Oid			relid;
	SdTable    *table;

	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);
		AttrNumber	attnum;

		if (cmd->subtype != AT_AlterColumnType)
			continue;
		/* no lock that stays: whoever may not alter the table must not block it */
		relid = RangeVarGetRelid(stmt->relation, NoLock, true);
		if (!sd_is_table(relid) || !sd_owns_table(relid, GetUserId()))
			return;
		table = sd_table_by_oid(relid);
		UnlockRelationOid(relid, AccessShareLock);
		if (table == NULL)
			return;
		attnum = get_attnum(relid, cmd->name);
		/* of a partition, PostgreSQL refuses it for another reason */
		if (table->root == relid && attnum != InvalidAttrNumber &&
			(attnum == table->marker || attnum == table->id ||
			 attnum == table->time || attnum == table->former))
			refuse(table, cmd);
	}
}
