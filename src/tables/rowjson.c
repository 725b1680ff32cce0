/*
 * rowjson.c
 *		A row as jsonb, and back.
 *
 * The way back is exact, which to_jsonb() is not for every type: numbers that
 * jsonb keeps as they are and booleans are JSON's own, any other value is a
 * string, by its type's output function, as a dump has it.  No cast is run.
 * jsonb_populate_record() reads the same.  Keeps nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "tables/rowjson.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

/* settings under which values are written and read as a dump does */
static int
begin_exact(void)
{
	static const char *const settings[][2] = {
		{"datestyle", "ISO, YMD"},
		{"intervalstyle", "postgres"},
		{"extra_float_digits", "3"},
		{"bytea_output", "hex"},
		{"xmloption", "content"},
		{"search_path", "pg_catalog, pg_temp"}
	};
	int			level = NewGUCNestLevel();

	for (size_t i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return level;
}

static void
to_json_value(Oid type, Datum value, bool isnull, JsonbValue *json)
{
	Oid			output;
	bool		varlena;

	if (isnull)
	{
		json->type = jbvNull;
		return;
	}
	switch (type)
	{
		case BOOLOID:
			json->type = jbvBool;
			json->val.boolean = DatumGetBool(value);
			return;
		case INT2OID:
			json->type = jbvNumeric;
			json->val.numeric = int64_to_numeric(DatumGetInt16(value));
			return;
		case INT4OID:
			json->type = jbvNumeric;
			json->val.numeric = int64_to_numeric(DatumGetInt32(value));
			return;
		case INT8OID:
			json->type = jbvNumeric;
			json->val.numeric = int64_to_numeric(DatumGetInt64(value));
			return;
		case NUMERICOID:
			if (numeric_is_nan(DatumGetNumeric(value)) || numeric_is_inf(DatumGetNumeric(value)))
				break;
			json->type = jbvNumeric;
			json->val.numeric = DatumGetNumeric(value);
			return;
		default:
			break;
	}
	getTypeOutputInfo(type, &output, &varlena);
	json->type = jbvString;
	json->val.string.val = OidOutputFunctionCall(output, value);
	json->val.string.len = strlen(json->val.string.val);
}

/* An object of these values, each of a base type. */
Jsonb *
sd_values_to_json(int n, char *const *names, const Oid *types, const Datum *values,
				  const bool *nulls)
{
	JsonbParseState *state = NULL;
	JsonbValue *result;
	int			level = begin_exact();

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < n; i++)
	{
		JsonbValue	name;
		JsonbValue	json;

		name.type = jbvString;
		name.val.string.val = names[i];
		name.val.string.len = strlen(names[i]);
		(void) pushJsonbValue(&state, WJB_KEY, &name);
		to_json_value(types[i], values[i], nulls[i], &json);
		(void) pushJsonbValue(&state, WJB_VALUE, &json);
	}
	result = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	AtEOXact_GUC(true, level);
	return JsonbValueToJsonb(result);
}

/*
 * An object of these columns of the row; of all of them when atts is NULL.
 * Columns that are generated come from the others.
 */
Jsonb *
sd_row_to_json(TupleTableSlot *slot, const AttrNumber *atts, int natts)
{
	TupleDesc	desc = slot->tts_tupleDescriptor;
	int			most = atts ? natts : desc->natts;
	char	  **names = palloc(sizeof(char *) * most);
	Oid		   *types = palloc(sizeof(Oid) * most);
	Datum	   *values = palloc(sizeof(Datum) * most);
	bool	   *nulls = palloc(sizeof(bool) * most);
	int			n = 0;

	for (int i = 0; i < most; i++)
	{
		AttrNumber	attnum = atts ? atts[i] : i + 1;
		Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);

		if (att->attisdropped || att->attgenerated)
			continue;
		names[n] = NameStr(att->attname);
		types[n] = getBaseType(att->atttypid);
		values[n] = slot_getattr(slot, attnum, &nulls[n]);
		n++;
	}
	return sd_values_to_json(n, names, types, values, nulls);
}

/* what a column that was added since has in rows from before */
static Datum
default_value(Relation rel, AttrNumber attnum, EState *estate, bool *isnull)
{
	Node	   *expr = build_column_default(rel, attnum);

	*isnull = true;
	if (expr == NULL)
		return (Datum) 0;
	return ExecEvalExpr(ExecPrepareExpr((Expr *) expr, estate),
						GetPerTupleExprContext(estate), isnull);
}

/* Fill the slot from an object that sd_row_to_json() made of a whole row. */
void
sd_row_from_json(Relation rel, Jsonb *row, TupleTableSlot *slot)
{
	TupleDesc	desc = RelationGetDescr(rel);
	EState	   *estate = CreateExecutorState();
	int			level = begin_exact();

	ExecClearTuple(slot);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		JsonbValue	json;
		char	   *text = NULL;
		Oid			input;
		Oid			ioparam;

		slot->tts_isnull[i] = true;
		slot->tts_values[i] = (Datum) 0;
		if (att->attisdropped || att->attgenerated)
			continue;
		if (getKeyJsonValueFromContainer(&row->root, NameStr(att->attname),
										 strlen(NameStr(att->attname)), &json) == NULL)
		{
			slot->tts_values[i] = default_value(rel, i + 1, estate, &slot->tts_isnull[i]);
			if (!slot->tts_isnull[i])
			{
				int16		len;
				bool		byval;

				get_typlenbyval(att->atttypid, &len, &byval);
				slot->tts_values[i] = datumCopy(slot->tts_values[i], byval, len);
			}
			continue;
		}
		switch (json.type)
		{
			case jbvNull:
				continue;
			case jbvBool:
				text = json.val.boolean ? "true" : "false";
				break;
			case jbvNumeric:
				text = DatumGetCString(DirectFunctionCall1(numeric_out,
														   NumericGetDatum(json.val.numeric)));
				break;
			case jbvString:
				text = pnstrdup(json.val.string.val, json.val.string.len);
				break;
			default:
				elog(ERROR, "unexpected value of column \"%s\" in a replaced row",
					 NameStr(att->attname));
		}
		getTypeInputInfo(att->atttypid, &input, &ioparam);
		slot->tts_values[i] = OidInputFunctionCall(input, text, ioparam, att->atttypmod);
		slot->tts_isnull[i] = false;
	}
	ExecStoreVirtualTuple(slot);
	AtEOXact_GUC(true, level);
	FreeExecutorState(estate);
}
