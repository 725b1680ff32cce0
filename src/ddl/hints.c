/*
 * hints.c
 *		Words for what a command does that is easily overlooked.
 *
 * A new constraint, index, type or partition is held to deleted rows, too, and
 * PostgreSQL's message about one of them puzzles whoever looks for the row: a
 * hint is added.  A partition that is detached is managed no more, and a plain SET
 * of softdelete.hard_delete outlasts the transaction, which is said.  Called by
 * utility.c around the command; reads the table, and changes nothing.
 */
#include "postgres.h"

#include "access/relation.h"
#include "base/guc.h"
#include "base/spi.h"
#include "catalog/namespace.h"
#include "compat.h"
#include "ddl/hints.h"
#include "engine/statement.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "tables/table.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

/* a partition on its way out of a managed table */
typedef struct Detached
{
	Oid			relid;
	Oid			owner;
	char	   *enable;			/* the arguments that manage it again */
	char	   *query;			/* for a deleted row of it */
} Detached;

/*
 * The relation, if it is a managed table of the current user's; else NULL.  Leaves
 * no lock: one that stayed could deadlock with the command's own.  Whoever may not
 * alter the table must not wait for it, either.
 */
static SdTable *
own_managed_table(RangeVar *name)
{
	Oid			relid = name ? RangeVarGetRelid(name, NoLock, true) : InvalidOid;
	SdTable    *table = NULL;
	Relation	rel;

	if (!OidIsValid(relid) || !sd_owns_table(relid, GetUserId()))
		return NULL;
	rel = try_relation_open(relid, AccessShareLock);
	if (rel != NULL)
	{
		table = sd_table(rel);
		relation_close(rel, AccessShareLock);
	}
	return table;
}

/* called as an error of the command is raised */
static void
add_hint(void *arg)
{
	SdDdlHint  *hint = arg;

	switch (geterrcode())
	{
		case ERRCODE_UNIQUE_VIOLATION:
		case ERRCODE_EXCLUSION_VIOLATION:
		case ERRCODE_CHECK_VIOLATION:
		case ERRCODE_NOT_NULL_VIOLATION:
		case ERRCODE_FOREIGN_KEY_VIOLATION:
			break;
		default:
			if (!hint->converts ||
				ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
				return;
	}
	errhint("Deleted rows of table \"%s\" count, too: purge them, or repair them while softdelete.visibility is with_deleted.",
			hint->table);
}

/* the relation whose rows the command looks at */
static RangeVar *
checked_relation(Node *command, bool *converts)
{
	ListCell   *lc;

	switch (nodeTag(command))
	{
		case T_AlterTableStmt:
			foreach(lc, ((AlterTableStmt *) command)->cmds)
				if (lfirst_node(AlterTableCmd, lc)->subtype == AT_AlterColumnType)
					*converts = true;
			return ((AlterTableStmt *) command)->relation;
		case T_IndexStmt:
			/* one that is partial says itself which rows count */
			return ((IndexStmt *) command)->whereClause == NULL ?
				((IndexStmt *) command)->relation : NULL;
		case T_CreateStmt:
			/* a DEFAULT partition beside it may hold rows that are its own */
			if (((CreateStmt *) command)->partbound != NULL)
				return linitial_node(RangeVar, ((CreateStmt *) command)->inhRelations);
			return NULL;
		default:
			return NULL;
	}
}

void
sd_ddl_hint_begin(SdDdlHint *hint, Node *command)
{
	bool		converts = false;
	SdTable    *table = own_managed_table(checked_relation(command, &converts));

	hint->table = table ? get_rel_name(table->relid) : NULL;
	if (hint->table == NULL)
		return;
	hint->converts = converts;
	hint->callback.callback = add_hint;
	hint->callback.arg = hint;
	hint->callback.previous = error_context_stack;
	error_context_stack = &hint->callback;
}

void
sd_ddl_hint_end(SdDdlHint *hint)
{
	if (hint->table != NULL)
		error_context_stack = hint->callback.previous;
}

/* the managed partitions that the command detaches, for sd_warn_of_detached() */
List *
sd_detached_partitions(AlterTableStmt *stmt)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);
		RangeVar   *name;
		Detached   *detached;
		SdTable    *table;
		StringInfoData enable;

		if (cmd->subtype != AT_DetachPartition || own_managed_table(stmt->relation) == NULL)
			continue;
		name = castNode(PartitionCmd, cmd->def)->name;
		table = own_managed_table(name);
		if (table == NULL)
			continue;
		initStringInfo(&enable);
		appendStringInfo(&enable, "%s, %s",
						 quote_literal_cstr(sd_qualified_name(table->relid)),
						 quote_literal_cstr(get_attname(table->relid, table->marker, false)));
		if (table->kind != SD_TIMESTAMP)
			appendStringInfo(&enable, ", %s", quote_literal_cstr(table->deleted_value));
		detached = palloc(sizeof(Detached));
		detached->relid = table->relid;
		detached->owner = sd_owner_of(table->relid);
		detached->enable = enable.data;
		detached->query = psprintf("SELECT FROM %s t WHERE %s AND $1 IS NULL",
								   sd_qualified_name(table->relid),
								   sd_table_predicate(table, false, "t"));
		result = lappend(result, detached);
	}
	return result;
}

static bool
has_deleted_row(Detached *detached)
{
	SdStatement statement = {SD_TASK_READ, .restricted = true};
	Oid			types[1];
	Datum		values[1];
	bool		found;

	/* DETACH ... CONCURRENTLY has begun another transaction */
	PushActiveSnapshot(GetTransactionSnapshot());
	sd_spi_connect();
	sd_execute(sd_prepare(detached->query, 0, types, detached->owner, 0), values,
			   &statement, detached->owner, true, SD_VIEW_STATEMENT, 1);
	found = SPI_processed > 0;
	sd_spi_finish();
	PopActiveSnapshot();
	return found;
}

/* They were detached: DELETE is final there, and what was deleted shows. */
void
sd_warn_of_detached(List *detached)
{
	ListCell   *lc;

	foreach(lc, detached)
	{
		Detached   *one = lfirst(lc);
		const char *name = get_rel_name(one->relid);
		bool		deleted;

		if (name == NULL || sd_table_by_oid(one->relid) != NULL)
			continue;
		deleted = has_deleted_row(one);
		ereport(deleted ? WARNING : NOTICE,
				(errmsg("table \"%s\" is not managed by softdelete any more", name),
				 deleted ? errdetail("Its deleted rows are ordinary rows now.") : 0,
				 errhint("SELECT softdelete.enable(%s) manages it again.", one->enable)));
	}
}

/* SET softdelete.hard_delete was carried out. */
void
sd_warn_of_setting(VariableSetStmt *stmt)
{
	if (stmt->kind == VAR_SET_VALUE && !stmt->is_local && sd_hard_delete &&
		pg_strcasecmp(stmt->name, "softdelete.hard_delete") == 0)
		ereport(WARNING,
				(errmsg("softdelete.hard_delete stays on until the session ends"),
				 errhint("Use SET LOCAL in a transaction: from a connection pool the next client gets this session.")));
}
