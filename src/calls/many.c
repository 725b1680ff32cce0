/*
 * many.c
 *		delete_many() and restore_many(): calls for services, many keys at once.
 *
 * What delete() and restore() raise for one row is an outcome here.  One statement
 * for all keys, as the caller, so that privileges and row security hold by
 * themselves.  Owns no state.
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "calls/manykeys.h"
#include "calls/try.h"
#include "catalog/pg_type.h"
#include "engine/statement.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tables/foreignkeys.h"
#include "tables/names.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(softdelete_delete_many);
PG_FUNCTION_INFO_V1(softdelete_restore_many);

/*
 * The plan of the engine's DELETE, whatever its task makes of it, on $1's rows; of
 * one deletion, unless id is 0.
 */
static SPIPlanPtr
prepare(SdManyKeys *many, int64 id)
{
	Oid			types[2] = {get_array_type(many->type)};
	char	   *of_deletion = id == 0 ? "" :
		psprintf("t.%s OPERATOR(pg_catalog.=) '" INT64_FORMAT "'::pg_catalog.int8 AND ",
				 sd_column_name(many->relid, many->table->id), id);

	return sd_prepare(psprintf("DELETE FROM %s t WHERE %s%s RETURNING t.%s",
							   sd_qualified_name(many->relid), of_deletion, many->match,
							   sd_column_name(many->relid, many->attnum)),
					  1, types, InvalidOid, 0);
}

/* Run it on these keys; those whose row it wrote are done. */
static void
execute(SdManyKeys *many, SPIPlanPtr plan, SdStatement *statement,
		SdKeyOutcome **keys, int n)
{
	Datum		values[2] = {sd_many_array(many, keys, n)};

	statement->relid = many->relid;
	sd_execute(plan, values, statement, InvalidOid, true, SD_VIEW_STATEMENT, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		SdKeyOutcome *key = sd_many_find(many, SPI_getbinval(SPI_tuptable->vals[i],
															 SPI_tuptable->tupdesc, 1,
															 &isnull));

		if (key != NULL)
		{
			key->outcome = SD_OUTCOME_DONE;
			key->rows = 1;
		}
	}
	SPI_freetuptable(SPI_tuptable);
}

/* A row that was there to be changed was not. */
static void
raise_refused(SdManyKeys *many, SdKeyOutcome *key, const char *what)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(many->type, &output, &varlena);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s of a row of table \"%s\" was refused", what, get_rel_name(many->relid)),
			 errdetail("Row-level security, a trigger or a rule kept the row with key (%s)=(%s) as it is.",
					   get_attname(many->relid, many->attnum, false),
					   OidOutputFunctionCall(output, key->value))));
}

