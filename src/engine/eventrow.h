/*
 * eventrow.h
 *		Rows of softdelete.event_log, written without the executor.
 */
#ifndef SOFTDELETE_EVENTROW_H
#define SOFTDELETE_EVENTROW_H

#include "postgres.h"

#include "catalog/indexing.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"
#include "utils/relcache.h"
#include "utils/uuid.h"

/* columns of softdelete.event_log, as the extension's script creates them */
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
	EVENT_LAST_ID,
	EVENT_COLUMNS
};

/* events that are inserted together */
#define MAX_EVENTS 200

/* what an event says of many deletions */
typedef struct SdSpan
{
	Oid			target;			/* of all of them */
	int64		first;
	int64		last;
	int64		rows;
} SdSpan;

/* the events of one call */
typedef struct SdEvents
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
	bool		together;		/* one event for all deletions of a target ... */
	List	   *spans;			/* ... SdSpan: those so far */
} SdEvents;

extern bool sd_events_are_plain(void);
extern bool sd_open_events(SdEvents *events, Oid role, const char *what, bool together);
extern void sd_add_event(SdEvents *events, int64 id, Oid target, int64 rows);
extern List *sd_add_to_span(List *spans, int64 id, Oid target, int64 rows);
extern void sd_close_events(SdEvents *events);

#endif							/* SOFTDELETE_EVENTROW_H */
