/*
 * triggers.c
 *		The row triggers of a managed table for UPDATE.
 *
 *	stamp_trigger	BEFORE UPDATE: an UPDATE set or cleared the mark; fill in or
 *					clear the companion columns.  (A converted DELETE does so in
 *					its target list, and triggerset.c switches it off.)
 *	mark			AFTER UPDATE: collect the row's keys for cascade.c.  Its
 *					definition also holds the table's state, see registry.c.
 *
 * guard.c has those for DELETE and TRUNCATE.  All work on one row and keep
 * nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "engine/log.h"
#include "engine/operation.h"
#include "executor/executor.h"
#include "mark/rowlock.h"
#include "mark/settle.h"
#include "mark/triggers.h"
#include "tables/foreignkeys.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(softdelete_stamp_trigger);
PG_FUNCTION_INFO_V1(softdelete_mark);

/* The table of a trigger call; raises where it was called by hand. */
SdTable *
sd_trigger_table(FunctionCallInfo fcinfo, const char *name)
{
	SdTable    *table = NULL;

	if (CALLED_AS_TRIGGER(fcinfo))
		table = sd_table(((TriggerData *) fcinfo->context)->tg_relation);
	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("softdelete.%s() is for the triggers that softdelete.enable() creates",
						name),
				 !CALLED_AS_TRIGGER(fcinfo) ? 0 :
				 errhint("Other triggers of table \"%s\" are missing: softdelete.enable() with its marker puts them back, softdelete.disable() removes the rest.",
						 RelationGetRelationName(((TriggerData *) fcinfo->context)->tg_relation))));
	return table;
}

static Datum
get_value(HeapTuple tuple, AttrNumber attnum, TupleDesc desc, bool *isnull)
{
	return heap_getattr(tuple, attnum, desc, isnull);
}

/* lock the old version: see rowlock.c */
static void
lock_old_row(SdTable *table, TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	TupleTableSlot *slot = table_slot_create(rel, NULL);

	(void) sd_lock_row(table, rel, &trigdata->tg_trigtuple->t_self, GetActiveSnapshot(),
					   GetCurrentCommandId(true), slot);
	ExecDropSingleTupleTableSlot(slot);
}

/*
 * A row that leaves its partition as it is marked or restored is followed by
 * its old key (see note_move): so the key has to stay the same.
 */
static void
refuse_key_change(SdTable *table, HeapTuple old, HeapTuple new, TupleDesc desc)
{
	ListCell   *lc;

	foreach(lc, table->children)
	{
		SdKey	   *key = lfirst(lc);

		for (int i = 0; i < key->n; i++)
		{
			Form_pg_attribute att = TupleDescAttr(desc, key->own_atts[i] - 1);
			bool		old_null;
			bool		new_null;
			Datum		old_value = get_value(old, key->own_atts[i], desc, &old_null);
			Datum		new_value = get_value(new, key->own_atts[i], desc, &new_null);

			if (old_null == new_null &&
				(old_null || datumIsEqual(old_value, new_value, att->attbyval, att->attlen)))
				continue;
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot change key column \"%s\" of partitioned table \"%s\" together with the mark",
							NameStr(att->attname), get_rel_name(table->root)),
					 errhint("Do it in two UPDATEs.")));
		}
	}
}

/* the transaction's time as the column's type has it */
Datum
sd_now_as(TupleDesc desc, AttrNumber attnum)
{
	Datum		now = TimestampTzGetDatum(sd_op_time());

	if (getBaseType(TupleDescAttr(desc, attnum - 1)->atttypid) == TIMESTAMPOID)
		return DirectFunctionCall1(timestamptz_timestamp, now);
	return now;
}

/*
 * An UPDATE gives an id to a row that is marked and has none: the row was marked
 * where we could not see it (before enable(), on a publisher), and belongs to
 * this statement's deletion from now on.
 */
static HeapTuple
join_deletion(SdTable *table, HeapTuple row, TupleDesc desc)
{
	SdOp	   *op = sd_current_op();
	int			atts[2] = {table->id, table->time};
	Datum		values[2];
	bool		nulls[2] = {false, false};

	values[0] = Int64GetDatum(sd_op_id(op));
	values[1] = get_value(row, table->time, desc, &nulls[1]);
	if (nulls[1])
		values[1] = sd_now_as(desc, table->time);
	nulls[1] = false;
	sd_op_count(op, table->root, 1);
	row = heap_modify_tuple_by_cols(row, desc, 2, atts, values, nulls);
	sd_flush_loose(op);
	return row;
}

