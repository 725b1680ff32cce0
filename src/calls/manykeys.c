/*
 * manykeys.c
 *		Rows of a managed table by an array of keys.
 *
 * Reads the arguments (regclass, anyarray) of the calls in many.c: the keys in
 * the column's type, each once and in order, with room for what becomes of it.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "calls/manykeys.h"
#include "calls/rowbykey.h"
#include "catalog/pg_am.h"
#include "executor/spi.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

static int
compare(const void *a, const void *b, void *arg)
{
	SdManyKeys *many = arg;

	return DatumGetInt32(FunctionCall2Coll(&many->compare, many->collation,
										   ((const SdKeyOutcome *) a)->value,
										   ((const SdKeyOutcome *) b)->value));
}

/* The key of that value, which is in the column's type; NULL if it is none of them. */
SdKeyOutcome *
sd_many_find(SdManyKeys *many, Datum value)
{
	SdKeyOutcome wanted = {.value = value};

	return bsearch_arg(&wanted, many->keys, many->n, sizeof(SdKeyOutcome), compare, many);
}

/* the column of the primary key, and how to compare with it */
static void
read_column(SdManyKeys *many)
{
	Relation	rel = relation_open(many->relid, AccessShareLock);
	Relation	index;
	TypeCacheEntry *cache;
	Oid			equal;

	many->table = sd_table(rel);
	index = index_open(sd_require_primary_key(rel), AccessShareLock);
	many->attnum = index->rd_index->indkey.values[0];
	many->type = getBaseType(get_atttype(many->relid, many->attnum));
	many->collation = index->rd_indcollation[0];
	cache = lookup_type_cache(many->type, TYPECACHE_CMP_PROC_FINFO | TYPECACHE_EQ_OPR);
	if (IndexRelationGetNumberOfKeyAttributes(index) > 1 ||
		!OidIsValid(get_array_type(many->type)) || !OidIsValid(cache->cmp_proc_finfo.fn_oid))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("primary key of table \"%s\" does not go into an array",
						get_rel_name(many->relid)),
				 errdetail("Keys of one column, whose type has an array type, do."),
				 errhint("Call softdelete.delete() or softdelete.restore() for each row, or use a DELETE.")));
	equal = index->rd_rel->relam == BTREE_AM_OID ?
		get_opfamily_member(index->rd_opfamily[0], index->rd_opcintype[0],
							index->rd_opcintype[0], BTEqualStrategyNumber) : cache->eq_opr;
	many->match = psprintf("t.%s OPERATOR(%s) ANY ($1) AND $2 IS NULL",
						   sd_column_name(many->relid, many->attnum), sd_operator_name(equal));
	fmgr_info_copy(&many->compare, &cache->cmp_proc_finfo, CurrentMemoryContext);
	index_close(index, NoLock);
	relation_close(rel, NoLock);
}

/*
 * The values in the column's type.  Between types they go by their text, so that
 * what the column cannot hold exactly is an error and never another key.
 */
static void
convert(SdManyKeys *many, Oid from, Datum *values)
{
	Oid			function;
	Oid			ioparam;
	bool		varlena;
	FmgrInfo	output;
	FmgrInfo	input;

	memcpy(values, many->given, sizeof(Datum) * many->n_given);
	if (from == many->type)
		return;
	getTypeOutputInfo(from, &function, &varlena);
	fmgr_info(function, &output);
	getTypeInputInfo(many->type, &function, &ioparam);
	fmgr_info(function, &input);
	for (int i = 0; i < many->n_given; i++)
		if (!many->nulls[i])
			values[i] = InputFunctionCall(&input, OutputFunctionCall(&output, many->given[i]),
										  ioparam, -1);
}

