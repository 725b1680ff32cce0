/*
 * describe.c
 *		What enable(), disable() and their like need from C: facts about a
 *		table, and writing the extension's own tables as their owner.
 */
#include "postgres.h"

#include "purge/retention.h"
#include "compat.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_db_role_setting.h"
#include "catalog/pg_type.h"
#include "access/genam.h"
#include "access/table.h"
#include "commands/dbcommands.h"
#include "commands/sequence.h"
#include "engine/log.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "base/guc.h"
#include "miscadmin.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(softdelete_describe);
PG_FUNCTION_INFO_V1(softdelete_predicate);
PG_FUNCTION_INFO_V1(softdelete_preloaded);
PG_FUNCTION_INFO_V1(softdelete_preload_command);
PG_FUNCTION_INFO_V1(softdelete_set_retention);
PG_FUNCTION_INFO_V1(softdelete_default_retention);
PG_FUNCTION_INFO_V1(softdelete_check_retention);
PG_FUNCTION_INFO_V1(softdelete_forget);
PG_FUNCTION_INFO_V1(softdelete_adopt);
PG_FUNCTION_INFO_V1(softdelete_hold);
PG_FUNCTION_INFO_V1(softdelete_release);

static void
check_owner(Oid relid)
{
	if (get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (!sd_owns_table(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relid));
}

/* run a statement on the extension's own tables; returns the rows processed */
static int
write_own(const char *text, int nargs, Oid *types, Datum *values)
{
	int			processed;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	processed = sd_own_sql(text, nargs, types, values);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	return processed;
}

static SdTable *
lookup(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	SdTable    *table = NULL;

	if (rel != NULL)
	{
		table = sd_table(rel);
		/* a look at all tables leaves no lock on other people's */
		relation_close(rel, AccessShareLock);
	}
	return table;
}

static Datum
column_name(SdTable *table, AttrNumber attnum, bool *isnull)
{
	*isnull = attnum == InvalidAttrNumber;
	if (*isnull)
		return (Datum) 0;
	return DirectFunctionCall1(namein,
							   CStringGetDatum(get_attname(table->relid, attnum, false)));
}

/* describe(table): see the script */
Datum
softdelete_describe(PG_FUNCTION_ARGS)
{
	static const char *const kinds[] = {"timestamp", "boolean", "status"};
	static const char *const triggers[] = {"update", "delete", "both"};
	SdTable    *table = lookup(PG_GETARG_OID(0));
	TupleDesc	desc;
	Datum		values[10] = {0};
	bool		nulls[10];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	memset(nulls, table == NULL, sizeof(nulls));
	if (table != NULL)
	{
		values[0] = column_name(table, table->marker, &nulls[0]);
		values[1] = CStringGetTextDatum(kinds[table->kind]);
		values[2] = CStringGetTextDatum(table->deleted_value);
		values[3] = column_name(table, table->time, &nulls[3]);
		values[4] = column_name(table, table->id, &nulls[4]);
		values[5] = column_name(table, table->former, &nulls[5]);
		values[6] = CStringGetTextDatum(sd_table_predicate(table, true, NULL));
		values[7] = CStringGetTextDatum(sd_table_predicate(table, false, NULL));
		values[8] = CStringGetTextDatum(triggers[table->trigger_mode]);
		values[9] = BoolGetDatum(table->hide);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* predicate(table, marker, kind, deleted value, live, alias) */
Datum
softdelete_predicate(PG_FUNCTION_ARGS)
{
	Relation	rel;
	AttrNumber	attnum;
	char	   *deleted_value;
	char	   *kind;
	char	   *alias;
	char	   *condition;

	for (int i = 0; i < 5; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	rel = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", PG_GETARG_OID(0))));
	attnum = get_attnum(RelationGetRelid(rel), NameStr(*PG_GETARG_NAME(1)));
	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of table \"%s\" does not exist",
						NameStr(*PG_GETARG_NAME(1)), RelationGetRelationName(rel))));
	kind = text_to_cstring(PG_GETARG_TEXT_PP(2));
	deleted_value = text_to_cstring(PG_GETARG_TEXT_PP(3));
	alias = PG_ARGISNULL(5) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(5));
	condition = sd_predicate(TupleDescAttr(RelationGetDescr(rel), attnum - 1),
							 strcmp(kind, "timestamp") == 0 ? SD_TIMESTAMP :
						strcmp(kind, "boolean") == 0 ? SD_BOOLEAN : SD_STATUS,
						deleted_value,
						PG_GETARG_BOOL(4), alias);
	relation_close(rel, NoLock);
	PG_RETURN_TEXT_P(cstring_to_text(condition));
}