Datum
softdelete_stamp_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	SdTable    *table = sd_trigger_table(fcinfo, "stamp_trigger");
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	old = trigdata->tg_trigtuple;
	HeapTuple	new = trigdata->tg_newtuple;
	bool		was_deleted = sd_tuple_is_deleted(table, old, desc);
	bool		is_deleted = sd_tuple_is_deleted(table, new, desc);
	int			atts[3];
	Datum		values[3] = {0};
	bool		nulls[3] = {true, true, true};
	int			n = 0;

	if (was_deleted == is_deleted)
	{
		bool		old_null;
		bool		new_null;
		Datum		old_id = get_value(old, table->id, desc, &old_null);
		Datum		new_id = get_value(new, table->id, desc, &new_null);

		if (is_deleted && old_null && !new_null)
			return PointerGetDatum(join_deletion(table, new, desc));
		if (old_null != new_null ||
			(!old_null && DatumGetInt64(old_id) != DatumGetInt64(new_id)))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("column \"%s\" of table \"%s\" is maintained by softdelete",
							NameStr(TupleDescAttr(desc, table->id - 1)->attname),
							RelationGetRelationName(trigdata->tg_relation)),
					 errhint("Set or clear column \"%s\" instead, or leave this one alone.",
							 NameStr(TupleDescAttr(desc, table->marker - 1)->attname))));
		return PointerGetDatum(new);
	}

	/* where a BEFORE trigger set the mark, or the UPDATE came by another table */
	if (SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA)
		sd_check_enabled(table);
	if (is_deleted && table->children != NIL)
		lock_old_row(table, trigdata);
	if (table->relid != table->root)
	{
		SdOp	   *op = sd_current_op();

		refuse_key_change(table, old, new, desc);
		op->moving_relid = table->relid;
		op->moving_tid = old->t_self;
		op->moving_deleted = is_deleted;
	}

	atts[n] = table->id;
	if (is_deleted)
	{
		values[n] = Int64GetDatum(sd_op_id(sd_current_op()));
		nulls[n] = false;
	}
	n++;
	if (table->time != table->marker)
	{
		bool		old_null;
		bool		new_null;
		Datum		old_time = get_value(old, table->time, desc, &old_null);
		Datum		new_time = get_value(new, table->time, desc, &new_null);

		atts[n] = table->time;
		if (is_deleted)
		{
			/* a time that the statement gave stands */
			bool		given = !new_null &&
				(old_null || DatumGetTimestampTz(old_time) != DatumGetTimestampTz(new_time));

			values[n] = given ? new_time : sd_now_as(desc, table->time);
			nulls[n] = false;
		}
		n++;
	}
	if (table->former != InvalidAttrNumber)
	{
		atts[n] = table->former;
		if (is_deleted)
			values[n] = get_value(old, table->marker, desc, &nulls[n]);
		n++;
	}
	return PointerGetDatum(heap_modify_tuple_by_cols(new, desc, n, atts, values, nulls));
}

/* Raise where a row that was marked does not have the operation's id. */
void
sd_check_stamp(SdOp *op, SdTable *table, TupleTableSlot *row)
{
	bool		isnull;
	int64		id = DatumGetInt64(slot_getattr(row, table->id, &isnull));

	if (!isnull && id != 0 && id == op->id)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("row of table \"%s\" was marked without a stamp",
					get_rel_name(table->relid)),
			 errdetail("A BEFORE UPDATE trigger that fires after \"~softdelete_stamp\" set the mark or changed column \"%s\".",
					   get_attname(table->relid, table->id, false)),
			 errhint("Rename that trigger so that it fires earlier.")));
}

/*
 * A row was marked: count it and, unless row is NULL, remember the keys by which
 * others refer to it.
 */
void
sd_note_marked(SdOp *op, SdTable *table, TupleTableSlot *row)
{
	sd_op_count(op, table->root, 1);
	if (row != NULL)
		sd_op_marked(op, table, row);
}

/*
 * A row was restored that belonged to deletion id, 0 if to none: count it and,
 * unless row is NULL, remember its keys.  Where it came along with its parents by
 * the key via, and has no other key, these are live.
 */
void
sd_note_restored(SdOp *op, SdTable *table, int64 id, TupleTableSlot *row, SdKey *via)
{
	ListCell   *lc;

	sd_op_count_restored(op, table->root, id, 1);
	if (row == NULL)
		return;
	foreach(lc, table->children)
	{
		SdKey	   *key = lfirst(lc);

		if (id != 0)
			sd_op_restored(op, key, id, row);
	}
	if (via != NULL && list_length(table->parents) == 1 &&
		((SdKey *) linitial(table->parents))->oid == via->oid)
		return;
	foreach(lc, table->parents)
		sd_op_parent(op, lfirst(lc), row);
}

/* Without a statement to wait for, follow the row's keys now. */
void
sd_flush_loose(SdOp *op)
{
	if (op->estate != NULL)
		return;
	if (sd_op_has_work(op))
		sd_cascade(op, NULL);
	sd_check_key_updates(op);
	sd_log_write(op);
}

Datum
softdelete_mark(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	SdTable    *table = sd_trigger_table(fcinfo, "mark");
	TupleTableSlot *old = trigdata->tg_trigslot;
	TupleTableSlot *new = trigdata->tg_newslot;
	bool		is_deleted = sd_slot_is_deleted(table, new);
	bool		isnull;
	int64		id;
	SdOp	   *op;

	if (sd_slot_is_deleted(table, old) == is_deleted)
		return PointerGetDatum(NULL);

	op = sd_current_op();
	id = DatumGetInt64(slot_getattr(is_deleted ? new : old, table->id, &isnull));
	if (isnull)
		id = 0;

	if (is_deleted)
	{
		SdOp	   *loose = id != op->id ? sd_op_of(NULL) : NULL;

		/* stamped before the library's hooks could see the statement */
		if (loose != NULL && loose->id == id)
			op = loose;
		else if (id != op->id && op->estate == NULL && id != 0)
			op->id = id;
		sd_check_stamp(op, table, new);
		sd_note_marked(op, table, new);
	}
	else
		sd_note_restored(op, table, id, new, NULL);
	sd_flush_loose(op);
	return PointerGetDatum(NULL);
}