/* One row of the result for each key that was given, in their order. */
static void
put_results(FunctionCallInfo fcinfo, SdManyKeys *many, bool restored)
{
	static const char *const words[][2] = {
		[SD_OUTCOME_NOT_FOUND] = {"not found", "not found"},
		[SD_OUTCOME_DONE] = {"deleted", "restored"},
		[SD_OUTCOME_ALREADY] = {"already deleted", "not deleted"},
		[SD_OUTCOME_PARENT] = {NULL, "parent deleted"},
		[SD_OUTCOME_CONFLICT] = {NULL, "conflict"},
	};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < many->n_given; i++)
	{
		SdKeyOutcome none = {.outcome = SD_OUTCOME_NOT_FOUND};
		SdKeyOutcome *key = many->index[i] < 0 ? &none : &many->keys[many->index[i]];
		SdOutcome	outcome = key->outcome;
		Datum		values[3];
		bool		nulls[3] = {false};

		/* a key that comes again meets what the first one has left */
		if (many->repeated[i] && outcome == SD_OUTCOME_DONE)
			outcome = SD_OUTCOME_ALREADY;
		values[0] = many->given[i];
		nulls[0] = many->nulls[i];
		values[1] = CStringGetTextDatum(words[outcome][restored]);
		values[2] = Int64GetDatum(!restored ? key->id :
								  outcome == SD_OUTCOME_DONE ? key->rows : 0);
		nulls[2] = !restored && key->id == 0;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

static int
open_keys(SdManyKeys *many, SdKeyOutcome **keys)
{
	int			n = 0;

	for (int i = 0; i < many->n; i++)
		if (many->keys[i].outcome == SD_OUTCOME_OPEN)
			keys[n++] = &many->keys[i];
	return n;
}

/* delete_many(table, keys) -> key, outcome, deletion id */
Datum
softdelete_delete_many(PG_FUNCTION_ARGS)
{
	SdManyKeys *many = sd_many_keys(fcinfo);
	SdKeyOutcome **keys = palloc(sizeof(SdKeyOutcome *) * (many->n + 1));
	int			n = open_keys(many, keys);
	SdStatement statement = {SD_TASK_DELETE};

	sd_spi_connect();
	if (n > 0)
		execute(many, prepare(many, 0), &statement, keys, n);
	for (int i = 0; i < many->n; i++)
		if (many->keys[i].outcome == SD_OUTCOME_DONE)
			many->keys[i].id = statement.id;
	sd_many_probe(many);
	for (int i = 0; i < many->n; i++)
	{
		if (many->keys[i].outcome == SD_OUTCOME_ALREADY)
			raise_refused(many, &many->keys[i], "delete");
		if (many->keys[i].outcome == SD_OUTCOME_OPEN)
			many->keys[i].outcome = SD_OUTCOME_ALREADY;
	}
	sd_spi_finish();
	put_results(fcinfo, many, false);
	return (Datum) 0;
}

/* the argument of restore_keys() */
typedef struct Restore
{
	SdManyKeys *many;
	SdKeyOutcome **keys;
	int			n;
	HTAB	   *together;		/* ids whose rows are counted key by key */
} Restore;

/*
 * The deletions among those of the keys that took rows along, which may come back
 * with this row or with that: their keys are restored one by one, so that each is
 * told its own number.
 */
static HTAB *
with_others(SdManyKeys *many, SdKeyOutcome **keys, int n)
{
	HASHCTL		ctl = {.keysize = sizeof(int64), .entrysize = sizeof(int64),
	.hcxt = CurrentMemoryContext};
	HTAB	   *ids;
	Oid			types[2] = {INT8ARRAYOID, REGCLASSOID};
	Datum		values[2] = {0, ObjectIdGetDatum(many->table->root)};
	Datum	   *of_keys = palloc(sizeof(Datum) * (n + 1));
	bool		to_itself = false;
	int			found;
	ListCell   *lc;

	if (many->table->children == NIL)
		return NULL;
	foreach(lc, many->table->children)
		if (((SdKey *) lfirst(lc))->child == many->table->root)
			to_itself = true;
	for (int i = 0; i < n; i++)
		of_keys[i] = Int64GetDatum(keys[i]->id);
	values[0] = PointerGetDatum(construct_array(of_keys, n, INT8OID, sizeof(int64),
												FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	ids = hash_create("softdelete deletions", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	found = sd_own_sql(to_itself ?
					   "SELECT id FROM softdelete.deletion_log"
					   " WHERE id OPERATOR(pg_catalog.=) ANY ($1) AND $2 IS NOT NULL" :
					   "SELECT id FROM softdelete.deletion_log"
					   " WHERE id OPERATOR(pg_catalog.=) ANY ($1)"
					   " AND tables OPERATOR(pg_catalog.<>) ARRAY[$2]", 2, types, values);
	for (int i = 0; i < found; i++)
	{
		bool		isnull;
		int64		id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
													 SPI_tuptable->tupdesc, 1, &isnull));

		(void) hash_search(ids, &id, HASH_ENTER, NULL);
	}
	return ids;
}

/* Restore the rows of these keys, all or none. */
static void
restore_keys(void *arg)
{
	Restore    *restore = arg;
	SdManyKeys *many = restore->many;
	SdKeyOutcome **alone = palloc(sizeof(SdKeyOutcome *) * (restore->n + 1));
	int			n_alone = 0;
	SPIPlanPtr	plan = prepare(many, 0);
	bool		one_id = true;

	for (int i = 0; i < restore->n; i++)
	{
		SdKeyOutcome *key = restore->keys[i];
		SdStatement statement = {SD_TASK_RESTORE, .each = true};

		CHECK_FOR_INTERRUPTS();
		/* shards do not say how many rows of which deletion came back */
		if (many->table->distributed)
			statement = (SdStatement) {SD_TASK_RESTORE, .id = key->id};
		else if (restore->together == NULL ||
				 hash_search(restore->together, &key->id, HASH_FIND, NULL) == NULL)
		{
			one_id = one_id && key->id != 0 && (n_alone == 0 || key->id == alone[0]->id);
			alone[n_alone++] = key;
			continue;
		}
		execute(many, plan, &statement, &key, 1);
		if (key->outcome == SD_OUTCOME_DONE)
			key->rows = statement.rows;
	}
	if (n_alone > 0)
	{
		/* with one id for all, the rows need not be asked for theirs */
		SdStatement statement = {SD_TASK_RESTORE, .each = !one_id,
		.id = one_id ? alone[0]->id : 0};

		execute(many, one_id ? prepare(many, alone[0]->id) : plan, &statement, alone, n_alone);
	}
	SPI_freeplan(plan);
	pfree(alone);
}

/*
 * Restore what can be of these keys: all, or else one half and the other, down to
 * those that stand in the way.  Returns the number of those.
 */
static int
restore_what_can(Restore *restore)
{
	Restore		half = *restore;
	char	   *why;
	int			code = sd_try_restore(restore_keys, restore, &why);
	int			refused;

	if (code == 0)
		return 0;
	for (int i = 0; i < restore->n; i++)
		restore->keys[i]->outcome = SD_OUTCOME_OPEN;
	if (restore->n == 1)
	{
		restore->keys[0]->outcome = code == SD_ERRCODE_PARENT_DELETED ?
			SD_OUTCOME_PARENT : SD_OUTCOME_CONFLICT;
		return 1;
	}
	half.n = restore->n / 2;
	refused = restore_what_can(&half);
	half.keys += half.n;
	half.n = restore->n - half.n;
	return refused + restore_what_can(&half);
}

/*
 * The same for all keys that are open.  A row that another of them needs comes in
 * time for the next round.
 */
static void
restore_in_rounds(Restore *restore)
{
	SdManyKeys *many = restore->many;
	int			refused = many->n + 1;
	int			before;

	do
	{
		before = refused;
		for (int i = 0; i < many->n; i++)
			if (many->keys[i].outcome == SD_OUTCOME_PARENT)
				many->keys[i].outcome = SD_OUTCOME_OPEN;
		restore->n = open_keys(many, restore->keys);
		refused = restore->n > 0 ? restore_what_can(restore) : 0;
	} while (refused > 0 && refused < before);
}

/* restore_many(table, keys) -> key, outcome, rows brought back with it */
Datum
softdelete_restore_many(PG_FUNCTION_ARGS)
{
	SdManyKeys *many = sd_many_keys(fcinfo);
	SdKeyOutcome **keys = palloc(sizeof(SdKeyOutcome *) * (many->n + 1));
	Restore		restore = {many, keys};

	sd_spi_connect();
	sd_many_probe(many);
	restore.n = open_keys(many, keys);
	restore.together = with_others(many, keys, restore.n);

	for (int attempt = 1; restore.n > 0; attempt++)
	{
		if (attempt > 2)
			raise_refused(many, keys[0], "restore");
		restore_in_rounds(&restore);

		/*
		 * A row may have come along with another, with which it was counted, or
		 * somebody has restored it and had it deleted again.
		 */
		restore.n = open_keys(many, keys);
		sd_many_probe(many);
		for (int i = 0; i < restore.n; i++)
			if (keys[i]->outcome == SD_OUTCOME_ALREADY)
				keys[i]->outcome = SD_OUTCOME_DONE;
		restore.n = open_keys(many, keys);
	}
	sd_spi_finish();
	put_results(fcinfo, many, true);
	return (Datum) 0;
}
