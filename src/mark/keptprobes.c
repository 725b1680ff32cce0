/*
 * keptprobes.c
 *		The looks for deleted keys that a statement keeps open for all its rows.
 *
 * A look costs as much to open and close as to take (keyprobe.c, nothingdeleted.c).
 * What is open hangs on the trigger's FmgrInfo, in memory that goes when the statement
 * is done: the executor's, or that which a COPY gets from ddl/utility.c, since its
 * triggers have none of their own.  With the memory, what is open is closed.
 *
 * Owns the stack of COPYs in progress.
 */
#include "postgres.h"

#include "access/xact.h"
#include "engine/frame.h"
#include "mark/keptprobes.h"
#include "mark/nothingdeleted.h"
#include "nodes/execnodes.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct Probes
{
	List	   *list;			/* SdProbe */
	SdDeletedIndex deleted;		/* see sd_kept_is_nothing_deleted() */
	MemoryContext memory;
	ResourceOwner owner;		/* of what they have open */
	MemoryContextCallback at_end;
} Probes;

static SdCopyProbes *current = NULL;

void
sd_copy_probes_begin(SdCopyProbes *copy)
{
	copy->outer = current;
	copy->memory = NULL;
	copy->owner = CurrentResourceOwner;
	current = copy;
}

/* What a COPY that has failed leaves open is the resource owner's to close. */
void
sd_copy_probes_end(SdCopyProbes *copy, bool done)
{
	current = copy->outer;
	if (done && copy->memory != NULL)
		MemoryContextDelete(copy->memory);
}

/*
 * The statement's memory goes: at its end.  What an error leaves open is for the
 * resource owner, which closes it, too, when the transaction aborts.
 */
static void
close_probes(void *arg)
{
	Probes	   *probes = arg;
	ResourceOwner before = CurrentResourceOwner;
	ListCell   *lc;

	if (!IsTransactionState())
		return;
	CurrentResourceOwner = probes->owner;
	foreach(lc, probes->list)
		sd_close_probe(lfirst(lc));
	if (probes->deleted.index != NULL)
		sd_close_deleted_index(&probes->deleted);
	CurrentResourceOwner = before;
}

/* Memory that goes with the statement whose trigger this is; NULL if it has none. */
static MemoryContext
memory_of_statement(FmgrInfo *trigger)
{
	if (sd_frame != NULL && sd_frame->query->estate->es_query_cxt == trigger->fn_mcxt)
		return trigger->fn_mcxt;
	if (current == NULL || current->owner != CurrentResourceOwner)
		return NULL;
	if (current->memory == NULL)
		current->memory = AllocSetContextCreate(CurTransactionContext, "softdelete keys of a COPY",
												ALLOCSET_SMALL_SIZES);
	return current->memory;
}

/*
 * What the statement keeps open; NULL where it cannot.  In a subtransaction of the
 * statement's nothing is opened that would have to outlast it.
 */
static Probes *
kept_probes(FmgrInfo *trigger)
{
	Probes	   *probes = trigger->fn_extra;
	MemoryContext memory;

	if (probes != NULL)
		return probes;
	memory = memory_of_statement(trigger);
	if (memory == NULL)
		return NULL;
	probes = MemoryContextAllocZero(memory, sizeof(Probes));
	probes->memory = memory;
	probes->owner = CurrentResourceOwner;
	probes->at_end.func = close_probes;
	probes->at_end.arg = probes;
	MemoryContextRegisterResetCallback(memory, &probes->at_end);
	trigger->fn_extra = probes;
	return probes;
}

/* The statement's probe of this key, opened where it is the first row; or NULL. */
SdProbe *
sd_kept_probe(FmgrInfo *trigger, Relation rel, SdHeldKey *key)
{
	Probes	   *probes = kept_probes(trigger);
	MemoryContext old;
	SdProbe    *probe;
	ListCell   *lc;

	if (probes == NULL)
		return NULL;
	foreach(lc, probes->list)
	{
		probe = lfirst(lc);
		if (probe->indexoid == key->index)
			return probe;
	}
	if (probes->owner != CurrentResourceOwner)
		return NULL;
	old = MemoryContextSwitchTo(probes->memory);
	probe = palloc(sizeof(SdProbe));
	sd_open_probe(probe, rel, key);
	probes->list = lappend(probes->list, probe);
	MemoryContextSwitchTo(old);
	return probe;
}

/*
 * Is nothing of the table deleted, so that no key needs to be looked for?  Once
 * something was, the next statements are spared the question until VACUUM, or
 * whatever else, changes what is known of the table.
 */
bool
sd_kept_is_nothing_deleted(FmgrInfo *trigger, SdTable *table)
{
	SdDeletedIndex once = {0};
	Probes	   *probes;
	SdDeletedIndex *look;
	bool		nothing;

	if (table->had_deleted || !OidIsValid(table->deleted_index))
		return false;
	probes = kept_probes(trigger);
	look = probes != NULL && probes->owner == CurrentResourceOwner ? &probes->deleted : &once;
	if (look->index == NULL)
		sd_open_deleted_index(look, table->deleted_index);
	else if (RelationGetRelid(look->index) != table->deleted_index)
		return false;
	nothing = sd_is_nothing_deleted(look);
	if (look == &once)
		sd_close_deleted_index(look);
	table->had_deleted = !nothing;
	return nothing;
}
