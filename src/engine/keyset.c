/*
 * keyset.c
 *		Keys of rows, by foreign key.
 *
 * In memory of whoever makes the set; owns no state.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "engine/keyset.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "tables/foreignkeys.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* An empty set, in the current memory context. */
SdKeySet *
sd_key_set(SdKey *key, bool restored, bool of_parents, int64 id)
{
	SdKeySet   *set = palloc0(sizeof(SdKeySet));

	set->key = key;
	set->restored = restored;
	set->of_parents = of_parents;
	set->id = id;
	set->allocated = 8;
	set->types = palloc(sizeof(Oid) * key->n);
	set->lens = palloc(sizeof(int16) * key->n);
	set->byvals = palloc(sizeof(bool) * key->n);
	set->values = palloc(sizeof(Datum *) * key->n);
	for (int i = 0; i < key->n; i++)
	{
		set->types[i] = of_parents ?
			get_atttype(key->child, key->child_atts[i]) :
			get_atttype(key->parent, key->parent_atts[i]);
		get_typlenbyval(set->types[i], &set->lens[i], &set->byvals[i]);
		set->values[i] = palloc(sizeof(Datum) * set->allocated);
	}
	return set;
}

/* Free it.  Values passed by reference stay until the context goes. */
void
sd_key_set_free(SdKeySet *set)
{
	for (int i = 0; i < set->key->n; i++)
		pfree(set->values[i]);
	pfree(set->values);
	pfree(set->byvals);
	pfree(set->lens);
	pfree(set->types);
	pfree(set);
}

/*
 * Add one row's key, copied into the current memory context.  The same key
 * twice in a row (children of one parent) is kept once.
 */
void
sd_key_set_add(SdKeySet *set, const Datum *values)
{
	int			n = set->key->n;
	bool		same = set->n > 0;

	for (int i = 0; same && i < n; i++)
		same = datumIsEqual(values[i], set->values[i][set->n - 1], set->byvals[i],
							set->lens[i]);
	if (same)
		return;

	if (set->n == set->allocated)
	{
		set->allocated *= 2;
		for (int i = 0; i < n; i++)
			set->values[i] = repalloc_huge(set->values[i],
										   sizeof(Datum) * set->allocated);
	}
	for (int i = 0; i < n; i++)
		set->values[i][set->n] = datumCopy(values[i], set->byvals[i], set->lens[i]);
	set->n++;
}

/* The set of these keys in the list; an empty one is added where there is none. */
SdKeySet *
sd_key_set_find(List **list, SdKey *key, bool restored, bool of_parents, int64 id,
				CommandId before)
{
	ListCell   *lc;
	SdKeySet   *set;

	foreach(lc, *list)
	{
		set = lfirst(lc);
		if (set->key->oid == key->oid && set->restored == restored &&
			set->of_parents == of_parents && set->id == id && set->before == before)
			return set;
	}
	set = sd_key_set(key, restored, of_parents, id);
	set->before = before;
	*list = lappend(*list, set);
	return set;
}

/* the bytes that a value has in an array, which holds none that are compressed */
Size
sd_key_size(SdKeySet *set, int column, int row)
{
	Datum		value = set->values[column][row];

	return set->lens[column] == -1 ? toast_raw_datum_size(value) :
		datumGetSize(value, set->byvals[column], set->lens[column]);
}
