/*
 * erase.c
 *		Erasing rows without a statement.
 *
 * Where no trigger or rule of a user has a say in it, a statement would but find
 * each row again and fire PostgreSQL's foreign-key triggers for each.  Here rows
 * go in the order of the heap, and one query for each key and batch sees that
 * nothing refers to them.  It comes after the erasure and sees all that is
 * committed then, which makes it as safe as PostgreSQL's own: whoever inserted a
 * referring row before holds a lock on the referred-to one, so erasing that
 * waited for him; whoever comes later waits for us, and fails.
 *
 * Called by batch.c, in a subtransaction; what it could not erase is for the
 * statement there.  No code of a user runs here but that of types and operators,
 * in the queries.  Owns no state.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "engine/keyquery.h"
#include "engine/keyset.h"
#include "engine/statement.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "purge/erase.h"
#include "tables/foreignkeys.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/*
 * Raises where the relation's rows may not be deleted for want of a replica
 * identity, as PostgreSQL does.
 */
bool
sd_may_erase_directly(Relation rel, SdTable *table)
{
	TriggerDesc *triggers = rel->trigdesc;
	ListCell   *lc;

	CheckCmdReplicaIdentity(rel, CMD_DELETE);
	if (rel->rd_rules != NULL)
		return false;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		/* in the other modes no trigger of a user fires at a purge */
		if (table->trigger_mode == SD_TRIGGERS_UPDATE &&
			TRIGGER_FOR_DELETE(trigger->tgtype) && !sd_is_own_trigger(trigger) &&
			RI_FKey_trigger_type(trigger->tgfoid) != RI_TRIGGER_PK)
			return false;
	}
	/* whose check takes more than an equal key */
	foreach(lc, table->children)
		if (((SdKey *) lfirst(lc))->temporal)
			return false;
	return true;
}

/* Which columns do foreign keys refer to? */
void
sd_find_key_columns(PurgeRun *run)
{
	ListCell   *lc;

	run->n_atts = 0;
	run->atts = palloc(sizeof(AttrNumber) * RelationGetNumberOfAttributes(run->rel));
	foreach(lc, run->table->children)
	{
		SdKey	   *key = lfirst(lc);

		for (int i = 0; i < key->n; i++)
		{
			int			j = 0;

			while (j < run->n_atts && run->atts[j] != key->own_atts[i])
				j++;
			if (j == run->n_atts)
				run->atts[run->n_atts++] = key->own_atts[i];
		}
	}
}

/* The batch's values of a key; rows with a NULL in it are referred to by none. */
static SdKeySet *
keys_of(PurgeRun *run, PurgeRows *batch, SdKey *key)
{
	SdKeySet   *set = sd_key_set(key, false, false, 0);
	int			at[INDEX_MAX_KEYS];

	for (int i = 0; i < key->n; i++)
	{
		for (at[i] = 0; run->atts[at[i]] != key->own_atts[i];)
			at[i]++;
		set->values[i] = repalloc_huge(set->values[i], sizeof(Datum) * Max(batch->n, 1));
	}
	for (int row = 0; row < batch->n; row++)
	{
		int			place = batch->rows[row].key * run->n_atts;
		bool		has_null = false;

		for (int i = 0; i < key->n; i++)
		{
			has_null |= batch->nulls[place + at[i]];
			set->values[i][set->n] = batch->values[place + at[i]];
		}
		if (!has_null)
			set->n++;
	}
	return set;
}

static bool
is_referred_to(PurgeRun *run, PurgeRows *batch)
{
	ListCell   *lc;

	foreach(lc, run->table->children)
	{
		SdKey	   *key = lfirst(lc);
		SdStatement reading = {SD_TASK_READ, .restricted = true};
		SdKeySet   *set = keys_of(run, batch, key);

		if (set->n > 0 &&
			sd_execute_key(SD_QUERY_LEFT, set, &reading, sd_owner_of(key->child),
						   SD_VIEW_LATEST, 1) > 0)
			return true;
		sd_key_set_free(set);
	}
	return false;
}

static inline uint64
place_of(const PurgeRow *row)
{
	return ((uint64) ItemPointerGetBlockNumberNoCheck(&row->tid) << 16) |
		ItemPointerGetOffsetNumberNoCheck(&row->tid);
}

static int
by_place(const void *a, const void *b)
{
	uint64		place_a = place_of(a);
	uint64		place_b = place_of(b);

	return place_a < place_b ? -1 : place_a > place_b;
}

/* Put them into the order of the heap. */
void
sd_sort_rows(PurgeRows *batch)
{
	for (int i = 1; i < batch->n; i++)
		if (place_of(&batch->rows[i - 1]) > place_of(&batch->rows[i]))
		{
			qsort(batch->rows, batch->n, sizeof(PurgeRow), by_place);
			break;
		}
}

/*
 * Erase the batch's rows, all or none: unless it returns SD_ERASED, the caller
 * has to roll back.
 */
SdErased
sd_erase_directly(PurgeRun *run, PurgeRows *batch)
{
	CommandId	command = GetCurrentCommandId(true);

	sd_sort_rows(batch);
	for (int i = 0; i < batch->n; i++)
	{
		TM_FailureData failure;

		CHECK_FOR_INTERRUPTS();
		if (table_tuple_delete(run->rel, &batch->rows[i].tid, command,
							   GetActiveSnapshot(), InvalidSnapshot, true,
							   &failure, false) != TM_Ok)
			return SD_CHANGED;
	}
	CommandCounterIncrement();
	return is_referred_to(run, batch) ? SD_REFERRED : SD_ERASED;
}
