/*
 * makeroom.c
 *		A key that a deleted row holds is free for a new row.
 *
 *	make_room	BEFORE INSERT OR UPDATE: does a deleted row hold the new
 *				row's key?  Then it moves to softdelete.replaced_rows and
 *				is erased from the table, and PostgreSQL goes on as if it had
 *				gone when it was deleted: tag, RETURNING, ON CONFLICT, COPY.
 *
 * A row that others still refer to has to stay, and so does its key: that is
 * 23505, for either action of ON CONFLICT, too, and never silence.
 *
 * How it looks is keyprobe.c's; triggerset.c says which statements need it.  It
 * works on one row.  Rows come back by calls/bringback.c.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "base/guc.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "compat.h"
#include "engine/keyquery.h"
#include "engine/keyset.h"
#include "executor/executor.h"
#include "mark/keptprobes.h"
#include "mark/keyprobe.h"
#include "mark/makeroom.h"
#include "mark/triggers.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tables/foreignkeys.h"
#include "tables/heldkeys.h"
#include "tables/names.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "tables/rowjson.h"
#include "tables/trashquery.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(softdelete_make_room);

/* the values of these columns, each as the user wrote it or as a literal */
static char *
values_text(TupleTableSlot *slot, SdHeldKey *key, bool literals)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < key->n; i++)
	{
		bool		isnull;
		Datum		value = slot_getattr(slot, key->atts[i], &isnull);
		char	   *text = "null";
		Oid			output;
		bool		varlena;

		if (!isnull)
		{
			getTypeOutputInfo(TupleDescAttr(slot->tts_tupleDescriptor, key->atts[i] - 1)->atttypid,
							  &output, &varlena);
			text = OidOutputFunctionCall(output, value);
			if (literals)
				text = quote_literal_cstr(text);
		}
		appendStringInfo(&buf, "%s%s", i ? ", " : "", text);
	}
	return buf.data;
}

static char *
names_text(Relation rel, SdHeldKey *key)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < key->n; i++)
		appendStringInfo(&buf, "%s%s", i ? ", " : "",
						 get_attname(RelationGetRelid(rel), key->atts[i], false));
	return buf.data;
}

/* the table's primary key; NULL where it has none, or one of another kind */
static SdHeldKey *
primary_of(SdTable *table)
{
	ListCell   *lc;

	foreach(lc, table->held)
		if (((SdHeldKey *) lfirst(lc))->primary)
			return lfirst(lc);
	return NULL;
}

static void
raise_taken(Relation rel, SdTable *table, SdHeldKey *key, TupleTableSlot *slot,
			SdKey *referrer)
{
	char	   *name = quote_literal_cstr(sd_qualified_name(table->root));
	char	   *child = get_rel_name(referrer->child);
	SdHeldKey  *primary = primary_of(table);
	bool		tell = sd_may_see(RelationGetRelid(rel));
	char	   *values = tell && primary ? values_text(slot, primary, true) : "key";

	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("duplicate key value violates unique constraint \"%s\"",
					get_rel_name(key->index)),
			 tell ?
			 errdetail("Key (%s)=(%s) already exists: a deleted row holds it, and rows of table \"%s\" refer to that row.",
					   names_text(rel, key), values_text(slot, key, false), child) :
			 errdetail("The key already exists: a deleted row holds it, and rows of table \"%s\" refer to that row.",
					   child),
			 errhint("SELECT softdelete.restore(%s, %s) brings it back, softdelete.purge(%s, %s) erases it with what refers to it.",
					 name, values, name, values),
			 err_generic_string(PG_DIAG_SCHEMA_NAME,
								get_namespace_name(RelationGetNamespace(rel))),
			 err_generic_string(PG_DIAG_TABLE_NAME, RelationGetRelationName(rel)),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, get_rel_name(key->index))));
}

/*
 * A foreign key by which rows refer to the one that was just erased, which belong
 * to it: deleted ones, and those that keep a SET NULL link.  NULL if none.  A live
 * row of another key was put there by this transaction, before its parent: it is
 * the new row's.  Asked as the referring tables' owners.
 */
static SdKey *
find_referrer(SdTable *table, TupleTableSlot *slot)
{
	ListCell   *lc;

	foreach(lc, table->children)
	{
		SdKey	   *key = lfirst(lc);
		SdKeySet   *set = sd_key_set(key, false, false, 0);
		SdStatement statement = {SD_TASK_READ};
		Datum		values[INDEX_MAX_KEYS];
		bool		has_null = false;

		if (sd_key_needs_parent(key) && sd_table_by_oid(key->child) == NULL)
			continue;
		for (int i = 0; i < key->n; i++)
		{
			bool		isnull;

			values[i] = slot_getattr(slot, key->own_atts[i], &isnull);
			has_null |= isnull;
		}
		if (has_null)
			continue;
		sd_key_set_add(set, values);
		if (sd_execute_key(SD_QUERY_REFERRER, set, &statement, sd_owner_of(key->child),
						   SD_VIEW_LATEST, 1) > 0)
			return key;
	}
	return NULL;
}

/* the row's primary key, or where there is none the key that was wanted */
static Jsonb *
row_key(SdTable *table, SdHeldKey *wanted, TupleTableSlot *slot)
{
	SdHeldKey  *primary = primary_of(table);
	SdHeldKey  *key = primary ? primary : wanted;

	return sd_row_to_json(slot, key->atts, key->n);
}

