/*
 * bykey.c
 *		One row of a managed table, by the values of its primary key.
 *
 * Turns (table regclass, VARIADIC key "any") into a condition with parameters.
 * A value is passed in the type that it came in and cast to the column's type
 * in SQL, so that literals without a type and drivers' text parameters work
 * like numbers.  Everything here runs as the caller.
 */
#include "postgres.h"

#include "bykey.h"
#include "access/genam.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "predicate.h"
#include "query.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"

static void
raise_not_managed(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" is not managed by softdelete", get_rel_name(relid)),
			 errhint("SELECT softdelete.enable(%s) first.",
					 quote_literal_cstr(sd_qualified_name(relid)))));
}

/* the key's values in text, for messages */
static char *
key_text(SdByKey *key, Relation rel, Relation index)
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
						 key->has_null ? "null" :
						 OidOutputFunctionCall(output, key->values[i]));
	}
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

/*
 * Read the arguments of a function (regclass, VARIADIC "any").  Raises
 * object_not_in_prerequisite_state where the table is not managed or has no
 * primary key, and invalid_parameter_value on a wrong number of values.
 */
SdByKey *
sd_by_key(FunctionCallInfo fcinfo)
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
	nargs = extract_variadic_args(fcinfo, 1, false, &values, &types, &nulls);

	if (get_rel_name(key->relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", key->relid)));
	rel = relation_open(key->relid, AccessShareLock);
	key->table = sd_table(rel);
	if (key->table == NULL)
		raise_not_managed(key->relid);
	(void) RelationGetIndexList(rel);
	if (!OidIsValid(rel->rd_pkindex))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no primary key", get_rel_name(key->relid)),
				 errhint("Delete with DELETE; restore with softdelete.undo(), or by an UPDATE that clears column \"%s\" while softdelete.visibility = deleted.",
						 get_attname(key->relid, key->table->marker, false))));

	index = index_open(rel->rd_pkindex, AccessShareLock);
	key->n = IndexRelationGetNumberOfKeyAttributes(index);
	if (nargs != key->n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("table \"%s\" has %d primary key columns, %d values were given",
						get_rel_name(key->relid), key->n, Max(nargs, 0)),
				 errhint("Give the values in the order of the primary key's columns.")));

	initStringInfo(&where);
	for (int i = 0; i < key->n; i++)
	{
		AttrNumber	attnum = index->rd_index->indkey.values[i];
		Oid			type = get_atttype(key->relid, attnum);
		Oid			eq = get_opfamily_member(index->rd_opfamily[i],
											 index->rd_opcintype[i],
											 index->rd_opcintype[i],
											 BTEqualStrategyNumber);
		char	   *column = psprintf("t.%s", sd_column_name(key->relid, attnum));

		key->types[i] = types[i];
		key->values[i] = values[i];
		if (nulls[i])
			key->has_null = true;
		else if (types[i] == UNKNOWNOID)
			key->values[i] = CStringGetTextDatum(DatumGetCString(values[i]));
		if (types[i] == UNKNOWNOID)
			key->types[i] = TEXTOID;

		sd_append_equal(&where, column, type, eq,
						psprintf("($%d)::%s", i + 1, sd_column_type(key->relid, attnum)),
						type);
		appendStringInfoString(&where, " AND ");
	}
	appendStringInfo(&where, "$%d IS NULL", key->n + 1);
	key->where = where.data;
	key->text = key_text(key, rel, index);
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
			   key->values, &statement, InvalidOid, true, false, 1);
	if (SPI_processed == 0)
		return false;

	id = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	state->dead = !isnull && DatumGetBool(id);
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

	sd_execute(sd_prepare(text, key->n, key->types, role, 0), key->values,
			   statement, role, true, false, 0);
	return SPI_processed;
}
