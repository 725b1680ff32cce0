/*
 * describe.c
 *		What the SQL part of the extension asks about a managed table.
 *
 * Reads catalogs only.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "calls/rowbykey.h"
#include "catalog/pg_class.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "tables/table.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(softdelete_describe);
PG_FUNCTION_INFO_V1(softdelete_predicate);
PG_FUNCTION_INFO_V1(softdelete_live_predicate);
PG_FUNCTION_INFO_V1(softdelete_has_statistics);
PG_FUNCTION_INFO_V1(softdelete_column_type);
PG_FUNCTION_INFO_V1(softdelete_base_type);

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
	SdTable    *table = sd_find_table(PG_GETARG_OID(0));
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
	(void) sd_relation_name(PG_GETARG_OID(0));
	rel = relation_open(PG_GETARG_OID(0), AccessShareLock);
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

/* live_predicate(table) -> text */
Datum
softdelete_live_predicate(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);

	sd_require_managed(relid);
	PG_RETURN_TEXT_P(cstring_to_text(sd_table_predicate(sd_table_by_oid(relid), true, NULL)));
}

/* has_statistics(table, column) -> boolean */
Datum
softdelete_has_statistics(PG_FUNCTION_ARGS)
{
	Datum		relid = PG_GETARG_DATUM(0);
	Datum		attnum = Int16GetDatum(get_attnum(DatumGetObjectId(relid),
												  NameStr(*PG_GETARG_NAME(1))));

	PG_RETURN_BOOL(SearchSysCacheExists3(STATRELATTINH, relid, attnum, BoolGetDatum(false)) ||
				   SearchSysCacheExists3(STATRELATTINH, relid, attnum, BoolGetDatum(true)));
}

/* column_type(table, column) -> text, NULL where there is no such column */
Datum
softdelete_column_type(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	AttrNumber	attnum = get_attnum(relid, NameStr(*PG_GETARG_NAME(1)));
	Oid			type;
	int32		typmod;
	Oid			collation;

	if (attnum <= 0)
		PG_RETURN_NULL();
	get_atttypetypmodcoll(relid, attnum, &type, &typmod, &collation);
	PG_RETURN_TEXT_P(cstring_to_text(format_type_with_typemod(type, typmod)));
}

/* base_type(type) -> oid */
Datum
softdelete_base_type(PG_FUNCTION_ARGS)
{
	PG_RETURN_OID(getBaseType(PG_GETARG_OID(0)));
}