/* does a list of libraries name ours? */
static bool
names_us(const char *list)
{
	List	   *files = NIL;
	ListCell   *lc;

	if (list == NULL || !SplitDirectoriesString(pstrdup(list), ',', &files))
		return false;
	foreach(lc, files)
	{
		char	   *name = last_dir_separator(lfirst(lc)) ?
			last_dir_separator(lfirst(lc)) + 1 : lfirst(lc);

		if (strcmp(name, "softdelete") == 0 || strcmp(name, "softdelete.so") == 0)
			return true;
	}
	return false;
}

/* ALTER DATABASE or ALTER ROLE ALL ... SET, not yet in force in this session */
static bool
named_for_database(void)
{
	Relation	settings = table_open(DbRoleSettingRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key[1];
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key[0], Anum_pg_db_role_setting_setrole, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(InvalidOid));
	scan = systable_beginscan(settings, InvalidOid, false, NULL, 1, key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			database = ((Form_pg_db_role_setting) GETSTRUCT(tuple))->setdatabase;
		bool		isnull;
		Datum		config = heap_getattr(tuple, Anum_pg_db_role_setting_setconfig,
										  RelationGetDescr(settings), &isnull);
		Datum	   *items;
		int			n;

		if (isnull || (database != MyDatabaseId && database != InvalidOid))
			continue;
		deconstruct_array(DatumGetArrayTypeP(config), TEXTOID, -1, false,
						  TYPALIGN_INT, &items, NULL, &n);
		for (int i = 0; i < n && !found; i++)
		{
			char	   *item = TextDatumGetCString(items[i]);
			const char *name = "session_preload_libraries=";

			found = strncmp(item, name, strlen(name)) == 0 &&
				names_us(item + strlen(name));
		}
	}
	systable_endscan(scan);
	table_close(settings, AccessShareLock);
	return found;
}

Datum
softdelete_preloaded(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(names_us(shared_preload_libraries_string) ||
				   names_us(session_preload_libraries_string) ||
				   named_for_database());
}

/*
 * The setting is for superusers to read, and the command for one to run, but
 * whoever is told the command must not be told to drop what is loaded already.
 */
Datum
softdelete_preload_command(PG_FUNCTION_ARGS)
{
	const char *list = session_preload_libraries_string;
	const char *database = quote_identifier(get_database_name(MyDatabaseId));

	PG_RETURN_TEXT_P(cstring_to_text(list && list[0] ?
									 psprintf("ALTER DATABASE %s SET session_preload_libraries = %s, softdelete",
											  database, list) :
									 psprintf("ALTER DATABASE %s SET session_preload_libraries = softdelete",
											  database)));
}

