/*
 * copy.c
 *		COPY of a managed table.
 *
 * Called by utility.c before the command runs; command in, command out.  COPY
 * table TO reads the table without the planner and would export deleted rows,
 * so it becomes COPY of a query on the table, as PostgreSQL has it for row
 * security.  Without a list of columns COPY, in either direction, is about the
 * columns that the application knows: those that enable() added are left out,
 * and a file from before fits the table of after.
 *
 * Who copies whole tables (sd_visible()) gets whole tables.  Keeps nothing.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xlog.h"
#include "base/guc.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "commands/copy.h"
#include "ddl/copy.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* what enable() begins the comment of a column with that it adds */
#define OWN_COMMENT "softdelete: "

/* Did enable() add the column?  It comments that of the topmost table. */
static bool
is_added(SdTable *table, AttrNumber attnum)
{
	char	   *comment;

	if (attnum != table->marker && attnum != table->id &&
		attnum != table->time && attnum != table->former)
		return false;
	if (table->root != table->relid)
		attnum = get_attnum(table->root, get_attname(table->relid, attnum, false));
	comment = GetComment(table->root, RelationRelationId, attnum);
	return comment != NULL && strncmp(comment, OWN_COMMENT, strlen(OWN_COMMENT)) == 0;
}

/* the names of the columns that COPY without a list is about */
static List *
known_columns(Relation rel, SdTable *table)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, CopyGetAttnums(RelationGetDescr(rel), rel, NIL))
	{
		AttrNumber	attnum = lfirst_int(lc);
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

		if (!is_added(table, attnum))
			names = lappend(names, makeString(pstrdup(NameStr(att->attname))));
	}
	return names;
}

/* SELECT columns FROM ONLY rel; a distributed table knows no ONLY */
static SelectStmt *
select_from(Relation rel, List *columns, bool distributed)
{
	SelectStmt *select = makeNode(SelectStmt);
	RangeVar   *from = makeRangeVar(get_namespace_name(RelationGetNamespace(rel)),
									pstrdup(RelationGetRelationName(rel)), -1);
	ListCell   *lc;

	from->inh = distributed;
	select->fromClause = list_make1(from);
	foreach(lc, columns)
	{
		ResTarget  *target = makeNode(ResTarget);
		ColumnRef  *column = makeNode(ColumnRef);

		column->fields = list_make1(lfirst(lc));
		column->location = -1;
		target->val = (Node *) column;
		target->location = -1;
		select->targetList = lappend(select->targetList, target);
	}
	return select;
}

static void
adapt(CopyStmt *copy, Relation rel, SdTable *table)
{
	if (copy->attlist == NIL)
		copy->attlist = known_columns(rel, table);
	else
		(void) CopyGetAttnums(RelationGetDescr(rel), rel, copy->attlist);	/* raises */

	/* COPY of a partitioned table is PostgreSQL's to refuse */
	if (copy->is_from || (rel->rd_rel->relkind != RELKIND_RELATION && !table->distributed) ||
		sd_visible() == SD_VISIBLE_ALL ||
		(sd_visible() == SD_VISIBLE_LIVE && !table->hide))
		return;
	copy->query = (Node *) select_from(rel, copy->attlist, table->distributed);
	copy->relation = NULL;
	copy->attlist = NIL;
}

/*
 * The command: itself, or where it is a COPY that means something else for this
 * session, a copy that says so.  The lock is the one that COPY takes anyway.
 */
PlannedStmt *
sd_copy_visible(PlannedStmt *pstmt)
{
	CopyStmt   *copy = (CopyStmt *) pstmt->utilityStmt;
	Relation	rel;
	SdTable    *table;

	if (!IsA(copy, CopyStmt) || copy->relation == NULL || sd_sees_whole_tables() ||
		(copy->is_from && (copy->attlist != NIL || RecoveryInProgress())))
		return pstmt;
	rel = table_openrv_extended(copy->relation,
								copy->is_from ? RowExclusiveLock : AccessShareLock, true);
	if (rel == NULL)
		return pstmt;
	table = sd_table(rel);
	if (table != NULL)
	{
		pstmt = copyObject(pstmt);
		adapt(castNode(CopyStmt, pstmt->utilityStmt), rel, table);
	}
	table_close(rel, NoLock);
	return pstmt;
}
