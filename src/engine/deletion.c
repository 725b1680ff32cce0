/*
 * deletion.c
 *		The deletions of the running transaction.
 *
 * Applications delete children and parent in statements of their own, within
 * one transaction.  So all that a transaction marks under one role, actor and
 * reason gets one deletion id.  The ids are kept here, in TopTransactionContext,
 * and go when the transaction ends; what a subtransaction drew goes when it is
 * rolled back.  How many rows there are is not known here: the log row holds
 * that (log.c), so a rolled back savepoint takes its share away by itself.
 *
 * Called by operation.c and log.c.  Runs no SQL.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/guc.h"
#include "base/own_objects.h"
#include "commands/sequence.h"
#include "engine/deletion.h"
#include "nodes/pg_list.h"
#include "tables/cluster.h"
#include "utils/memutils.h"

/* ids of a node of a cluster begin with its number */
#define IDS_PER_NODE	INT64CONST(100000000000000)

static List *deletions = NIL;	/* SdDeletion, newest first */

static const char *
or_empty(const char *value)
{
	return value ? value : "";
}

static int64
next_id(void)
{
	int64		id = nextval_internal(sd_objects()->log_ids, false);

	/* each node of a cluster has a sequence of its own */
	return sd_in_cluster() ? id + sd_local_node() * IDS_PER_NODE : id;
}

/*
 * The id of the deletion that rows marked now by the role belong to.  *drawn: it
 * begins with this call.
 */
int64
sd_deletion_id(Oid role, bool *drawn)
{
	SdDeletion *deletion;
	ListCell   *lc;
	MemoryContext old;

	*drawn = true;
	if (sd_deletion_scope == SD_SCOPE_STATEMENT)
		return next_id();
	foreach(lc, deletions)
	{
		deletion = lfirst(lc);
		if (deletion->role == role &&
			strcmp(deletion->actor, or_empty(sd_actor)) == 0 &&
			strcmp(deletion->reason, or_empty(sd_reason)) == 0)
		{
			*drawn = false;
			return deletion->id;
		}
	}

	old = MemoryContextSwitchTo(TopTransactionContext);
	deletion = palloc(sizeof(SdDeletion));
	deletion->id = next_id();
	deletion->role = role;
	deletion->actor = pstrdup(or_empty(sd_actor));
	deletion->reason = pstrdup(or_empty(sd_reason));
	deletion->logged = false;
	deletion->subid = GetCurrentSubTransactionId();
	deletion->back = NIL;
	deletions = lcons(deletion, deletions);
	MemoryContextSwitchTo(old);
	return deletion->id;
}

/* NULL: of a statement's own, or its subtransaction was rolled back. */
SdDeletion *
sd_deletion_by_id(int64 id)
{
	ListCell   *lc;

	foreach(lc, deletions)
		if (((SdDeletion *) lfirst(lc))->id == id)
			return lfirst(lc);
	return NULL;
}

/*
 * Rows of a deletion of the running transaction were restored.  Whoever counts what is
 * there of it, to know how many were marked, has to add them.
 */
void
sd_note_back(int64 id, Oid relid, int64 n)
{
	SdDeletion *deletion = sd_deletion_by_id(id);
	MemoryContext old;
	SdBack	   *back;

	if (deletion == NULL || n == 0)
		return;
	old = MemoryContextSwitchTo(TopTransactionContext);
	back = palloc(sizeof(SdBack));
	back->relid = relid;
	back->n = n;
	back->subid = GetCurrentSubTransactionId();
	deletion->back = lappend(deletion->back, back);
	MemoryContextSwitchTo(old);
}

int64
sd_count_back(int64 id, Oid relid)
{
	SdDeletion *deletion = sd_deletion_by_id(id);
	int64		n = 0;
	ListCell   *lc;

	if (deletion == NULL)
		return 0;
	foreach(lc, deletion->back)
		if (((SdBack *) lfirst(lc))->relid == relid)
			n += ((SdBack *) lfirst(lc))->n;
	return n;
}

/* a subtransaction ends: what it has restored is its parent's, or not restored */
static void
settle_back(SdDeletion *deletion, SubXactEvent event, SubTransactionId subid,
			SubTransactionId parent)
{
	ListCell   *lc;

	foreach(lc, deletion->back)
	{
		SdBack	   *back = lfirst(lc);

		if (back->subid != subid)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			back->subid = parent;
		else
			deletion->back = foreach_delete_current(deletion->back, lc);
	}
}

static void
forget(SdDeletion *deletion)
{
	pfree(deletion->actor);
	pfree(deletion->reason);
	pfree(deletion);
}

static void
on_subxact(SubXactEvent event, SubTransactionId subid,
		   SubTransactionId parent, void *arg)
{
	ListCell   *lc;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	foreach(lc, deletions)
	{
		SdDeletion *deletion = lfirst(lc);

		settle_back(deletion, event, subid, parent);
		if (deletion->subid != subid)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			deletion->subid = parent;
		else
		{
			deletions = foreach_delete_current(deletions, lc);
			forget(deletion);
		}
	}
}

static void
on_xact(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE ||
		event == XACT_EVENT_ABORT)
		deletions = NIL;		/* the memory goes with the transaction */
}

void
sd_deletion_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
