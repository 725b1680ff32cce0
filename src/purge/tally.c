/*
 * tally.c
 *		What a purge has to tell the log, kept until it pays to write it.
 *
 * Batches are erased in subtransactions.  A log row that each batch locked and
 * wrote anew would get a version and a MultiXact a batch.  So a deletion's row is
 * locked once, in the transaction around the batches and before the first of the
 * deletion's rows is erased (from then on nobody can put it on hold), and
 * written once, when the table is done or many deletions have come together.  Where
 * all of a deletion is to go in one batch, it is written ahead instead of locked.
 *
 * Called by batch.c, cycle.c, purge.c and step.c; runs SQL as the owner of the
 * log.  Memory: some 100 bytes for each of at most MAX_KNOWN deletions and those
 * of a batch.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "engine/counts.h"
#include "engine/eventrow.h"
#include "engine/loglock.h"
#include "engine/lognote.h"
#include "mark/guard.h"
#include "miscadmin.h"
#include "purge/tally.h"
#include "utils/memutils.h"

#define MAX_KNOWN 100000

/* a deletion whose log row is locked, if it has one */
typedef struct Known
{
	int64		id;				/* hash key */
	bool		held;
	bool		waits;			/* its rows have to wait: for ever, or ... */
	bool		for_ever;
	Interval	retention;		/* ... for so long */
	bool		stays;			/* it was so for some */
	char		status;			/* simplehash's */
	ItemPointerData tid;		/* where the log's row is ... */
	Oid			target;			/* ... what it says of that ... */
	int64		ahead;			/* ... and how many rows, of those to come, are purged */
	Oid			relid;			/* the topmost table of ... */
	int64		n;				/* ... rows that were erased one like the other */
	int64		going;			/* its rows in the batch that it came with */
} Known;

/* looked up for every row, and so inlined */
#define SH_PREFIX known
#define SH_ELEMENT_TYPE Known
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(table, key) murmurhash32((uint32) (key) ^ (uint32) ((key) >> 32))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct SdTally
{
	MemoryContext context;
	SdLonger   *longer;			/* tables whose rows others may wait for, or NULL */
	bool		asked;			/* whether rows of the log ... */
	bool		may_be_ahead;	/* ... may be written ahead */
	known_hash *known;
	HTAB	   *counts;			/* SdIdCount: other rows erased, or NULL */
	int64	   *latest;			/* the deletions that came to be known last */
	int			n_latest;
	List	   *spans;			/* SdSpan: those of which the log says already what became of them */
};

static void
start(SdTally *tally)
{
	MemoryContextReset(tally->context);
	tally->known = known_create(tally->context, 64, NULL);
	tally->counts = NULL;
	tally->latest = NULL;
	tally->n_latest = 0;
	tally->spans = NIL;
}

/* An empty one, in the current memory context; for one transaction. */
SdTally *
sd_tally_begin(void)
{
	SdTally    *tally = palloc0(sizeof(SdTally));

	tally->context = AllocSetContextCreate(CurrentMemoryContext, "softdelete tally",
										   ALLOCSET_DEFAULT_SIZES);
	start(tally);
	return tally;
}

/* Rows of this table wait for rows of those that their deletion took, too. */
void
sd_tally_wait_for(SdTally *tally, SdLonger *longer)
{
	tally->longer = sd_longer_of_both(tally->longer, longer);
}

/* what row_seen() needs */
typedef struct Seeing
{
	SdTally    *tally;
	bool		all_known;		/* else: are there any that have to stay? */
	bool		any_stays;
} Seeing;

static void
row_seen(void *argument, SdLogRowFacts *row)
{
	Seeing	   *seeing = argument;
	Known		stray;
	Known	   *known = seeing->all_known ? known_lookup(seeing->tally->known, row->id) : &stray;

	if (row->tid != NULL)
		known->tid = *row->tid;
	known->target = row->target;
	known->ahead = row->ahead;
	known->held = row->held;
	known->waits = seeing->tally->longer != NULL &&
		sd_has_to_wait(seeing->tally->longer, row->target, row->tables, &known->for_ever,
					   &known->retention);
	seeing->any_stays |= known->held || known->waits;
}

static int64
rows_going(void *argument, int64 id)
{
	return known_lookup(((Seeing *) argument)->tally->known, id)->going;
}

static bool
may_be_ahead(SdTally *tally)
{
	if (!tally->asked)
		tally->may_be_ahead = sd_log_may_be_ahead();
	tally->asked = true;
	/* which of its rows have to wait is not known before the row is locked */
	return tally->may_be_ahead && tally->longer == NULL;
}

/*
 * Forget deletions of the last batch whose rows of the log were written ahead and are
 * right, but for the event: a small hash is a fast one.
 */
static void
forget_settled(SdTally *tally)
{
	MemoryContext old = MemoryContextSwitchTo(tally->context);

	for (int i = 0; i < tally->n_latest; i++)
	{
		Known	   *known = known_lookup(tally->known, tally->latest[i]);

		if (known->ahead == 0 || known->ahead != known->n)
			continue;
		tally->spans = sd_add_to_span(tally->spans, known->id, known->target, known->n);
		known_delete_item(tally->known, known);
	}
	tally->n_latest = 0;
	MemoryContextSwitchTo(old);
}