/* Set the retention of one table; unless overwrite, only where it has none. */
static void
set_retention(Oid relid, NullableDatum retention, bool overwrite)
{
	Oid			types[2] = {REGCLASSOID, INTERVALOID};
	Datum		values[2];
	SdTable    *table;

	check_owner(relid);
	table = lookup(relid);
	if (table != NULL && table->root != relid)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("\"%s\" is a partition", get_rel_name(relid)),
				 errhint("Partitions follow their table: SELECT softdelete.set_retention(%s, ...).",
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
		write_own(psprintf("INSERT INTO softdelete.retention VALUES ($1, NULL) ON CONFLICT (target) %s",
						   overwrite ? "DO UPDATE SET retention = NULL" : "DO NOTHING"),
				  1, types, values);
	else
		write_own(psprintf("INSERT INTO softdelete.retention VALUES ($1, $2) ON CONFLICT (target) %s",
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
	check_owner(PG_GETARG_OID(0));
	write_own("DELETE FROM softdelete.retention r WHERE NOT EXISTS"
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
		table = lookup(lfirst_oid(lc));
		foreach(child, table->children)
		{
			SdKey	   *key = lfirst(child);

			if (key->on_delete == FKCONSTR_ACTION_CASCADE && lookup(key->child) != NULL)
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

/* Raise invalid_parameter_value on a negative or infinite retention. */
void
sd_check_retention(Interval *retention)
{
	Interval	zero = {0};
	Interval	limit = {.month = 12 * 1000};

	/* each part by itself, too: a negative one may make up for another */
	if (retention->month > limit.month || retention->day > limit.month * 31 ||
		retention->month < -limit.month || retention->day < -limit.month * 31 ||
		DatumGetBool(DirectFunctionCall2(interval_gt, IntervalPGetDatum(retention),
										 IntervalPGetDatum(&limit))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("retention must not exceed 1000 years"),
				 errhint("NULL keeps deleted rows for ever.")));
	if (!DatumGetBool(DirectFunctionCall1(interval_finite, IntervalPGetDatum(retention))) ||
		DatumGetBool(DirectFunctionCall2(interval_lt, IntervalPGetDatum(retention),
										 IntervalPGetDatum(&zero))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("retention must not be negative or infinite"),
				 errhint("NULL keeps deleted rows for ever.")));
}

Datum
softdelete_check_retention(PG_FUNCTION_ARGS)
{
	sd_check_retention(PG_GETARG_INTERVAL_P(0));
	PG_RETURN_VOID();
}

Datum
softdelete_forget(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {REGCLASSOID};
	Datum		values[1] = {PG_GETARG_DATUM(0)};

	check_owner(PG_GETARG_OID(0));
	write_own("DELETE FROM softdelete.retention WHERE target OPERATOR(pg_catalog.=) $1",
			  1, types, values);
	PG_RETURN_VOID();
}

/*
 * adopt(table, rows) -> deletion id: a log row for rows that were marked before
 * the table was managed.  Who marked them, and why, is not known; the log says
 * who took them over.
 */
Datum
softdelete_adopt(PG_FUNCTION_ARGS)
{
	Oid			types[5] = {REGCLASSOID, INT8OID, INT8OID, TEXTOID, TEXTOID};
	int64		id;
	Datum		values[5];

	check_owner(PG_GETARG_OID(0));
	if (lookup(PG_GETARG_OID(0)) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("softdelete.adopt() is for softdelete.enable()")));
	if (PG_GETARG_INT64(1) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of rows must be positive")));
	id = nextval_internal(sd_objects()->log_ids, false);
	values[0] = PG_GETARG_DATUM(0);
	values[1] = PG_GETARG_DATUM(1);
	values[2] = Int64GetDatum(id);
	values[3] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	values[4] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	write_own("INSERT INTO softdelete.deletion_log (id, target, deleted_at, deleted_by,"
			  " session_role, reason, txid, tables, marked, restored, purged)"
			  " VALUES ($3, $1, pg_catalog.now(), $4::pg_catalog.name, $5::pg_catalog.name,"
			  " 'marked before softdelete.enable()', pg_catalog.txid_current(),"
			  " ARRAY[$1], ARRAY[$2], 0, 0)",
			  5, types, values);
	PG_RETURN_INT64(id);
}

/* raise unless the caller owns the table of the deletion */
static void
check_owns_deletion(int64 id)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(id)};
	bool		isnull;
	Oid			relid;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (sd_own_sql("SELECT target FROM softdelete.deletion_log"
					   " WHERE id OPERATOR(pg_catalog.=) $1", 1, types, values) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no deletion " INT64_FORMAT, id),
				 errhint("SELECT id, target, deleted_at FROM softdelete.deletions lists them.")));
	relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1, &isnull));
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	check_owner(relid);
}

/* hold(deletion id, why): a purge passes over its rows */
Datum
softdelete_hold(PG_FUNCTION_ARGS)
{
	Oid			types[3] = {INT8OID, TEXTOID, TEXTOID};
	Datum		values[3];

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("deletion id must not be null")));
	check_owns_deletion(PG_GETARG_INT64(0));
	values[0] = PG_GETARG_DATUM(0);
	values[1] = PG_ARGISNULL(1) ? CStringGetTextDatum("") : PG_GETARG_DATUM(1);
	values[2] = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	if (write_own("UPDATE softdelete.deletion_log SET held_at = pg_catalog.now(),"
				  " held_why = NULLIF($2, ''), held_by = $3::pg_catalog.name"
				  " WHERE id OPERATOR(pg_catalog.=) $1"
				  " AND restored OPERATOR(pg_catalog.+) purged OPERATOR(pg_catalog.<)"
				  " (SELECT pg_catalog.sum(n) FROM pg_catalog.unnest(marked) n)",
				  3, types, values) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("deletion " INT64_FORMAT " has no rows left to hold", PG_GETARG_INT64(0)),
				 errdetail("All of its rows were restored or purged.")));
	PG_RETURN_VOID();
}

Datum
softdelete_release(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {PG_GETARG_DATUM(0)};

	check_owns_deletion(PG_GETARG_INT64(0));
	write_own("UPDATE softdelete.deletion_log SET held_at = NULL, held_why = NULL,"
			  " held_by = NULL WHERE id OPERATOR(pg_catalog.=) $1", 1, types, values);
	PG_RETURN_VOID();
}
