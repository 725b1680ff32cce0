/*
 * lognote.c
 *		What became of the rows of earlier deletions, in the log: restored, purged.
 *
 * Adds to the deletions' rows and writes an event for each.  Keeps nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/errors.h"
#include "base/guc.h"
#include "base/own_objects.h"
#include "base/own_sql.h"
#include "catalog/pg_type.h"
#include "engine/counts.h"
#include "engine/lognote.h"
#include "engine/logrow.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* a role's name, as the log keeps it */
Datum
sd_log_role(Oid role)
{
	return DirectFunctionCall1(namein,
							   CStringGetDatum(GetUserNameFromId(role, false)));
}

/* a setting as the log keeps it, which has no empty ones */
Datum
sd_log_text(const char *value, bool *isnull)
{
	*isnull = value == NULL || value[0] == '\0';
	return *isnull ? (Datum) 0 : CStringGetTextDatum(value);
}

/* ids, tables and counts as arrays */
static void
count_arrays(SdLogCount *counts, int n, Datum *ids, Datum *tables, Datum *rows)
{
	Datum	   *id = palloc(sizeof(Datum) * n);
	Datum	   *table = palloc(sizeof(Datum) * n);
	Datum	   *row = palloc(sizeof(Datum) * n);

	for (int i = 0; i < n; i++)
	{
		id[i] = Int64GetDatum(counts[i].id);
		table[i] = ObjectIdGetDatum(counts[i].relid);
		row[i] = Int64GetDatum(counts[i].n);
	}
	*ids = PointerGetDatum(construct_array(id, n, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	*tables = PointerGetDatum(construct_array(table, n, OIDOID, sizeof(Oid), true,
											  TYPALIGN_INT));
	*rows = PointerGetDatum(construct_array(row, n, INT8OID, sizeof(int64),
											FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* a hold that was committed while the purge was on its way */
static void
raise_held(int64 id)
{
	ereport(ERROR,
			(errcode(SD_ERRCODE_ON_HOLD),
			 errmsg("deletion " INT64_FORMAT " is on hold", id),
			 errhint("SELECT softdelete.release(" INT64_FORMAT ") first.", id)));
}

/* ----------------------------------------------------------------
 *		without the executor
 * ----------------------------------------------------------------
 */

/* columns of softdelete.event_log */
enum EventColumn
{
	EVENT_ID,
	EVENT_AT,
	EVENT_WHAT,
	EVENT_DELETION_ID,
	EVENT_TARGET,
	EVENT_ROWS,
	EVENT_ROLE,
	EVENT_SESSION_ROLE,
	EVENT_ACTOR,
	EVENT_REASON,
	EVENT_TXID,
	EVENT_KEY_OF,
	EVENT_KEY,
	EVENT_COLUMNS
};

/* events that are inserted together */
#define MAX_EVENTS 200

typedef struct Events
{
	Relation	rel;
	CatalogIndexState indexes;
	Datum		values[EVENT_COLUMNS];	/* what all have in common */
	bool		nulls[EVENT_COLUMNS];
	TupleTableSlot *slots[MAX_EVENTS];
	pg_uuid_t	ids[MAX_EVENTS];
	pg_uuid_t	base;
	uint32		drawn;			/* ids so far */
	int			n;
} Events;

/*
 * A UUID of version 7: the time in milliseconds, a number that counts up, and what
 * is random for as long as this call.  Such ids come to lie side by side in the
 * index.
 */
static void
draw_id(Events *events, pg_uuid_t *id)
{
	uint32		drawn = events->drawn++;

	*id = events->base;
	id->data[6] = 0x70 | ((drawn >> 24) & 0x0f);
	id->data[7] = drawn >> 16;
	id->data[8] = 0x80 | ((drawn >> 10) & 0x3f);
	id->data[9] = drawn >> 2;
	id->data[10] = (events->base.data[10] & 0x3f) | (drawn << 6);
}

/* false, and nothing is open, where events have to be written by SQL */
static bool
open_events(Events *events, Oid role, const char *what)
{
	uint64		ms = (GetCurrentTimestamp() +
					  (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY) / 1000;

	memset(events, 0, sizeof(Events));
	events->rel = table_open(get_relname_relid("event_log", sd_objects()->schema),
							 RowExclusiveLock);
	events->indexes = CatalogOpenIndexes(events->rel);
	if (!sd_is_plain_table(events->rel, events->indexes) ||
		RelationGetNumberOfAttributes(events->rel) != EVENT_COLUMNS)
	{
		CatalogCloseIndexes(events->indexes);
		table_close(events->rel, NoLock);
		return false;
	}
	if (!pg_strong_random(&events->base, sizeof(pg_uuid_t)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	for (int i = 0; i < 6; i++)
		events->base.data[i] = ms >> (40 - 8 * i);
	events->values[EVENT_AT] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	events->values[EVENT_WHAT] = CStringGetTextDatum(what);
	events->values[EVENT_ROLE] = sd_log_role(role);
	events->values[EVENT_SESSION_ROLE] = sd_log_role(GetSessionUserId());
	events->values[EVENT_ACTOR] = sd_log_text(sd_actor, &events->nulls[EVENT_ACTOR]);
	events->values[EVENT_REASON] = sd_log_text(sd_reason, &events->nulls[EVENT_REASON]);
	events->values[EVENT_TXID] = Int64GetDatum((int64) U64FromFullTransactionId(GetTopFullTransactionId()));
	events->nulls[EVENT_KEY_OF] = events->nulls[EVENT_KEY] = true;
	return true;
}

static void
flush_events(Events *events)
{
	if (events->n > 0)
		sd_plain_insert_many(events->rel, events->indexes, events->slots, events->n);
	for (int i = 0; i < events->n; i++)
		ExecClearTuple(events->slots[i]);
	events->n = 0;
}

static void
add_event(Events *events, int64 id, Datum target, bool no_target, int64 rows)
{
	TupleTableSlot *slot;

	if (events->n == MAX_EVENTS)
		flush_events(events);
	if (events->slots[events->n] == NULL)
		events->slots[events->n] = MakeSingleTupleTableSlot(RelationGetDescr(events->rel),
															&TTSOpsHeapTuple);
	slot = events->slots[events->n];
	draw_id(events, &events->ids[events->n]);
	events->values[EVENT_ID] = UUIDPGetDatum(&events->ids[events->n]);
	events->values[EVENT_DELETION_ID] = Int64GetDatum(id);
	events->values[EVENT_TARGET] = target;
	events->nulls[EVENT_TARGET] = no_target;
	events->values[EVENT_ROWS] = Int64GetDatum(rows);
	ExecStoreHeapTuple(heap_form_tuple(slot->tts_tupleDescriptor, events->values, events->nulls),
					   slot, true);
	events->n++;
}

static void
close_events(Events *events)
{
	flush_events(events);
	for (int i = 0; i < MAX_EVENTS && events->slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(events->slots[i]);
	CatalogCloseIndexes(events->indexes);
	table_close(events->rel, NoLock);
	CommandCounterIncrement();
}

static int
by_id(const void *a, const void *b)
{
	int64		id_a = ((const SdLogCount *) a)->id;
	int64		id_b = ((const SdLogCount *) b)->id;

	return id_a < id_b ? -1 : id_a > id_b;
}

/* Add n counts to the row at hand, those of tables that it names. */
static void
note_row(SdLogRows *rows, SdLogCount *counts, int n, Events *events, bool purged)
{
	TupleTableSlot *slot = rows->slot;
	Datum		values[LOG_COLUMNS];
	bool		nulls[LOG_COLUMNS];
	int			count = purged ? LOG_PURGED : LOG_RESTORED;
	int			at = purged ? LOG_PURGED_AT : LOG_RESTORED_AT;
	int			by = purged ? LOG_PURGED_BY : LOG_RESTORED_BY;
	int64		sum = 0;
	bool		found = false;
	HeapTuple	tuple;

	slot_getallattrs(slot);
	memcpy(values, slot->tts_values, sizeof(values));
	memcpy(nulls, slot->tts_isnull, sizeof(nulls));
	for (int i = 0; i < n; i++)
		if (sd_names_table(values[LOG_TABLES], counts[i].relid))
		{
			sum += counts[i].n;
			found = true;
		}
	if (!found)
		return;
	if (purged && !nulls[LOG_HELD_AT])
		raise_held(DatumGetInt64(values[LOG_ID]));
	values[count] = Int64GetDatum(DatumGetInt64(values[count]) + sum);
	values[at] = events->values[EVENT_AT];
	values[by] = events->values[EVENT_ROLE];
	nulls[at] = nulls[by] = false;
	tuple = heap_form_tuple(slot->tts_tupleDescriptor, values, nulls);
	sd_plain_update(rows->rel, rows->indexes, &slot->tts_tid, tuple);
	add_event(events, DatumGetInt64(values[LOG_ID]), values[LOG_TARGET], nulls[LOG_TARGET], sum);
	heap_freetuple(tuple);
}

/* false, and nothing is done, where it takes SQL */
static bool
note_directly(SdLogCount *counts, int n, Oid role, bool purged)
{
	Events	   *events = palloc(sizeof(Events));
	SdLogRows	rows;
	int			end;

	if (!open_events(events, role, purged ? "purged" : "restored"))
		return false;
	if (!sd_open_log_rows(&rows))
	{
		close_events(events);
		return false;
	}
	/* in one order, lest two sessions wait for each other */
	qsort(counts, n, sizeof(SdLogCount), by_id);
	for (int i = 0; i < n; i = end)
	{
		CHECK_FOR_INTERRUPTS();
		for (end = i + 1; end < n && counts[end].id == counts[i].id;)
			end++;
		if (sd_find_locked_log_row(&rows, counts[i].id, &counts[i].tid))
			note_row(&rows, &counts[i], end - i, events, purged);
	}
	sd_close_log_rows(&rows);
	close_events(events);
	pfree(events);
	return true;
}

/* ----------------------------------------------------------------
 *		by SQL
 * ----------------------------------------------------------------
 */

static void
note_by_sql(SdLogCount *counts, int n_counts, Oid role, bool purged)
{
	Oid			types[] = {INT8ARRAYOID, OIDARRAYOID, INT8ARRAYOID, NAMEOID,
		NAMEOID, TEXTOID, TEXTOID};
	Datum		values[7];
	char		nulls[] = "       ";
	bool		isnull;
	const char *what;
	int			n;

	count_arrays(counts, n_counts, &values[0], &values[1], &values[2]);
	values[3] = sd_log_role(role);
	/* in one order, lest two sessions wait for each other */
	if (n_counts > 1)
		sd_own_sql("SELECT FROM softdelete.deletion_log"
				   " WHERE id OPERATOR(pg_catalog.=) ANY ($1)"
				   " ORDER BY id FOR NO KEY UPDATE", 1, types, values);
	values[4] = sd_log_role(GetSessionUserId());
	values[5] = sd_log_text(sd_actor, &isnull);
	nulls[5] = isnull ? 'n' : ' ';
	values[6] = sd_log_text(sd_reason, &isnull);
	nulls[6] = isnull ? 'n' : ' ';
	what = purged ? "purged" : "restored";
	n = sd_own_sql_nulls(psprintf("WITH done AS (UPDATE softdelete.deletion_log AS l"
								  " SET %s = l.%s OPERATOR(pg_catalog.+) k.n,"
								  " %s_at = pg_catalog.now(), %s_by = $4"
								  " FROM (SELECT d.id, pg_catalog.sum(u.n)::pg_catalog.int8"
								  " FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) AS u(id, t, n),"
								  " softdelete.deletion_log AS d"
								  " WHERE d.id OPERATOR(pg_catalog.=) u.id AND u.t OPERATOR(pg_catalog.=) ANY (d.tables)"
								  " GROUP BY d.id) AS k(id, n)"
								  " WHERE l.id OPERATOR(pg_catalog.=) k.id RETURNING l.held_at, l.id, l.target, k.n),"
								  " noted AS (INSERT INTO softdelete.event_log"
								  " (at, what, deletion_id, target, rows, role, session_role, actor, reason, txid)"
								  " SELECT pg_catalog.now(), '%s', id, target, n, $4, $5, $6, $7, pg_catalog.txid_current() FROM done)"
								  " SELECT held_at, id FROM done",
								  what, what, what, what, what),
						 7, types, values, nulls);

	for (int row = 0; purged && row < n; row++)
	{
		(void) SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &isnull);
		if (!isnull)
			raise_held(DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row],
												   SPI_tuptable->tupdesc, 2, &isnull)));
	}
}

/*
 * Add to the log rows of earlier deletions how many of their rows were
 * restored or purged, when and by whom, and an event for each of them.  Raises
 * where a purged one turns out to be on hold.  SPI is connected.
 *
 * What a row says in deletion_id is not proof: whoever may INSERT can write any
 * number there.  So count only rows of tables that the deletion took rows from.
 */
void
sd_log_note_counts(SdLogCount *counts, int n, Oid role, bool purged)
{
	if (n > 0 && !note_directly(counts, n, role, purged))
		note_by_sql(counts, n, role, purged);
}

/* Append the counts to a list that has room for them; how many they are. */
int
sd_log_counts(HTAB *counts, SdLogCount *list)
{
	HASH_SEQ_STATUS scan;
	SdIdCount  *entry;
	int			n = 0;

	if (counts == NULL)
		return 0;
	hash_seq_init(&scan, counts);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		list[n].id = entry->key.id;
		list[n].relid = (Oid) entry->key.relid;
		ItemPointerSetInvalid(&list[n].tid);
		list[n++].n = entry->n;
	}
	return n;
}

/* The same from a hash of SdIdCount, or NULL. */
void
sd_log_note(HTAB *counts, Oid role, bool purged)
{
	SdLogCount *list;

	if (counts == NULL)
		return;
	list = MemoryContextAllocHuge(CurrentMemoryContext,
								  sizeof(SdLogCount) * (hash_get_num_entries(counts) + 1));
	sd_log_note_counts(list, sd_log_counts(counts, list), role, purged);
	pfree(list);
}
