/*
 * holds.c
 *		Rows that are on hold by themselves, whatever deletion they belong to.
 *
 * softdelete.hold_log says which: by the values of the primary key, so that a hold
 * outlives a restore and the next delete.  Whoever is about to erase rows of a
 * table asks here, guard.c for each row and the purge for the table.
 *
 * The first question about a table locks its holds against new ones until the
 * transaction ends (hold_row() takes the lock exclusively, and so waits for
 * purges of that table); what was read then stays true.  Owns what was read,
 * which lives in TopTransactionContext; an aborted subtransaction, which may have
 * given the lock back, drops it all.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "base/errors.h"
#include "base/identity.h"
#include "base/own_objects.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "catalog/pg_type.h"
#include "engine/holds.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

/* one column of the key of a held row */
typedef struct HeldValue
{
	int64		hold;			/* of the same row */
	char	   *column;
	char	   *value;
} HeldValue;

typedef struct TableHolds
{
	Oid			root;
	HeldValue  *values;			/* those of one row side by side */
	int			n;
} TableHolds;

static List *known = NIL;		/* TableHolds */

/* Forget what was read: a hold was made or ended. */
void
sd_forget_holds(void)
{
	known = NIL;				/* the memory goes with the transaction */
}

static void
on_xact(XactEvent event, void *arg)
{
	sd_forget_holds();
}

/* Let nobody else erase rows of the table until this transaction ends. */
void
sd_lock_holds(Oid root)
{
	LockDatabaseObject(sd_objects()->log, root, 0, AccessExclusiveLock);
}

/* Read the holds of the table as they are now, not as a snapshot may have them. */
static TableHolds *
read_holds(Oid root)
{
	TableHolds *holds = MemoryContextAllocZero(TopTransactionContext, sizeof(TableHolds));
	Oid			types[1] = {REGCLASSOID};
	Datum		values[1] = {ObjectIdGetDatum(root)};
	MemoryContext old;
	SdIdentity	before;
	static bool registered = false;

	/* every transaction of a session calls it from now on */
	if (!registered)
	{
		RegisterXactCallback(on_xact, NULL);
		registered = true;
	}
	LockDatabaseObject(sd_objects()->log, root, 0, AccessShareLock);
	holds->root = root;
	sd_spi_connect();
	sd_become(sd_objects()->owner, true, &before);
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	if (SPI_execute_with_args("SELECT h.id, k.key, k.value FROM softdelete.hold_log h"
							  " CROSS JOIN LATERAL pg_catalog.jsonb_each_text(h.key) k"
							  " WHERE h.target OPERATOR(pg_catalog.=) $1"
							  " AND h.key IS NOT NULL AND h.released_at IS NULL"
							  " ORDER BY h.id", 1, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed");
	PopActiveSnapshot();
	sd_become_again(&before);

	old = MemoryContextSwitchTo(TopTransactionContext);
	holds->n = (int) SPI_processed;
	holds->values = palloc_extended(sizeof(HeldValue) * SPI_processed, MCXT_ALLOC_HUGE);
	for (int i = 0; i < holds->n; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		bool		isnull;

		holds->values[i].hold = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		holds->values[i].column = pstrdup(SPI_getvalue(row, SPI_tuptable->tupdesc, 2));
		holds->values[i].value = pstrdup(SPI_getvalue(row, SPI_tuptable->tupdesc, 3));
	}
	known = lappend(known, holds);
	MemoryContextSwitchTo(old);
	sd_spi_finish();
	return holds;
}

static TableHolds *
holds_of(Oid root)
{
	ListCell   *lc;

	foreach(lc, known)
		if (((TableHolds *) lfirst(lc))->root == root)
			return lfirst(lc);
	return read_holds(root);
}

/* Is any row of the table (topmost) on hold by itself? */
bool
sd_has_row_holds(Oid root)
{
	return holds_of(root)->n > 0;
}

/*
 * Has the row this value in the column?  Where there is no such column any more, as
 * after a DROP COLUMN, it cannot be told, and a hold is not to end by that: yes.
 */
static bool
has_value(SdTable *table, HeapTuple tuple, TupleDesc desc, HeldValue *held)
{
	AttrNumber	attnum = get_attnum(table->relid, held->column);
	Form_pg_attribute att;
	Oid			input;
	Oid			ioparam;
	Datum		value;
	bool		isnull;

	/* the mark does not tell which row it is, though a partition key may need it there */
	if (attnum <= 0 || attnum == table->marker)
		return true;
	value = heap_getattr(tuple, attnum, desc, &isnull);
	if (isnull)
		return false;
	att = TupleDescAttr(desc, attnum - 1);
	getTypeInputInfo(att->atttypid, &input, &ioparam);
	return DatumGetBool(FunctionCall2Coll(&lookup_type_cache(att->atttypid, TYPECACHE_EQ_OPR_FINFO)->eq_opr_finfo,
										  att->attcollation, value,
										  OidInputFunctionCall(input, held->value, ioparam,
															   att->atttypmod)));
}

/* Is the row, live or deleted, on hold by itself? */
bool
sd_row_is_held(SdTable *table, HeapTuple tuple, TupleDesc desc)
{
	TableHolds *holds = holds_of(table->root);

	for (int i = 0, next; i < holds->n; i = next)
	{
		bool		same = true;

		for (next = i; next < holds->n &&
			 holds->values[next].hold == holds->values[i].hold; next++)
			same = same && has_value(table, tuple, desc, &holds->values[next]);
		if (same)
			return true;
	}
	return false;
}

/*
 * Raise where something in the table (topmost) is on hold: TRUNCATE asks nobody
 * about single rows.
 */
void
sd_refuse_truncate_held(Oid root)
{
	Oid			types[1] = {REGCLASSOID};
	Datum		values[1] = {ObjectIdGetDatum(root)};

	if (sd_has_row_holds(root) ||
		sd_write_own("SELECT FROM softdelete.deletion_log WHERE held_at IS NOT NULL"
					 " AND $1 OPERATOR(pg_catalog.=) ANY (tables) LIMIT 1",
					 1, types, values) > 0)
		ereport(ERROR,
				(errcode(SD_ERRCODE_ON_HOLD),
				 errmsg("cannot truncate table \"%s\": rows of it are on hold",
						get_rel_name(root)),
				 errhint("SELECT deletion_id, target, key, why FROM softdelete.holds WHERE released_at IS NULL; lists what is on hold.")));
}

static void
on_subxact(SubXactEvent event, SubTransactionId subid,
		   SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		sd_forget_holds();
}

void
sd_holds_init(void)
{
	RegisterSubXactCallback(on_subxact, NULL);
}
