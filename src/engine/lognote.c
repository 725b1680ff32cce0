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
#include "engine/eventrow.h"
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

static int
by_id(const void *a, const void *b)
{
	int64		id_a = ((const SdLogCount *) a)->id;
	int64		id_b = ((const SdLogCount *) b)->id;

	return id_a < id_b ? -1 : id_a > id_b;
}

/*
 * Add n counts to the row at hand, those of tables that it names; less what was
 * written ahead.
 */
static void
note_row(SdLogRows *rows, SdLogCount *counts, int n, SdEvents *events, bool purged)
{
	TupleTableSlot *slot = rows->slot;
	Datum		values[LOG_COLUMNS];
	bool		nulls[LOG_COLUMNS];
	int			count = purged ? LOG_PURGED : LOG_RESTORED;
	int			at = purged ? LOG_PURGED_AT : LOG_RESTORED_AT;
	int			by = purged ? LOG_PURGED_BY : LOG_RESTORED_BY;
	int64		sum = 0;
	int64		ahead = 0;
	bool		found = false;

	slot_getallattrs(slot);
	memcpy(values, slot->tts_values, sizeof(values));
	memcpy(nulls, slot->tts_isnull, sizeof(nulls));
	for (int i = 0; i < n; i++)
		if (sd_names_table(values[LOG_TABLES], counts[i].relid))
		{
			sum += counts[i].n;
			ahead += counts[i].ahead;
			found = true;
		}
	if (!found)
		return;
	if (purged && !nulls[LOG_HELD_AT])
		raise_held(DatumGetInt64(values[LOG_ID]));
	values[count] = Int64GetDatum(DatumGetInt64(values[count]) + sum - ahead);
	values[at] = events->values[EVENT_AT];
	values[by] = events->values[EVENT_ROLE];
	/* written ahead are rows of which nothing was purged before */
	nulls[at] = nulls[by] = ahead > 0 && sum == 0;
	if (ahead == 0 || sum != ahead)
	{
		HeapTuple	tuple = heap_form_tuple(slot->tts_tupleDescriptor, values, nulls);

		sd_plain_update(rows->rel, rows->indexes, &slot->tts_tid, tuple);
		heap_freetuple(tuple);
	}
	if (ahead == 0 || sum > 0)
		sd_add_event(events, DatumGetInt64(values[LOG_ID]),
					 nulls[LOG_TARGET] ? InvalidOid : DatumGetObjectId(values[LOG_TARGET]), sum);
}

/* false, and nothing is done, where it takes SQL */
static bool
note_directly(SdLogCount *counts, int n, Oid role, SdNote note, List *spans)
{
	SdEvents   *events = palloc(sizeof(SdEvents));
	bool		purged = note != SD_NOTE_RESTORED;
	SdLogRows	rows;
	int			end;

	if (!sd_open_events(events, role, purged ? "purged" : "restored", note == SD_NOTE_EXPIRED))
		return false;
	if (!sd_open_log_rows(&rows))
	{
		sd_close_events(events);
		return false;
	}
	events->spans = spans;
	/* in one order, lest two sessions wait for each other */
	qsort(counts, n, sizeof(SdLogCount), by_id);
	for (int i = 0; i < n; i = end)
	{
		CHECK_FOR_INTERRUPTS();
		for (end = i + 1; end < n && counts[end].id == counts[i].id;)
			end++;
		if (end == i + 1 && counts[i].ahead > 0 && counts[i].ahead == counts[i].n)
			sd_add_event(events, counts[i].id, counts[i].target, counts[i].n);
		else if (sd_find_locked_log_row(&rows, counts[i].id, &counts[i].tid))
			note_row(&rows, &counts[i], end - i, events, purged);
	}
	sd_close_log_rows(&rows);
	sd_close_events(events);
	pfree(events);
	return true;
}

/* ----------------------------------------------------------------
 *		by SQL
 * ----------------------------------------------------------------
 */

static void
note_by_sql(SdLogCount *counts, int n_counts, Oid role, SdNote note)
{
	Oid			types[] = {INT8ARRAYOID, OIDARRAYOID, INT8ARRAYOID, TEXTOID,
		TEXTOID, TEXTOID, TEXTOID, BOOLOID};
	Datum		values[8];
	char		nulls[] = "        ";
	bool		purged = note != SD_NOTE_RESTORED;
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
	values[7] = BoolGetDatum(note == SD_NOTE_EXPIRED);
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
								  " (at, what, deletion_id, last_id, target, rows, role, session_role, actor, reason, txid)"
								  " SELECT pg_catalog.now(), '%s', pg_catalog.min(id),"
								  " NULLIF(pg_catalog.max(id), pg_catalog.min(id)), target, pg_catalog.sum(n),"
								  " $4, $5, $6, $7, pg_catalog.txid_current() FROM done"
								  " GROUP BY target, CASE WHEN $8 THEN NULL ELSE id END)"
								  " SELECT held_at, id FROM done",
								  what, what, what, what, what),
						 8, types, values, nulls);

	for (int row = 0; purged && row < n; row++)
	{
		(void) SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &isnull);
		if (!isnull)
			raise_held(DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row],
												   SPI_tuptable->tupdesc, 2, &isnull)));
	}
}

/* May rows of the log be written ahead?  Only where what is to be added later on takes no SQL. */
bool
sd_log_may_be_ahead(void)
{
	return !IsolationUsesXactSnapshot() && sd_events_are_plain();
}

/*
 * Add to the log rows of earlier deletions how many of their rows were
 * restored or purged, when and by whom, and an event for each of them.  Raises
 * where a purged one turns out to be on hold.  SPI is connected.
 *
 * What a row says in deletion_id is not proof: whoever may INSERT can write any
 * number there.  So count only rows of tables that the deletion took rows from.
 *
 * spans: SdSpan, of expired rows of which the log knows already; have but events.
 */
void
sd_log_note_counts(SdLogCount *counts, int n, Oid role, SdNote note, List *spans)
{
	bool		ahead = spans != NIL;

	if ((n == 0 && !ahead) || note_directly(counts, n, role, note, spans))
		return;
	for (int i = 0; i < n; i++)
		ahead |= counts[i].ahead > 0;
	if (ahead)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the log was given triggers or the like during the purge"),
				 errhint("Purge again.")));
	note_by_sql(counts, n, role, note);
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
		list[n].ahead = 0;
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
	sd_log_note_counts(list, sd_log_counts(counts, list), role,
					   purged ? SD_NOTE_PURGED : SD_NOTE_RESTORED, NIL);
	pfree(list);
}