/* what the row was, where calls/bringback.c finds it */
static void
keep_row(SdTable *table, SdHeldKey *key, TupleTableSlot *slot)
{
	Oid			types[] = {INT8OID, OIDOID, OIDOID, JSONBOID, JSONBOID, TIMESTAMPTZOID};
	Datum		values[6];
	bool		no_id;
	bool		no_time;

	values[0] = slot_getattr(slot, table->id, &no_id);
	values[1] = ObjectIdGetDatum(table->root);
	values[2] = ObjectIdGetDatum(table->relid);
	values[3] = JsonbPGetDatum(row_key(table, key, slot));
	values[4] = JsonbPGetDatum(sd_row_to_json(slot, NULL, 0));
	values[5] = slot_getattr(slot, table->time, &no_time);
	types[5] = getBaseType(get_atttype(table->relid, table->time));
	/* plans that show the trash of the table look there from now on */
	if (!sd_has_replaced(table->root))
		CacheInvalidateRelcacheByRelid(table->root);
	(void) sd_own_sql(psprintf("INSERT INTO softdelete.replaced_rows"
							   " (deletion_id, target, leaf, key, row_data, deleted_at, replaced_at)"
							   " VALUES (%s, $2, $3, $4, $5, %s, pg_catalog.now())",
							   no_id ? "NULL" : "$1", no_time ? "NULL" : "$6"),
					  6, types, values);
}

/*
 * Move the deleted row away.  false: somebody has changed it meanwhile.  The
 * lock that erasing takes keeps new references away, so it comes before the look
 * for those that there are.
 */
static bool
move_away(Relation rel, SdTable *table, SdHeldKey *key, TupleTableSlot *slot)
{
	TM_FailureData tmfd;
	TM_Result	result;
	SdKey	   *referrer;

	/* this very statement may have marked it */
	CommandCounterIncrement();
	CheckCmdReplicaIdentity(rel, CMD_DELETE);
	result = table_tuple_delete(rel, &slot->tts_tid, GetCurrentCommandId(true),
								GetActiveSnapshot(), InvalidSnapshot, true, &tmfd, false);
	if (result == TM_Updated || result == TM_Deleted)
		return false;
	if (result != TM_Ok)
		elog(ERROR, "cannot move a row of table \"%s\" away: %d",
			 RelationGetRelationName(rel), result);
	CommandCounterIncrement();

	sd_spi_connect();
	referrer = find_referrer(table, slot);
	if (referrer != NULL)
		raise_taken(rel, table, key, slot, referrer);
	keep_row(table, key, slot);
	sd_spi_finish();
	return true;
}

/* Move away the deleted row that holds this key of the new row, if one does. */
static void
make_room(Relation rel, SdTable *table, SdHeldKey *key, SdProbe *probe, TupleTableSlot *row)
{
	TransactionId wait;

	if (!sd_probe_for(probe, key, row))
		return;
	while (sd_find_deleted(probe, table, &wait))
	{
		if (TransactionIdIsValid(wait))
			XactLockTableWait(wait, rel, &probe->slot->tts_tid, XLTW_InsertIndex);
		else if (move_away(rel, table, key, probe->slot))
			break;
		CHECK_FOR_INTERRUPTS();
	}
	ExecClearTuple(probe->slot);
}

/* the same, with a look for this row alone */
static void
make_room_once(Relation rel, SdTable *table, SdHeldKey *key, TupleTableSlot *row)
{
	SdProbe		probe;

	sd_open_probe(&probe, rel, key);
	make_room(rel, table, key, &probe, row);
	sd_close_probe(&probe);
}

/* Move away the deleted rows that hold a key of the new row. */
void
sd_make_room(Relation rel, SdTable *table, TupleTableSlot *row)
{
	ListCell   *lc;

	foreach(lc, table->held)
		make_room_once(rel, table, lfirst(lc), row);
}

/* does the UPDATE leave the key as it is? */
static bool
is_same_key(SdHeldKey *key, TupleTableSlot *old, TupleTableSlot *new)
{
	for (int i = 0; i < key->n; i++)
	{
		Form_pg_attribute att = TupleDescAttr(old->tts_tupleDescriptor, key->atts[i] - 1);
		bool		old_null;
		bool		new_null;
		Datum		old_value = slot_getattr(old, key->atts[i], &old_null);
		Datum		new_value = slot_getattr(new, key->atts[i], &new_null);

		if (old_null != new_null ||
			(!old_null && !datumIsEqual(old_value, new_value, att->attbyval, att->attlen)))
			return false;
	}
	return true;
}

/* BEFORE INSERT OR UPDATE */
Datum
softdelete_make_room(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	SdTable    *table = sd_trigger_table(fcinfo, "make_room");
	Relation	rel = trigdata->tg_relation;
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	TupleTableSlot *row = update ? trigdata->tg_newslot : trigdata->tg_trigslot;
	Datum		result = PointerGetDatum(update ? trigdata->tg_newtuple : trigdata->tg_trigtuple);
	ListCell   *lc;

	if (!TRIGGER_FIRED_BEFORE(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("softdelete.make_room() is for triggers BEFORE INSERT OR UPDATE FOR EACH ROW")));

	/* who sees the deleted row knows that its key is taken */
	if (!table->hide || sd_visible() != SD_VISIBLE_LIVE ||
		sd_kept_is_nothing_deleted(fcinfo->flinfo, table))
		return result;
	foreach(lc, table->held)
	{
		SdHeldKey  *key = lfirst(lc);
		SdProbe    *probe;

		if (update && is_same_key(key, trigdata->tg_trigslot, row))
			continue;
		probe = sd_kept_probe(fcinfo->flinfo, rel, key);
		if (probe)
			make_room(rel, table, key, probe, row);
		else
			make_room_once(rel, table, key, row);
	}
	return result;
}
