/*
 * formerstatus.c
 *		A restore that does not know what the row's status was.
 *
 * Such a row was marked before its table was managed, or inserted with the mark.
 * Where the column can neither be NULL nor has a default, the planner hook puts
 * a call of this function into the place of the former status.  Owns nothing.
 */
#include "postgres.h"

#include "base/own_objects.h"
#include "fmgr.h"
#include "tables/cluster.h"
#include "tables/registry.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(softdelete_former_unknown);

/* former_unknown(engine, table, former): raises, for a restore */
Datum
softdelete_former_unknown(PG_FUNCTION_ARGS)
{
	SdTable    *table;
	char	   *marker;
	char	   *former;

	/* the third argument is NULL, and there for its type */
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) ||
		(table = sd_table_by_oid(PG_GETARG_OID(1))) == NULL ||
		table->former == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("this function is for statements that softdelete has planned")));
	marker = get_attname(table->relid, table->marker, false);
	former = get_attname(table->relid, table->former, false);
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("it is not known what column \"%s\" of table \"%s\" was "
					"before the row was deleted",
					marker, get_rel_name(table->relid)),
			 errdetail("The row was marked before the table was managed. "
					   "The column cannot be null and has no default."),
			 errhint("To restore such rows as 'active', for example: "
					 "SET softdelete.visibility = only_deleted; "
					 "UPDATE %s SET %s = 'active' WHERE %s IS NULL; "
					 "RESET softdelete.visibility.",
					 sd_logical_name(table->root), quote_identifier(marker),
					 quote_identifier(former))));
	PG_RETURN_NULL();
}
