/*
 * keyquery.c
 *		The engine's queries along a foreign key, and their kept plans.
 *
 * The plans are kept in a hash by constraint and kind, as ri_triggers.c does,
 * whose technique of discarding invalid ones is followed here, except that they
 * are freed at the end of the transaction, since a user's trigger within such a
 * query may come here again.  Owns that hash.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "engine/keyaccess.h"
#include "engine/keyquery.h"
#include "engine/keyset.h"
#include "engine/statement.h"
#include "miscadmin.h"
#include "tables/foreignkeys.h"
#include "utils/array.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define MAX_PARAMS (INDEX_MAX_KEYS + 2)

/* of the keys that are given to one run of a query, in bytes */
#define MAX_ARRAY_SIZE ((Size) 16 * 1024 * 1024)

/* from so many on it is looked first whether any could have a child */
#define MANY_KEYS 100

typedef struct PlanKey
{
	Oid			constraint_oid;
	Oid			parent;			/* not only by OID: they are reused */
	Oid			child;
	SdQueryKind kind;
	bool		many;
	bool		reading;		/* all of the table, see keyaccess.c */
} PlanKey;

typedef struct PlanEntry
{
	PlanKey		key;			/* hash key */
	SPIPlanPtr	plan;
	bool		by_index;		/* "fk = ANY ($1)", for which there is an index ... */
	bool		ordered;		/* ... of all rows, in an order that the keys have */
} PlanEntry;

static HTAB *plans = NULL;
static List *discarded = NIL;	/* plans, to be freed when nothing runs */

static void
free_discarded(XactEvent event, void *arg)
{
	ListCell   *lc;

	if (discarded == NIL)
		return;
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PREPARE)
		return;
	foreach(lc, discarded)
		SPI_freeplan(lfirst(lc));
	list_free(discarded);
	discarded = NIL;
}

void
sd_keyquery_init(void)
{
	HASHCTL		ctl = {0};

	RegisterXactCallback(free_discarded, NULL);

	ctl.keysize = sizeof(PlanKey);
	ctl.entrysize = sizeof(PlanEntry);
	plans = hash_create("softdelete plans", 32, &ctl, HASH_ELEM | HASH_BLOBS);
}

/*
 * The kept plan; SPI is connected.
 *
 * Keys by which an index finds the rows are looked up there, one after the other,
 * however many: one generic plan does.  Else they are joined with, and their number
 * decides how, so that is planned each time.  Where the table is to be read with the
 * operator "reading", the keys have to be known to the plan, to be hashed.
 */
static PlanEntry *
fetch_plan(SdQueryKind kind, SdKeySet *set, bool many, Oid reading, Oid role)
{
	PlanKey		key;
	PlanEntry  *entry;
	bool		found;
	Oid			types[MAX_PARAMS];
	int			nargs = set->key->n;
	Oid			operator = reading;
	SdKeyWay	way = SD_BY_JOIN;
	int			options = 0;
	SPIPlanPtr	plan;

	memset(&key, 0, sizeof(key));
	key.constraint_oid = set->key->oid;
	key.parent = set->key->parent;
	key.child = set->key->child;
	key.kind = kind;
	key.many = many;
	key.reading = OidIsValid(reading);
	entry = hash_search(plans, &key, HASH_ENTER, &found);
	if (!found)
		entry->plan = NULL;
	if (entry->plan && SPI_plan_is_valid(entry->plan))
		return entry;
	if (entry->plan)
	{
		/* it may be running, further out */
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		discarded = lappend(discarded, entry->plan);
		entry->plan = NULL;
		MemoryContextSwitchTo(old);
	}

	for (int i = 0; i < nargs; i++)
		types[i] = many ? get_array_type(set->types[i]) : set->types[i];
	if (kind == SD_QUERY_RESTORE)
		types[nargs++] = INT8OID;
	else if (kind == SD_QUERY_BETWEEN)
		types[nargs++] = set->types[0];

	if (many)
	{
		if (OidIsValid(reading))
			way = SD_BY_READING;
		else if (OidIsValid(operator = sd_key_index_operator(kind, set)))
			way = SD_BY_INDEX;
		options = way == SD_BY_INDEX ? CURSOR_OPT_GENERIC_PLAN : CURSOR_OPT_CUSTOM_PLAN;
	}
	plan = sd_prepare(sd_key_query_text(kind, set, many, way, operator), nargs, types, role,
					  options);
	SPI_keepplan(plan);
	entry = hash_search(plans, &key, HASH_ENTER, &found);
	entry->plan = plan;
	entry->by_index = way == SD_BY_INDEX;
	entry->ordered = entry->by_index && kind == SD_QUERY_MARK &&
		OidIsValid(sd_key_ordering(set)) &&
		OidIsValid(sd_key_index_operator(SD_QUERY_RESTORE, set));
	return entry;
}

