/*
 * eventrow.c
 *		Rows of softdelete.event_log, written without the executor.
 *
 * One for each deletion of which rows were restored or purged; or one for all those
 * that a purge of expired rows writes down at once, since it may have erased a row
 * each of very many.
 *
 * Called by lognote.c.  Keeps nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/guc.h"
#include "base/own_objects.h"
#include "engine/eventrow.h"
#include "engine/logrow.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/*
 * A UUID of version 7: the time in milliseconds, a number that counts up, and what
 * is random for as long as this call.  Such ids come to lie side by side in the
 * index.
 */
static void
draw_id(SdEvents *events, pg_uuid_t *id)
{
	uint32		drawn = events->drawn++;

	*id = events->base;
	id->data[6] = 0x70 | ((drawn >> 24) & 0x0f);
	id->data[7] = drawn >> 16;
	id->data[8] = 0x80 | ((drawn >> 10) & 0x3f);
	id->data[9] = drawn >> 2;
	id->data[10] = (events->base.data[10] & 0x3f) | (drawn << 6);
}

/* Open the table; false, and nothing is open, where events have to be written by SQL. */
static bool
open_table(SdEvents *events)
{
	events->rel = table_open(get_relname_relid("event_log", sd_objects()->schema),
							 RowExclusiveLock);
	events->indexes = CatalogOpenIndexes(events->rel);
	if (sd_is_plain_table(events->rel, events->indexes) &&
		RelationGetNumberOfAttributes(events->rel) == EVENT_COLUMNS)
		return true;
	CatalogCloseIndexes(events->indexes);
	table_close(events->rel, NoLock);
	return false;
}

/* Will sd_open_events() be true? */
bool
sd_events_are_plain(void)
{
	SdEvents	events;

	if (!open_table(&events))
		return false;
	CatalogCloseIndexes(events.indexes);
	table_close(events.rel, NoLock);
	return true;
}

/*
 * Begin to write events.  With together, all deletions of a target have one.
 * false, and nothing is open, where events have to be written by SQL.
 */
bool
sd_open_events(SdEvents *events, Oid role, const char *what, bool together)
{
	uint64		ms = (GetCurrentTimestamp() +
					  (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY) / 1000;

	memset(events, 0, sizeof(SdEvents));
	if (!open_table(events))
		return false;
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
	events->together = together;
	return true;
}

static void
flush_events(SdEvents *events)
{
	if (events->n > 0)
		sd_plain_insert_many(events->rel, events->indexes, events->slots, events->n);
	for (int i = 0; i < events->n; i++)
		ExecClearTuple(events->slots[i]);
	events->n = 0;
}

static void
write_event(SdEvents *events, int64 first, int64 last, Oid target, int64 rows)
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
	events->values[EVENT_DELETION_ID] = Int64GetDatum(first);
	events->values[EVENT_LAST_ID] = Int64GetDatum(last);
	events->nulls[EVENT_LAST_ID] = first == last;
	events->values[EVENT_TARGET] = ObjectIdGetDatum(target);
	events->nulls[EVENT_TARGET] = !OidIsValid(target);
	events->values[EVENT_ROWS] = Int64GetDatum(rows);
	ExecStoreHeapTuple(heap_form_tuple(slot->tts_tupleDescriptor, events->values, events->nulls),
					   slot, true);
	events->n++;
}

/* Add rows of a deletion to what is said of those of its target (or none). */
List *
sd_add_to_span(List *spans, int64 id, Oid target, int64 rows)
{
	SdSpan	   *span;
	ListCell   *lc;

	foreach(lc, spans)
	{
		span = lfirst(lc);
		if (span->target != target)
			continue;
		span->first = Min(span->first, id);
		span->last = Max(span->last, id);
		span->rows += rows;
		return spans;
	}
	span = palloc(sizeof(SdSpan));
	span->target = target;
	span->first = span->last = id;
	span->rows = rows;
	return lappend(spans, span);
}

/* Rows of a deletion of that target (or none). */
void
sd_add_event(SdEvents *events, int64 id, Oid target, int64 rows)
{
	if (events->together)
		events->spans = sd_add_to_span(events->spans, id, target, rows);
	else
		write_event(events, id, id, target, rows);
}

void
sd_close_events(SdEvents *events)
{
	ListCell   *lc;

	foreach(lc, events->spans)
	{
		SdSpan	   *span = lfirst(lc);

		write_event(events, span->first, span->last, span->target, span->rows);
	}
	flush_events(events);
	for (int i = 0; i < MAX_EVENTS && events->slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(events->slots[i]);
	CatalogCloseIndexes(events->indexes);
	table_close(events->rel, NoLock);
	CommandCounterIncrement();
}
