/*
 * table.c
 *		What is known of a managed table, and what its rows and triggers say.
 *
 * The facts themselves are read by reader.c and kept by registry.c.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "base/own_objects.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "tables/table.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

bool
sd_is_own_trigger(const Trigger *trigger)
{
	const SdObjects *o = sd_objects();

	return OidIsValid(o->mark_trigger) &&
		(trigger->tgfoid == o->mark_trigger ||
		 trigger->tgfoid == o->stamp_trigger ||
		 trigger->tgfoid == o->guard_trigger ||
		 trigger->tgfoid == o->truncate_trigger ||
		 trigger->tgfoid == o->born_trigger ||
		 trigger->tgfoid == o->room_trigger);
}

/* Raise where the mark trigger is switched off: nothing would cascade. */
void
sd_check_enabled(SdTable *table)
{
	Relation	rel;
	const char *name = NULL;

	if (!table->disabled)
		return;
	rel = table_open(table->relid, NoLock);
	for (int i = 0; rel->trigdesc && i < rel->trigdesc->numtriggers; i++)
		if (rel->trigdesc->triggers[i].tgfoid == sd_objects()->mark_trigger)
			name = rel->trigdesc->triggers[i].tgname;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot delete from managed table \"%s\" while its triggers are disabled",
					RelationGetRelationName(rel)),
			 errhint("ALTER TABLE %s ENABLE TRIGGER %s.",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
												RelationGetRelationName(rel)),
					 quote_identifier(name))));
}

static bool
value_is_deleted(SdTable *table, Datum value, bool isnull)
{
	switch (table->kind)
	{
		case SD_TIMESTAMP:
			return !isnull;
		case SD_BOOLEAN:
			return !isnull && DatumGetBool(value) == table->deleted_is_true;
		case SD_STATUS:
			return !isnull &&
				DatumGetBool(FunctionCall2Coll(&table->equal,
											   table->marker_collation,
											   value, table->deleted_datum));
	}
	return false;
}

bool
sd_slot_is_deleted(SdTable *table, TupleTableSlot *slot)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, table->marker, &isnull);

	return value_is_deleted(table, value, isnull);
}

bool
sd_tuple_is_deleted(SdTable *table, HeapTuple tuple, TupleDesc desc)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, table->marker, desc, &isnull);

	return value_is_deleted(table, value, isnull);
}