/* some of the keys' values in one column, as an array */
Datum
sd_keys_array(SdKeySet *set, int column, int first, int n)
{
	int16		len;
	bool		byval;
	char		align;

	get_typlenbyvalalign(set->types[column], &len, &byval, &align);
	return PointerGetDatum(construct_array(set->values[column] + first, n,
										   set->types[column],
										   len, byval, align));
}

/*
 * How many keys, from first on, go into one run: an array has a limit, and the
 * memory that it takes should have one.
 */
int
sd_keys_per_run(SdKeySet *set, int first)
{
	Size		size[INDEX_MAX_KEYS] = {0};
	int			n = set->n - first;

	for (int i = 0; i < set->key->n; i++)
	{
		if (set->lens[i] > 0)
		{
			n = Min(n, (int) (MAX_ARRAY_SIZE / set->lens[i]));
			continue;
		}
		for (int row = 0; row < n; row++)
		{
			size[i] += sd_key_size(set, i, first + row);
			if (size[i] > MAX_ARRAY_SIZE)
				n = Max(row, 1);
		}
	}
	return n;
}

/*
 * Could any of these keys have a child?  Not where no row refers to any between the
 * smallest and the largest: one look into the index, in place of one for each key.
 */
static bool
may_have_children(SdKeySet *set, int first, int n, Oid role)
{
	SdStatement statement = {SD_TASK_READ, .by_index = true};
	FmgrInfo   *compare = &lookup_type_cache(set->types[0], TYPECACHE_CMP_PROC_FINFO)->cmp_proc_finfo;
	Datum	   *keys = set->values[0] + first;
	Datum		values[3] = {keys[0], keys[0]};

	for (int i = 1; i < n; i++)
	{
		if (DatumGetInt32(FunctionCall2(compare, keys[i], values[0])) < 0)
			values[0] = keys[i];
		else if (DatumGetInt32(FunctionCall2(compare, keys[i], values[1])) > 0)
			values[1] = keys[i];
	}
	sd_execute(fetch_plan(SD_QUERY_BETWEEN, set, false, InvalidOid, role)->plan, values, &statement, role,
			   false, SD_VIEW_LATEST, 1);
	return SPI_processed > 0;
}

/*
 * Run one of the queries above for all keys of the set: many at once, or key by
 * key where the type has no array type.  read, unless NULL, is called after each
 * run, whose rows SPI_tuptable holds.  Returns the rows that were processed, of
 * the SELECTs no more than limit (0: all).  Needs SPI to be connected.
 */
int
sd_execute_key_reading(SdQueryKind kind, SdKeySet *set, SdStatement *statement,
					   Oid role, SdView view, long limit,
					   void (*read) (SdKeySet *set, void *arg), void *arg)
{
	Datum		values[MAX_PARAMS];
	int			n = set->key->n;
	bool		arrays = set->n > 1;
	int			processed = 0;
	int			run;

	for (int i = 0; i < n; i++)
		if (!OidIsValid(get_array_type(set->types[i])))
			arrays = false;

	for (int first = 0; first < set->n; first += run)
	{
		PlanEntry  *entry;

		CHECK_FOR_INTERRUPTS();
		run = arrays ? sd_keys_per_run(set, first) : 1;
		entry = fetch_plan(kind, set, arrays, InvalidOid, role);
		if (arrays && entry->ordered && run >= MANY_KEYS &&
			!may_have_children(set, first, run, role))
			continue;
		if (arrays && run >= MANY_KEYS && (kind == SD_QUERY_MARK || kind == SD_QUERY_RESTORE))
		{
			Oid			reading = sd_key_reading_operator(kind, set, first, run);

			if (OidIsValid(reading))
				entry = fetch_plan(kind, set, true, reading, role);
		}
		for (int i = 0; i < n; i++)
			values[i] = arrays ? sd_keys_array(set, i, first, run) : set->values[i][first];
		values[n] = Int64GetDatum(set->id);
		statement->by_index = entry->by_index;
		sd_execute(entry->plan, values, statement, role, false, view, limit);
		for (int i = 0; arrays && i < n; i++)
			pfree(DatumGetPointer(values[i]));
		processed += SPI_processed;
		if (read)
			read(set, arg);
		if (limit > 0 && processed >= limit)
			break;
	}
	return processed;
}

/* The same; SPI_tuptable holds the rows of the last run. */
int
sd_execute_key(SdQueryKind kind, SdKeySet *set, SdStatement *statement,
			   Oid role, SdView view, long limit)
{
	return sd_execute_key_reading(kind, set, statement, role, view, limit, NULL, NULL);
}
