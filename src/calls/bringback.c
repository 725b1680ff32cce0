/*
 * bringback.c
 *		Replaced rows become deleted rows of their table again.
 *
 * A deleted row whose key was inserted again stands in softdelete.replaced_rows
 * (mark/makeroom.c).  Before restore() or undo() look for the rows that they
 * restore, it is put back into its table as it was, mark and all; what they do
 * then is what they do with any.  Where a live row has its key by now, that
 * fails on the key.  A deleted row that has it makes room in turn.
 *
 * The row goes in by the executor's own functions: no trigger, rule or policy
 * of a user has a say, but foreign keys hold.  Owns no state.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/own_sql.h"
#include "calls/bringback.h"
#include "calls/refusal.h"
#include "calls/try.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "mark/makeroom.h"
#include "miscadmin.h"
#include "tables/heldkeys.h"
#include "tables/registry.h"
#include "tables/rowjson.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* of the triggers those that check the row's own foreign keys */
static void
keep_foreign_keys(TriggerDesc *desc)
{
	if (desc == NULL)
		return;
	for (int i = 0; i < desc->numtriggers; i++)
		if (RI_FKey_trigger_type(desc->triggers[i].tgfoid) != RI_TRIGGER_FK)
			desc->triggers[i].tgenabled = TRIGGER_DISABLED;
	desc->trig_insert_before_row = false;
	desc->trig_insert_instead_row = false;
	desc->trig_insert_new_table = false;
}

static void
insert_row(Relation rel, TupleTableSlot *slot)
{
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *info = makeNode(ResultRelInfo);

	InitResultRelInfo(info, rel, 0, NULL, 0);
	keep_foreign_keys(info->ri_TrigDesc);
	ExecOpenIndices(info, false);
	AfterTriggerBeginQuery();
	ExecSimpleRelationInsert(info, estate, slot);
	AfterTriggerEndQuery(estate);
	ExecCloseIndices(info);
	ExecResetTupleTable(estate->es_tupleTable, false);
	ExecCloseResultRelations(estate);
	FreeExecutorState(estate);
}

/* a row of replaced_rows */
typedef struct Replaced
{
	int64		number;			/* its own, not the deletion's */
	Oid			target;
	Oid			leaf;
	Jsonb	   *row;
} Replaced;

static void
bring_back(void *arg)
{
	Replaced   *replaced = arg;
	Relation	rel = get_rel_relkind(replaced->leaf) == RELKIND_RELATION ?
		table_open(replaced->leaf, RowExclusiveLock) : NULL;
	SdTable    *table = rel ? sd_table(rel) : NULL;
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(replaced->number)};
	TupleTableSlot *slot;
	ErrorContextCallback callback;

	if (table == NULL || table->root != replaced->target)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a replaced row cannot be brought back"),
				 errdetail("Its table, or the partition that it was in, is gone or is not managed any more."),
				 errhint("softdelete.replaced has what it was.")));
	callback.previous = error_context_stack;
	callback.callback = sd_clash_hint;
	callback.arg = RelationGetRelationName(rel);
	error_context_stack = &callback;
	slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsVirtual);
	sd_row_from_json(rel, replaced->row, slot);
	sd_make_room(rel, table, slot);
	insert_row(rel, slot);
	ExecDropSingleTupleTableSlot(slot);
	error_context_stack = callback.previous;
	table_close(rel, NoLock);
	(void) sd_own_sql("DELETE FROM softdelete.replaced_rows WHERE id OPERATOR(pg_catalog.=) $1",
					  1, types, values);
}

/*
 * Bring back the rows that the query on replaced_rows finds and locks; with skip,
 * those whose keys are free.  SPI is connected.  Returns how many were found;
 * *skipped those that stay.
 */
static int
bring_back_rows(const char *condition, int nargs, Oid *types, Datum *values,
				bool skip, int *skipped)
{
	SPITupleTable *found;
	int			n;

	n = sd_own_sql(psprintf("SELECT id, target, leaf, row_data FROM softdelete.replaced_rows"
							" WHERE %s FOR UPDATE", condition),
				   nargs, types, values);
	found = SPI_tuptable;
	for (int i = 0; i < n; i++)
	{
		Replaced	replaced;
		Datum		columns[4];
		bool		isnull;
		char	   *why;

		for (int k = 0; k < 4; k++)
			columns[k] = SPI_getbinval(found->vals[i], found->tupdesc, k + 1, &isnull);
		replaced.number = DatumGetInt64(columns[0]);
		replaced.target = DatumGetObjectId(columns[1]);
		replaced.leaf = DatumGetObjectId(columns[2]);
		replaced.row = DatumGetJsonbPCopy(columns[3]);
		if (!skip)
			bring_back(&replaced);
		else if (sd_try_restore(bring_back, &replaced, &why) != 0)
			(*skipped)++;
	}
	if (n > 0)
		CommandCounterIncrement();
	return n;
}

/*
 * Bring back the replaced rows of the deletion, with skip those whose keys are
 * free.  SPI is connected.
 */
void
sd_bring_back_deletion(int64 id, bool skip)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(id)};
	int			skipped = 0;

	(void) bring_back_rows("deletion_id OPERATOR(pg_catalog.=) $1", 1, types, values,
						   skip, &skipped);
	if (skipped > 0)
		ereport(NOTICE,
				(errmsg_plural("%d row of deletion " INT64_FORMAT " was replaced by a new one and stays so",
							   "%d rows of deletion " INT64_FORMAT " were replaced by new ones and stay so",
							   skipped, skipped, id)));
}

/* The key as makeroom.c writes it; NULL where the table has none that it can. */
Jsonb *
sd_key_as_json(SdByKey *key)
{
	char	   *names[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS] = {false};
	ListCell   *lc;

	foreach(lc, key->table->held)
	{
		SdHeldKey  *held = lfirst(lc);

		if (!held->primary || key->has_null)
			continue;
		for (int i = 0; i < held->n; i++)
			names[i] = get_attname(key->relid, held->atts[i], false);
		return sd_values_to_json(held->n, names, key->types, key->values, nulls);
	}
	return NULL;
}

/*
 * Bring back the row that was deleted last of those with the key.  false: there
 * is none.  SPI is connected.
 */
bool
sd_bring_back_key(SdByKey *key)
{
	Oid			types[] = {OIDOID, JSONBOID};
	Datum		values[2];
	Jsonb	   *json = sd_key_as_json(key);

	if (json == NULL)
		return false;
	values[0] = ObjectIdGetDatum(key->table->root);
	values[1] = JsonbPGetDatum(json);
	return bring_back_rows("target OPERATOR(pg_catalog.=) $1 AND key OPERATOR(pg_catalog.=) $2"
						   " ORDER BY deleted_at DESC NULLS LAST, id DESC LIMIT 1",
						   2, types, values, false, NULL) > 0;
}

/* Rows of a deletion that restore() leaves where they are do not go unsaid. */
void
sd_tell_replaced(int64 id)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(id)};
	int			n;

	n = sd_own_sql("SELECT FROM softdelete.replaced_rows WHERE deletion_id OPERATOR(pg_catalog.=) $1",
				   1, types, values);
	if (n > 0)
		ereport(NOTICE,
				(errmsg_plural("%d row of deletion " INT64_FORMAT " was replaced by a new one and stays so",
							   "%d rows of deletion " INT64_FORMAT " were replaced by new ones and stay so",
							   n, n, id),
				 errhint("SELECT softdelete.undo(" INT64_FORMAT ") brings back all, where their keys are free.", id)));
}