/*
 * Get to know the deletions of n rows (0 is none) before rows of them are erased.
 * going: all of these rows are likely to go, and this is their topmost table.
 */
void
sd_tally_lock(SdTally *tally, int64 *ids, int n, Oid going)
{
	int64	   *unknown;
	int			n_unknown = 0;
	Seeing		seeing = {tally, true, false};
	SdLogLock	lock = {row_seen, NULL, going, &seeing};
	Known	   *known = NULL;

	forget_settled(tally);
	if (tally->known->members >= MAX_KNOWN)
		sd_tally_write(tally);
	if (tally->latest != NULL)
		pfree(tally->latest);
	tally->latest = unknown = MemoryContextAlloc(tally->context, sizeof(int64) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		bool		found = true;

		if (ids[i] == 0)
			continue;
		/* rows of one deletion mostly lie side by side */
		if (known == NULL || known->id != ids[i])
			known = known_insert(tally->known, ids[i], &found);
		if (found)
		{
			known->going++;
			continue;
		}
		known->held = known->waits = known->stays = false;
		known->relid = going;
		known->n = known->ahead = 0;
		known->going = 1;
		ItemPointerSetInvalid(&known->tid);
		unknown[n_unknown++] = ids[i];
	}
	if (n_unknown > 0 && OidIsValid(going) && may_be_ahead(tally))
		lock.going = rows_going;
	if (n_unknown > 0)
		sd_lock_log_rows(unknown, n_unknown, &lock);
	tally->n_latest = n_unknown;
}

/* Must the rows of that deletion stay?  It is known. */
bool
sd_tally_holds(SdTally *tally, int64 id)
{
	Known	   *known = known_lookup(tally->known, id);

	return known != NULL && known->held;
}

/* Has a row of that deletion to wait that was deleted at that time (of that type)? */
bool
sd_tally_waits(SdTally *tally, int64 id, Datum time, Oid type, TimestampTz now)
{
	Known	   *known = known_lookup(tally->known, id);

	if (known == NULL || !known->waits ||
		(!known->for_ever && sd_is_over(time, type, &known->retention, now)))
		return false;
	known->stays = true;
	return true;
}

/*
 * Foreign keys may have erased rows of other deletions: raise where one of them
 * has to wait or, of those that are not known, is on hold or may have to wait.
 * Within the subtransaction of the batch, so it does not get to know them.
 */
void
sd_tally_check(SdTally *tally, HTAB *counts)
{
	HASH_SEQ_STATUS scan;
	SdIdCount  *entry;
	Seeing		seeing = {tally, false, false};
	SdLogLock	lock = {row_seen, NULL, InvalidOid, &seeing};
	int64	   *unknown;
	int			n = 0;

	if (counts == NULL)
		return;
	unknown = palloc(sizeof(int64) * hash_get_num_entries(counts));
	hash_seq_init(&scan, counts);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		Known	   *known = known_lookup(tally->known, entry->key.id);

		if (known == NULL)
			unknown[n++] = entry->key.id;
		else
			seeing.any_stays |= known->stays;
	}
	if (n > 0)
		sd_lock_log_rows(unknown, n, &lock);
	if (seeing.any_stays)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("purge would take a row along that has to stay")));
	pfree(unknown);
}

/* The rows counted there were erased, and will stay so. */
void
sd_tally_add(SdTally *tally, HTAB *counts)
{
	sd_add_counts(&tally->counts, tally->context, counts);
}

/* The same for n rows of a known deletion and a table (topmost). */
void
sd_tally_count(SdTally *tally, int64 id, Oid relid, int64 n)
{
	Known	   *known = known_lookup(tally->known, id);

	if (known == NULL)
		return;					/* of none */
	known->relid = relid;
	known->n += n;
}

/* Write it to the log and start anew. */
void
sd_tally_write(SdTally *tally)
{
	SdLogCount *list;
	known_iterator scan;
	Known	   *known;
	int			n;

	forget_settled(tally);
	list = MemoryContextAllocHuge(tally->context,
								  sizeof(SdLogCount) *
								  (tally->known->members +
								   (tally->counts ? hash_get_num_entries(tally->counts) : 0) + 1));
	n = sd_log_counts(tally->counts, list);
	known_start_iterate(tally->known, &scan);
	while ((known = known_iterate(tally->known, &scan)) != NULL)
	{
		if (known->n == 0 && known->ahead == 0)
			continue;
		list[n].id = known->id;
		list[n].relid = known->relid;
		list[n].target = known->target;
		list[n].ahead = known->ahead;
		list[n].tid = known->tid;
		list[n++].n = known->n;
	}
	sd_log_note_counts(list, n, GetUserId(), SD_NOTE_EXPIRED, tally->spans);
	start(tally);
}
