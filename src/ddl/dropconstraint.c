/*
 * dropconstraint.c
 *		ALTER TABLE ... DROP CONSTRAINT of a key that became a live index.
 *
 * A key that is unique among live rows is an index under the name that the
 * constraint had.  Migrations go on dropping the constraint: they are told what
 * it is now.  Called by utility.c before the command; changes nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "compat.h"
#include "ddl/dropconstraint.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* a partial unique index of the table, of that name */
static bool
is_live_key(Oid relid, const char *name)
{
	Oid			index = get_relname_relid(name, get_rel_namespace(relid));
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_index) GETSTRUCT(tuple))->indrelid == relid &&
		((Form_pg_index) GETSTRUCT(tuple))->indisunique &&
		!heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	ReleaseSysCache(tuple);
	return result;
}

void
sd_explain_drop_constraint(AlterTableStmt *stmt)
{
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);
		Oid			relid;

		if (cmd->subtype != AT_DropConstraint || cmd->missing_ok)
			continue;
		relid = RangeVarGetRelid(stmt->relation, NoLock, true);
		if (!OidIsValid(relid) || !sd_owns_table(relid, GetUserId()) ||
			OidIsValid(get_relation_constraint_oid(relid, cmd->name, true)) ||
			!is_live_key(relid, cmd->name))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("constraint \"%s\" of relation \"%s\" does not exist",
						cmd->name, get_rel_name(relid)),
				 errdetail("It is a unique index over live rows now."),
				 errhint("DROP INDEX %s;", quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
																	  cmd->name))));
	}
}
