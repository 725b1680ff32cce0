/*
 * rowbykey.c
 *		One row of a managed table, by the values of its primary key.
 *
 * Turns (table regclass, VARIADIC key "any") into a condition with parameters.
 * Values are cast to the columns' types in SQL, so that literals without a type
 * and drivers' text parameters work like numbers.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "base/spi.h"
#include "calls/rowbykey.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "engine/statement.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/primarykey.h"
#include "tables/reader.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* Raise unless this is a managed table, or a partition of one. */
void
sd_require_managed(Oid relid)
{
	Relation	rel;
	bool		managed;
	Oid			root;

	(void) sd_relation_name(relid);
	rel = relation_open(relid, AccessShareLock);
	managed = sd_table(rel) != NULL;
	root = sd_topmost(rel);
	relation_close(rel, NoLock);
	if (managed)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" is not managed by softdelete", get_rel_name(relid)),
			 errhint("SELECT softdelete.enable(%s) first.",
					 quote_literal_cstr(sd_qualified_name(root)))));
}

/* the key's values in text, for messages */
static char *
key_text(SdByKey *key, Relation rel, Relation index, const bool *nulls)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < key->n; i++)
		appendStringInfo(&buf, "%s%s", i ? ", " : "(",
						 get_attname(RelationGetRelid(rel),
									 index->rd_index->indkey.values[i], false));
	appendStringInfoString(&buf, ")=(");
	for (int i = 0; i < key->n; i++)
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(key->types[i], &output, &varlena);
		appendStringInfo(&buf, "%s%s", i ? ", " : "",
						 nulls[i] ? "null" :
						 OidOutputFunctionCall(output, key->values[i]));
	}
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

/* the same as arguments of a call, for hints */
static char *
key_literals(SdByKey *key, const bool *nulls)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < key->n; i++)
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(key->types[i], &output, &varlena);
		appendStringInfo(&buf, "%s%s", i ? ", " : "",
						 nulls[i] ? "NULL" :
						 quote_literal_cstr(OidOutputFunctionCall(output, key->values[i])));
	}
	return buf.data;
}

/* may its owner's casts, made for other types' values, be run by anybody? */
static bool
is_trusted_type(Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool		result = HeapTupleIsValid(tuple) &&
		superuser_arg(((Form_pg_type) GETSTRUCT(tuple))->typowner);

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return result;
}

/*
 * Is "v.x", made of $1 by a cast, the same value still?  As a condition in SQL;
 * "true" where that cannot be asked.  A number goes back to where it came from.
 * Text may be spelled in many ways, so there the question is whether the column's
 * length or precision took something away.
 */
static char *
exact_condition(Oid type, int32 typmod, Oid from)
{
	StringInfoData buf;
	char		category;
	bool		preferred;
	Oid			compared = from;
	Oid			function;
	Oid			eq;
	char	   *name;

	get_type_category_preferred(from, &category, &preferred);
	if (category == TYPCATEGORY_STRING)
		compared = typmod >= 0 ? type : InvalidOid;
	else if (find_coercion_pathway(from, type, COERCION_EXPLICIT, &function) == COERCION_PATH_NONE)
		compared = InvalidOid;
	eq = OidIsValid(compared) ? lookup_type_cache(compared, TYPECACHE_EQ_OPR)->eq_opr : InvalidOid;
	if (!OidIsValid(eq) || get_typtype(compared) == TYPTYPE_COMPOSITE ||
		type_is_array(compared))
		return "true";

	initStringInfo(&buf);
	name = format_type_extended(compared, -1,
								FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
	sd_append_equal(&buf, psprintf("(v.x)::%s", name), compared, eq,
					psprintf("($1)::%s", name), compared);
	return buf.data;
}

/* the value cast to the type by a query; false if it became null or another one */
static bool
cast_value(Oid type, int32 typmod, Oid from, Datum *value)
{
	char	   *text = psprintf("SELECT v.x, %s FROM (SELECT ($1)::%s OFFSET 0) v(x)",
								exact_condition(type, typmod, from),
								format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN |
													 FORMAT_TYPE_FORCE_QUALIFY));
	int16		len;
	bool		byval;
	Datum		exact;
	bool		isnull[2];

	sd_spi_connect();
	if (SPI_execute_with_args(text, 1, &from, value, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed for \"%s\"", text);
	*value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull[0]);
	exact = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull[1]);
	get_typlenbyval(type, &len, &byval);
	if (!isnull[0])
		*value = SPI_datumTransfer(*value, byval, len);
	sd_spi_finish();
	return !isnull[0] && !isnull[1] && DatumGetBool(exact);
}

/* out of the column's range, too long for it: the same as not exact */
static void
name_inexact(void *arg)
{
	if (geterrcode() == ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE ||
		geterrcode() == ERRCODE_STRING_DATA_RIGHT_TRUNCATION ||
		geterrcode() == ERRCODE_DATETIME_FIELD_OVERFLOW)
		errcode(ERRCODE_INVALID_TEXT_REPRESENTATION);
}

/*
 * A value in the column's type, of a domain in its base type.  It must be one that
 * the column can hold as it is: 1.5 must not lead to the row 2.  The caller's own
 * types and casts may be used, so it is done in SQL and as the caller; what is
 * run as the table's owner later on has the value only.  For the same reason
 * casts that the table's owner may have made are not: between his types and
 * others a value goes by its text.
 */
