/*
 * retention.c
 *		How long a table keeps its deleted rows.
 *
 * Writes softdelete.retention.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "base/own_sql.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "purge/retention.h"
#include "tables/foreignkeys.h"
#include "tables/names.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "tables/table.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(softdelete_set_retention);
PG_FUNCTION_INFO_V1(softdelete_default_retention);
PG_FUNCTION_INFO_V1(softdelete_check_retention);
PG_FUNCTION_INFO_V1(softdelete_forget);

/* Raise invalid_parameter_value on a negative or infinite period. */
static void
check_period(Interval *retention, const char *name)
{
	bool		kept = strcmp(name, "retention") == 0;

	Interval	zero = {0};
	Interval	limit = {.month = 12 * 1000};

	/* each part by itself, too: a negative one may make up for another */
	if (retention->month > limit.month || retention->day > limit.month * 31 ||
		retention->month < -limit.month || retention->day < -limit.month * 31 ||
		DatumGetBool(DirectFunctionCall2(interval_gt, IntervalPGetDatum(retention),
										 IntervalPGetDatum(&limit))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not exceed 1000 years", name),
				 kept ? errhint("NULL keeps deleted rows for ever.") : 0));
	if (!DatumGetBool(DirectFunctionCall1(interval_finite, IntervalPGetDatum(retention))) ||
		DatumGetBool(DirectFunctionCall2(interval_lt, IntervalPGetDatum(retention),
										 IntervalPGetDatum(&zero))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative or infinite", name),
				 kept ? errhint("NULL keeps deleted rows for ever.") : 0));
}

void
sd_check_retention(Interval *retention)
{
	check_period(retention, "retention");
}

void
sd_check_older_than(Interval *older_than)
{
	check_period(older_than, "older_than");
}

Datum
softdelete_check_retention(PG_FUNCTION_ARGS)
{
	check_period(PG_GETARG_INTERVAL_P(0), text_to_cstring(PG_GETARG_TEXT_PP(1)));
	PG_RETURN_VOID();
}

/* Set the retention of one table; unless overwrite, only where it has none. */
static void
set_retention(Oid relid, NullableDatum retention, bool overwrite)
{
	Oid			types[2] = {REGCLASSOID, INTERVALOID};
	Datum		values[2];
	SdTable    *table;

	sd_check_owner(relid);
	table = sd_find_table(relid);
	if (table != NULL && table->root != relid)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("\"%s\" is a partition", get_rel_name(relid)),
				 errhint("Partitions follow their table: SELECT softdelete.set_retention(%s, '30 days').",
						 quote_literal_cstr(sd_qualified_name(table->root)))));
	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not managed by softdelete", get_rel_name(relid)),
				 errhint("SELECT softdelete.enable(%s) first.",
						 quote_literal_cstr(sd_qualified_name(relid)))));
	values[0] = ObjectIdGetDatum(relid);
	values[1] = retention.value;
	if (retention.isnull)
		sd_write_own(psprintf("INSERT INTO softdelete.retention VALUES ($1, NULL) ON CONFLICT (target) %s",
							  overwrite ? "DO UPDATE SET retention = NULL" : "DO NOTHING"),
					 1, types, values);
	else
		sd_write_own(psprintf("INSERT INTO softdelete.retention VALUES ($1, $2) ON CONFLICT (target) %s",
							  overwrite ? "DO UPDATE SET retention = $2" : "DO NOTHING"),
					 2, types, values);
}

/*
 * set_retention(table, interval, cascade): raises where not owner, not managed,
 * bad.  With cascade, for the managed tables that deletes cascade to, too.
 */
Datum
softdelete_set_retention(PG_FUNCTION_ARGS)
{
	List	   *todo;
	ListCell   *lc;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("table must not be null")));
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cascade must not be null")));
	/* tables are dropped without notice to us */
	sd_check_owner(PG_GETARG_OID(0));
	sd_write_own("DELETE FROM softdelete.retention r WHERE NOT EXISTS"
				 " (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) r.target)",
				 0, NULL, NULL);
	if (!PG_ARGISNULL(1))
		sd_check_retention(PG_GETARG_INTERVAL_P(1));
	todo = list_make1_oid(PG_GETARG_OID(0));
	foreach(lc, todo)			/* it grows meanwhile */
	{
		SdTable    *table;
		ListCell   *child;

		set_retention(lfirst_oid(lc), fcinfo->args[1], true);
		if (!PG_GETARG_BOOL(2))
			break;
		table = sd_find_table(lfirst_oid(lc));
		foreach(child, table->children)
		{
			SdKey	   *key = lfirst(child);

			if (key->on_delete == FKCONSTR_ACTION_CASCADE && sd_find_table(key->child) != NULL)
				todo = list_append_unique_oid(todo, key->child);
		}
	}
	PG_RETURN_VOID();
}

/* default_retention(table, interval): for enable(), where none is set */
Datum
softdelete_default_retention(PG_FUNCTION_ARGS)
{
	set_retention(PG_GETARG_OID(0), fcinfo->args[1], false);
	PG_RETURN_VOID();
}

Datum
softdelete_forget(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {REGCLASSOID};
	Datum		values[1] = {PG_GETARG_DATUM(0)};

	sd_check_owner(PG_GETARG_OID(0));
	sd_write_own("DELETE FROM softdelete.retention WHERE target OPERATOR(pg_catalog.=) $1",
				 1, types, values);
	PG_RETURN_VOID();
}
