/*
 * addkeys.c
 *		New unique keys of managed tables, of live rows.
 *
 * Where a table leaves the keys of its deleted rows free, a unique index or
 * constraint that a migration adds is one of live rows, too, as if it had been
 * there when the table was enabled (sql/parts/67_keys.sql): the index gets the live
 * condition, and a constraint becomes a CHECK of its name beside such an index.
 * What cannot be so (deferrable keys, partitioned tables, keys that speak of the
 * mark, options of their own) stays as it was meant, and so does all of it in a
 * session that sees deleted rows: a dump brings keys along as they were.
 * utility.c calls before and after the command.  Keeps nothing.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "base/guc.h"
#include "base/own_objects.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "commands/comment.h"
#include "commands/defrem.h"
#include "compat.h"
#include "ddl/addkeys.h"
#include "ddl/livekeys.h"
#include "miscadmin.h"
#include "parser/parser.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* do new rows find the keys of deleted ones free? */
static bool
leaves_keys_free(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		if (triggers->triggers[i].tgfoid == sd_objects()->room_trigger)
			return true;
	return false;
}

/*
 * The table whose new keys are to be of live rows, with its indexes as they are;
 * else NULL.  Leaves no lock, as the command will take a stronger one.
 */
static SdTable *
table_with_free_keys(RangeVar *name, SdAddedKeys *added)
{
	Oid			relid = RangeVarGetRelid(name, NoLock, true);
	SdTable    *table;
	Relation	rel;

	if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_RELATION ||
		sd_visible() != SD_VISIBLE_LIVE || !sd_owns_table(relid, GetUserId()))
		return NULL;
	rel = try_relation_open(relid, AccessShareLock);
	if (rel == NULL)
		return NULL;
	table = sd_table(rel);
	if (table != NULL && (!table->hide || rel->rd_rel->relispartition || !leaves_keys_free(rel)))
		table = NULL;
	if (table != NULL)
	{
		added->relid = relid;
		added->before = list_copy(RelationGetIndexList(rel));
	}
	relation_close(rel, AccessShareLock);
	return table;
}

/* a column by which a key can be one of live rows */
static bool
is_key_column(SdTable *table, const char *column)
{
	AttrNumber	attnum = get_attnum(table->relid, column);

	return attnum > 0 && attnum != table->marker && attnum != table->id && attnum != table->time;
}

static void
parse_condition(IndexStmt *stmt, SdTable *table)
{
	List	   *parsed = raw_parser(psprintf("SELECT WHERE %s", sd_table_predicate(table, true, NULL)),
									RAW_PARSE_DEFAULT);

	stmt->whereClause = castNode(SelectStmt, linitial_node(RawStmt, parsed)->stmt)->whereClause;
}

static bool
can_be_live(IndexStmt *stmt, SdTable *table)
{
	ListCell   *lc;

	foreach(lc, stmt->indexParams)
		if (lfirst_node(IndexElem, lc)->name != NULL &&
			!is_key_column(table, lfirst_node(IndexElem, lc)->name))
			return false;
	return true;
}

static void
append_columns(StringInfo buf, List *columns)
{
	ListCell   *lc;

	appendStringInfoChar(buf, '(');
	foreach(lc, columns)
		appendStringInfo(buf, "%s%s", foreach_current_index(lc) > 0 ? ", " : "",
						 quote_identifier(strVal(lfirst(lc))));
	appendStringInfoChar(buf, ')');
}

/* The name that PostgreSQL would give the constraint. */
static char *
constraint_name(SdTable *table, Constraint *key)
{
	StringInfoData columns;
	ListCell   *lc;

	if (key->conname != NULL)
		return key->conname;
	initStringInfo(&columns);
	foreach(lc, key->keys)
		appendStringInfo(&columns, "%s%s", foreach_current_index(lc) > 0 ? "_" : "", strVal(lfirst(lc)));
	return ChooseRelationName(get_rel_name(table->relid), columns.data, "key",
							  get_rel_namespace(table->relid), true);
}

/* does the command itself make the name free? */
static bool
drops_constraint(AlterTableStmt *stmt, const char *name)
{
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		if (cmd->subtype == AT_DropConstraint && strcmp(cmd->name, name) == 0)
			return true;
	}
	return false;
}

/*
 * The constraint as an index of live rows: the command is noted for later, and
 * what takes the constraint's place in ALTER TABLE is returned; NULL where it has
 * to stay a constraint, or is an error.
 */