static Datum
as_column(Oid relid, AttrNumber attnum, Oid from, Datum value)
{
	Oid			type;
	int32		typmod;
	Oid			collation;
	bool		exact = true;
	ErrorContextCallback callback;

	get_atttypetypmodcoll(relid, attnum, &type, &typmod, &collation);
	if (from == type)
		return value;
	type = getBaseTypeAndTypmod(type, &typmod);
	if (from == UNKNOWNOID)
	{
		value = CStringGetTextDatum(DatumGetCString(value));
		from = TEXTOID;
	}
	callback.previous = error_context_stack;
	callback.callback = name_inexact;
	error_context_stack = &callback;
	if (is_trusted_type(type))
		exact = cast_value(type, typmod, from, &value);
	else if (from != type)
	{
		Oid			function;
		Oid			ioparam;
		bool		varlena;
		char	   *text;

		getTypeOutputInfo(from, &function, &varlena);
		text = OidOutputFunctionCall(function, value);
		getTypeInputInfo(type, &function, &ioparam);
		value = OidInputFunctionCall(function, text, ioparam, typmod);
	}
	error_context_stack = callback.previous;
	if (!exact)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("key is not a value of column \"%s\" of table \"%s\"",
						get_attname(relid, attnum, false), get_rel_name(relid)),
				 errdetail("Type %s cannot hold it exactly.",
						   format_type_with_typemod(type, typmod))));
	return value;
}

/* The index of a managed table's primary key; raises where there is none. */
Oid
sd_require_primary_key(Relation rel)
{
	Oid			index = sd_primary_key(rel);

	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no primary key", RelationGetRelationName(rel)),
				 errhint("Delete with DELETE; restore with softdelete.undo(), or by an UPDATE that clears column \"%s\" while softdelete.visibility = only_deleted.",
						 get_attname(RelationGetRelid(rel), sd_table(rel)->marker, false))));
	return index;
}

/*
 * Read the arguments of a function (regclass, ..., VARIADIC "any"), whose key
 * values begin at argument first (from 0).  Raises
 * object_not_in_prerequisite_state where the table is not managed or has no
 * primary key, and invalid_parameter_value on a wrong number of values.
 */
SdByKey *
sd_by_key_from(FunctionCallInfo fcinfo, int first)
{
	SdByKey    *key = palloc0(sizeof(SdByKey));
	Datum	   *values;
	Oid		   *types;
	bool	   *nulls;
	int			nargs;
	Relation	rel;
	Relation	index;
	StringInfoData where;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("table must not be null")));
	key->relid = PG_GETARG_OID(0);
	nargs = extract_variadic_args(fcinfo, first, false, &values, &types, &nulls);

	sd_require_managed(key->relid);
	rel = relation_open(key->relid, AccessShareLock);
	key->table = sd_table(rel);
	index = index_open(sd_require_primary_key(rel), AccessShareLock);
	key->n = IndexRelationGetNumberOfKeyAttributes(index);
	if (nargs != key->n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("wrong number of key values for table \"%s\"",
						get_rel_name(key->relid)),
				 errdetail("The primary key takes %d, and %d were given.",
						   key->n, Max(nargs, 0)),
				 errhint("Give the values in the order of the primary key's columns.")));

	initStringInfo(&where);
	for (int i = 0; i < key->n; i++)
	{
		AttrNumber	attnum = index->rd_index->indkey.values[i];
		Oid			type = get_atttype(key->relid, attnum);
		Oid			eq = index->rd_rel->relam == BTREE_AM_OID ?
			get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i],
								index->rd_opcintype[i], BTEqualStrategyNumber) :
			lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
		char	   *column = psprintf("t.%s", sd_column_name(key->relid, attnum));

		if (nulls[i])
			key->has_null = true;
		else
			key->values[i] = as_column(key->relid, attnum, types[i], values[i]);
		key->types[i] = getBaseType(type);

		sd_append_equal(&where, column, type, eq, psprintf("$%d", i + 1), key->types[i]);
		appendStringInfoString(&where, " AND ");
	}
	appendStringInfo(&where, "$%d IS NULL", key->n + 1);
	key->where = where.data;
	key->text = key_text(key, rel, index, nulls);
	key->literals = key_literals(key, nulls);
	index_close(index, NoLock);
	relation_close(rel, NoLock);
	return key;
}

/*
 * Look at the row, deleted or not, with the caller's rights.  false: there is
 * none.  SPI is connected.
 */
bool
sd_probe(SdByKey *key, SdRowState *state)
{
	SdStatement statement = {SD_TASK_READ};
	char	   *text;
	bool		isnull;
	Datum		id;

	if (key->has_null)
		return false;
	text = psprintf("SELECT %s, t.%s FROM %s t WHERE %s",
					sd_table_predicate(key->table, false, "t"),
					sd_column_name(key->relid, key->table->id),
					sd_qualified_name(key->relid), key->where);
	sd_execute(sd_prepare(text, key->n, key->types, InvalidOid, 0),
			   key->values, &statement, InvalidOid, true, SD_VIEW_STATEMENT, 1);
	if (SPI_processed == 0)
		return false;

	id = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	state->deleted = !isnull && DatumGetBool(id);
	id = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	state->id = isnull ? 0 : DatumGetInt64(id);
	return true;
}

void
sd_raise_no_row(SdByKey *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("table \"%s\" has no such row", get_rel_name(key->relid)),
			 errdetail("No row has key %s, deleted rows included.", key->text),
			 err_generic_string(PG_DIAG_TABLE_NAME, get_rel_name(key->relid))));
}

/* Run the engine's DELETE, whatever its task makes of it, on that row. */
int
sd_by_key_execute(SdByKey *key, SdStatement *statement, Oid role)
{
	char	   *text = psprintf("DELETE FROM %s t WHERE %s",
								sd_qualified_name(key->relid), key->where);
	SPIPlanPtr	plan = sd_prepare(text, key->n, key->types, role, 0);

	statement->relid = key->relid;
	sd_execute(plan, key->values, statement, role, true, SD_VIEW_STATEMENT, 0);
	return SPI_processed;
}