/* each value once; and where each that was given is to be found */
static void
sort_keys(SdManyKeys *many, Datum *values)
{
	SdKeyOutcome *last = NULL;
	int			n = 0;
	bool	   *seen;

	many->keys = palloc0(sizeof(SdKeyOutcome) * (many->n_given + 1));
	for (int i = 0; i < many->n_given; i++)
		if (!many->nulls[i])
			many->keys[n++].value = values[i];
	qsort_arg(many->keys, n, sizeof(SdKeyOutcome), compare, many);
	for (int i = 0; i < n; i++)
		if (last == NULL || compare(last, &many->keys[i], many) != 0)
		{
			last = &many->keys[many->n++];
			*last = many->keys[i];
		}

	seen = palloc0(sizeof(bool) * (many->n + 1));
	for (int i = 0; i < many->n_given; i++)
	{
		many->index[i] = many->nulls[i] ? -1 :
			(int) (sd_many_find(many, values[i]) - many->keys);
		if (many->index[i] >= 0)
		{
			many->repeated[i] = seen[many->index[i]];
			seen[many->index[i]] = true;
		}
	}
}

/*
 * Read the arguments.  Raises object_not_in_prerequisite_state where the table is
 * not managed or has no primary key, feature_not_supported where it has more
 * columns than one.
 */
SdManyKeys *
sd_many_keys(FunctionCallInfo fcinfo)
{
	SdManyKeys *many = palloc0(sizeof(SdManyKeys));
	ArrayType  *array;
	Datum	   *values;
	int16		len;
	bool		byval;
	char		align;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("table and keys must not be null")));
	many->relid = PG_GETARG_OID(0);
	sd_require_managed(many->relid);
	read_column(many);

	array = PG_GETARG_ARRAYTYPE_P(1);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &len, &byval, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), len, byval, align,
					  &many->given, &many->nulls, &many->n_given);
	many->index = palloc0(sizeof(int) * (many->n_given + 1));
	many->repeated = palloc0(sizeof(bool) * (many->n_given + 1));
	values = palloc(sizeof(Datum) * (many->n_given + 1));
	convert(many, getBaseType(ARR_ELEMTYPE(array)), values);
	sort_keys(many, values);
	return many;
}

/* Some of the keys as an array. */
Datum
sd_many_array(SdManyKeys *many, SdKeyOutcome **keys, int n)
{
	Datum	   *values = palloc(sizeof(Datum) * (n + 1));
	int16		len;
	bool		byval;
	char		align;

	for (int i = 0; i < n; i++)
		values[i] = keys[i]->value;
	get_typlenbyvalalign(many->type, &len, &byval, &align);
	return PointerGetDatum(construct_array(values, n, many->type, len, byval, align));
}

/*
 * Look at the rows of the keys that are open, with the caller's rights: those that
 * are deleted get their deletion's id and stay open, live ones become "already",
 * for a restore, with no rows.  SPI is connected.
 */
void
sd_many_probe(SdManyKeys *many)
{
	SdStatement statement = {SD_TASK_READ};
	SdKeyOutcome **open = palloc(sizeof(SdKeyOutcome *) * (many->n + 1));
	Oid			types[2] = {get_array_type(many->type)};
	Datum		values[2];
	int			n = 0;

	for (int i = 0; i < many->n; i++)
		if (many->keys[i].outcome == SD_OUTCOME_OPEN)
		{
			many->keys[i].outcome = SD_OUTCOME_NOT_FOUND;
			open[n++] = &many->keys[i];
		}
	if (n == 0)
		return;
	values[0] = sd_many_array(many, open, n);
	sd_execute(sd_prepare(psprintf("SELECT t.%s, %s, t.%s FROM %s t WHERE %s",
								   sd_column_name(many->relid, many->attnum),
								   sd_table_predicate(many->table, false, "t"),
								   sd_column_name(many->relid, many->table->id),
								   sd_qualified_name(many->relid), many->match),
						  1, types, InvalidOid, 0),
			   values, &statement, InvalidOid, true, SD_VIEW_STATEMENT, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		SdKeyOutcome *key = sd_many_find(many, SPI_getbinval(tuple, desc, 1, &isnull));
		Datum		value;

		if (key == NULL)
			continue;
		value = SPI_getbinval(tuple, desc, 2, &isnull);
		key->outcome = !isnull && DatumGetBool(value) ? SD_OUTCOME_OPEN : SD_OUTCOME_ALREADY;
		value = SPI_getbinval(tuple, desc, 3, &isnull);
		key->id = isnull ? 0 : DatumGetInt64(value);
	}
	SPI_freetuptable(SPI_tuptable);
}