static AlterTableCmd *
take_constraint(Constraint *key, SdTable *table, AlterTableStmt *stmt, SdAddedKeys *added)
{
	StringInfoData columns;
	const char *nulls;
	char	   *name;
	List	   *parsed;
	ListCell   *lc;

	if (key->contype != CONSTR_UNIQUE || key->indexname != NULL || key->indexspace != NULL ||
		key->options != NIL || key->deferrable || sd_without_overlaps(key))
		return NULL;
	foreach(lc, key->keys)
		if (!is_key_column(table, strVal(lfirst(lc))))
			return NULL;
	foreach(lc, key->including)
		if (get_attnum(table->relid, strVal(lfirst(lc))) <= 0)
			return NULL;
	name = constraint_name(table, key);
	if (OidIsValid(get_relname_relid(name, get_rel_namespace(table->relid))) ||
		(OidIsValid(get_relation_constraint_oid(table->relid, name, true)) &&
		 !drops_constraint(stmt, name)))
		return NULL;

	initStringInfo(&columns);
	append_columns(&columns, key->keys);
	if (key->including != NIL)
	{
		appendStringInfoString(&columns, " INCLUDE ");
		append_columns(&columns, key->including);
	}
	nulls = key->nulls_not_distinct ? " NULLS NOT DISTINCT" : "";
	added->names = lappend(added->names, name);
	added->was = lappend(added->was, psprintf("UNIQUE%s %s", nulls, columns.data));
	added->commands = lappend(added->commands,
							  psprintf("CREATE UNIQUE INDEX %s ON %s %s%s", quote_identifier(name),
									   sd_qualified_name(table->relid), columns.data, nulls));
	parsed = raw_parser(psprintf("ALTER TABLE t ADD CONSTRAINT %s CHECK (true) NOT VALID",
								 quote_identifier(name)), RAW_PARSE_DEFAULT);
	return linitial_node(AlterTableCmd,
						 castNode(AlterTableStmt, linitial_node(RawStmt, parsed)->stmt)->cmds);
}

/* The command as it is to be run; a copy where that is another one. */
PlannedStmt *
sd_live_added_keys(PlannedStmt *pstmt, SdAddedKeys *added)
{
	SdTable    *table;
	ListCell   *lc;

	memset(added, 0, sizeof(SdAddedKeys));
	if (IsA(pstmt->utilityStmt, IndexStmt))
	{
		IndexStmt  *stmt = (IndexStmt *) pstmt->utilityStmt;

		if (!stmt->unique || stmt->primary || stmt->isconstraint || stmt->transformed ||
			stmt->whereClause != NULL || stmt->excludeOpNames != NIL || stmt->relation == NULL)
			return pstmt;
		table = table_with_free_keys(stmt->relation, added);
		if (table == NULL || !can_be_live(stmt, table))
		{
			added->relid = InvalidOid;
			return pstmt;
		}
		pstmt = copyObject(pstmt);
		parse_condition((IndexStmt *) pstmt->utilityStmt, table);
	}
	else if (IsA(pstmt->utilityStmt, AlterTableStmt))
	{
		AlterTableStmt *stmt = (AlterTableStmt *) pstmt->utilityStmt;
		bool		adds = false;

		foreach(lc, stmt->cmds)
		{
			AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

			adds |= cmd->subtype == AT_AddConstraint && castNode(Constraint, cmd->def)->contype == CONSTR_UNIQUE;
		}
		table = adds && stmt->objtype == OBJECT_TABLE ? table_with_free_keys(stmt->relation, added) : NULL;
		if (table == NULL)
			return pstmt;
		pstmt = copyObject(pstmt);
		foreach(lc, ((AlterTableStmt *) pstmt->utilityStmt)->cmds)
		{
			AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

			cmd = cmd->subtype == AT_AddConstraint ?
				take_constraint(castNode(Constraint, cmd->def), table, stmt, added) : NULL;
			if (cmd != NULL)
				lfirst(lc) = cmd;
		}
		if (added->commands == NIL)
			added->relid = InvalidOid;
	}
	return pstmt;
}

static void
tell(SdAddedKeys *added, Oid index, const char *was)
{
	CreateComments(index, RelationRelationId, 0, psprintf(SD_LIVE_KEY_COMMENT "%s", was));
	ereport(NOTICE,
			(errmsg("key \"%s\" of table \"%s\" is one of live rows only",
					get_rel_name(index), get_rel_name(added->relid)),
			 errhint("Foreign keys cannot refer to it. While softdelete.visibility is set to with_deleted, keys are made over all rows.")));
}

/* The command is done: now the indexes, and what they stand for. */
void
sd_finish_added_keys(SdAddedKeys *added)
{
	ListCell   *command;
	ListCell   *was;
	ListCell   *name;
	Relation	rel;

	if (!OidIsValid(added->relid))
		return;
	CommandCounterIncrement();
	if (added->commands == NIL)
	{
		/* CREATE INDEX CONCURRENTLY has begun another transaction */
		PushActiveSnapshot(GetTransactionSnapshot());
		rel = relation_open(added->relid, AccessShareLock);
		foreach(command, list_difference_oid(RelationGetIndexList(rel), added->before))
			tell(added, lfirst_oid(command), "INDEX");
		relation_close(rel, NoLock);
		PopActiveSnapshot();
		return;
	}
	forthree(command, added->commands, was, added->was, name, added->names)
	{
		PlannedStmt *stmt = makeNode(PlannedStmt);
		List	   *parsed = raw_parser(lfirst(command), RAW_PARSE_DEFAULT);
		SdTable    *table = sd_table_by_oid(added->relid);

		stmt->commandType = CMD_UTILITY;
		stmt->utilityStmt = linitial_node(RawStmt, parsed)->stmt;
		if (table == NULL)
			return;
		parse_condition((IndexStmt *) stmt->utilityStmt, table);
		ProcessUtility(stmt, lfirst(command), false, PROCESS_UTILITY_SUBCOMMAND, NULL, NULL,
					   None_Receiver, NULL);
		CommandCounterIncrement();
		tell(added, get_relname_relid(lfirst(name), get_rel_namespace(added->relid)), lfirst(was));
		CreateComments(get_relation_constraint_oid(added->relid, lfirst(name), false),
					   ConstraintRelationId, 0, SD_STAND_IN_COMMENT);
	}
}
