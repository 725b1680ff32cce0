/*
 * columns.c
 *		What is kept by the names of columns follows them.
 *
 * A hold of a row names its key by them: a renamed key is held on.  A deleted row that made
 * room for a new one with its key is kept by them, too (mark/makeroom.c).  When a
 * column is renamed, its value goes by the new name; when one is dropped, its value
 * goes, too, so that a later column of that name does not get it.  Columns that are
 * added have their default.  For the comments of keys see keycomments.c.
 */
#include "postgres.h"

#include "base/own_sql.h"
#include "base/spi.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "ddl/columns.h"
#include "ddl/keycomments.h"
#include "engine/holds.h"
#include "nodes/parsenodes.h"
#include "tables/registry.h"
#include "tables/trashquery.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* SQL: the object with what was called $2 called $3 */
#define RENAMED(object) \
	object " OPERATOR(pg_catalog.-) $2 OPERATOR(pg_catalog.||)" \
	" pg_catalog.jsonb_build_object($3, " object " OPERATOR(pg_catalog.->) $2)"

static void
follow_rename(Oid relid, const char *old, const char *new)
{
	Oid			types[] = {OIDOID, TEXTOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(relid), CStringGetTextDatum(old), CStringGetTextDatum(new)};

	(void) sd_own_sql("UPDATE softdelete.hold_log SET key = " RENAMED("key")
					  " WHERE target OPERATOR(pg_catalog.=) $1 AND key OPERATOR(pg_catalog.?) $2",
					  3, types, values);
	(void) sd_own_sql("UPDATE softdelete.replaced_rows SET row_data = " RENAMED("row_data")
					  ", key = CASE WHEN key OPERATOR(pg_catalog.?) $2 THEN " RENAMED("key") " ELSE key END"
					  " WHERE target OPERATOR(pg_catalog.=) $1 AND row_data OPERATOR(pg_catalog.?) $2",
					  3, types, values);
	sd_forget_holds();
	sd_rename_in_key_comments(relid, old, new);
}

static void
follow_drop(Oid relid, const char *name)
{
	Oid			types[] = {OIDOID, TEXTOID};
	Datum		values[] = {ObjectIdGetDatum(relid), CStringGetTextDatum(name)};

	(void) sd_own_sql("UPDATE softdelete.replaced_rows SET row_data = row_data OPERATOR(pg_catalog.-) $2"
					  " WHERE target OPERATOR(pg_catalog.=) $1 AND row_data OPERATOR(pg_catalog.?) $2",
					  2, types, values);
}

/* the table that the command is on, if there may be such rows of it */
static Oid
table_of(RangeVar *name)
{
	Oid			relid = name ? RangeVarGetRelid(name, NoLock, true) : InvalidOid;
	char		relkind = OidIsValid(relid) ? get_rel_relkind(relid) : '\0';

	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE)
		return InvalidOid;
	return sd_table_by_oid(relid) != NULL || sd_has_replaced(relid) ? relid : InvalidOid;
}

/* To be called when the command is done: it holds the table's lock still. */
void
sd_follow_columns(Node *command)
{
	bool		renames = IsA(command, RenameStmt) && ((RenameStmt *) command)->renameType == OBJECT_COLUMN;
	Oid			relid = renames ? table_of(((RenameStmt *) command)->relation) :
		IsA(command, AlterTableStmt) ? table_of(((AlterTableStmt *) command)->relation) : InvalidOid;
	ListCell   *lc;

	if (!OidIsValid(relid))
		return;
	sd_spi_connect();
	if (renames)
		follow_rename(relid, ((RenameStmt *) command)->subname, ((RenameStmt *) command)->newname);
	else
		foreach(lc, ((AlterTableStmt *) command)->cmds)
		{
			AlterTableCmd *cmd = lfirst(lc);

			if (cmd->subtype == AT_DropColumn)
				follow_drop(relid, cmd->name);
		}
	sd_spi_finish();
}
