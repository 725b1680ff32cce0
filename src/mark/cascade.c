/*
 * cascade.c
 *		Following the foreign keys of rows that were marked or restored.
 *
 * The rows' keys have been collected as they were written (watch.c) or, where an
 * UPDATE marked or restored them, by the mark trigger.  Here one statement for
 * each foreign key handles all of them, level by level in a loop: its AFTER
 * triggers are left to a query level that is opened around the level, so that
 * they run as the invoking role, with the whole level done, and collect the next
 * level's keys.  No recursion, however deep the tree.
 *
 * What comes when nothing is left to follow stands in settle.c.
 */
#include "postgres.h"

#include "access/table.h"
#include "base/own_objects.h"
#include "base/spi.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "engine/keyquery.h"
#include "engine/keyset.h"
#include "engine/operation.h"
#include "engine/restorequery.h"
#include "engine/statement.h"
#include "engine/trace.h"
#include "fk/orphan.h"
#include "mark/cascade.h"
#include "mark/userevents.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/rel.h"

/*
 * Could a child's marking have been refused?  By a BEFORE trigger that returns
 * NULL, for UPDATE or DELETE, or by a rule.
 */
static bool
may_be_refused(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc);
	SdTable    *table = sd_table(rel);
	bool		result = rel->rd_rules != NULL ||
		(table != NULL && sd_user_trigger_may_keep(table, triggers));

	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		result = true;			/* its partitions may have what it has not */
	for (int i = 0; !result && triggers && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		result = TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW,
									  TRIGGER_TYPE_BEFORE, TRIGGER_TYPE_UPDATE) &&
			!sd_is_own_trigger(trigger);
	}
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * The deleted rows of other tables that children of the restored rows in the set
 * need as well, in sets of keys: those children stay deleted.  Such a row may
 * come back later on in the same restore, and its children are looked at then.
 */
static List *
other_deleted_parents(SdKeySet *set, SdTable *child, Oid owner)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, child->parents)
	{
		SdKey	   *other = lfirst(lc);
		SdKeySet   *keys;

		if (other->oid == set->key->oid || !sd_key_needs_parent(other) ||
			sd_table_by_oid(other->parent) == NULL)
			continue;
		keys = sd_other_parents(set, other, owner);
		if (keys->n > 0)
			keys = sd_only_deleted(keys);
		if (keys->n > 0)
			result = lappend(result, keys);
	}
	return result;
}

/*
 * Restore the children of the rows in the set that are of the same deletion,
 * whatever a delete does along the key: the application may have deleted them
 * first.  An undo brings all of it back, so that it need not look; a trial knows
 * whom to leave out (settle.c).  Returns whether any may have been left out.
 */
static bool
restore_children(SdOp *op, SdKeySet *set, SdTable *child, Oid owner,
				 SdStatement *statement)
{
	List	   *but = op->trial ? op->trial_but :
		op->whole ? NIL : other_deleted_parents(set, child, owner);
	List	   *deleted = NIL;
	ListCell   *lc;

	foreach(lc, but)
		if (((SdKeySet *) lfirst(lc))->key->child == set->key->child)
			deleted = lappend(deleted, lfirst(lc));
	if (deleted == NIL)
		sd_execute_key(SD_QUERY_RESTORE, set, statement, owner, SD_VIEW_LATEST, 0);
	else
		sd_restore_children_but(set, deleted, statement, owner);
	return deleted != NIL;
}

static List *
add_set(SdOp *op, List *list, SdKeySet *set)
{
	MemoryContext old = MemoryContextSwitchTo(op->context);

	list = lappend(list, set);
	MemoryContextSwitchTo(old);
	return list;
}

/*
 * Carry a set of keys to the next level.  A cascade that may have left live
 * rows behind, or a restore that may have left deleted ones, is kept for settle.c;
 * the set is done with otherwise.
 */
static void
follow(SdOp *op, SdKeySet *set)
{
	SdStatement statement = {0};
	bool		kept = false;
	Relation	rel = table_open(set->key->child, RowExclusiveLock);
	SdTable    *child = sd_table(rel);
	Oid			owner = rel->rd_rel->relowner;

	table_close(rel, NoLock);
	if (child != NULL)
	{
		statement.task = set->restored ? SD_TASK_RESTORE : SD_TASK_DELETE;
		statement.relid = set->key->child;
		statement.op = op;
		statement.via = set->key;
		statement.id = set->id;
		sd_trace_keys(set->restored ? "restores along" : "marks along", set);
		if (set->restored)
			kept = restore_children(op, set, child, owner, &statement);
		else
			sd_execute_key(SD_QUERY_MARK, set, &statement, owner, SD_VIEW_LATEST, 0);
	}
	if (kept)
		op->held = add_set(op, op->held, set);
	else if (!set->restored && (child == NULL || may_be_refused(set->key->child)))
		op->childless = add_set(op, op->childless, set);
	else
		sd_key_set_free(set);
}

/* the sets of one level */
typedef struct Level
{
	SdOp	   *op;
	List	   *sets;
	MemoryContext context;		/* to follow them in */
} Level;

static void
follow_level(Level *level)
{
	ListCell   *lc;

	foreach(lc, level->sets)
		if (((SdKeySet *) lfirst(lc))->n > 0)
			follow(level->op, lfirst(lc));
}

static Datum
follow_level_trigger(PG_FUNCTION_ARGS)
{
	Level	   *level = fcinfo->flinfo->fn_extra;
	MemoryContext old = MemoryContextSwitchTo(level->context);

	follow_level(level);
	MemoryContextSwitchTo(old);
	return PointerGetDatum(NULL);
}

/*
 * Follow a level from within a trigger, as RI does: by pg_trigger_depth() users'
 * triggers tell a cascade from a statement.  PostgreSQL calls a BEFORE TRUNCATE
 * trigger, here one of no table, without asking for more.
 */
static void
follow_in_trigger(Level *level, EState *estate)
{
	FmgrInfo	function = {0};
	Trigger		trigger = {0};
	TriggerDesc desc = {0};
	ResultRelInfo *rel = makeNode(ResultRelInfo);

	function.fn_addr = follow_level_trigger;
	function.fn_oid = sd_objects()->mark_trigger;
	function.fn_stats = TRACK_FUNC_ALL; /* is never counted */
	function.fn_mcxt = CurrentMemoryContext;
	function.fn_extra = level;
	trigger.tgfoid = function.fn_oid;
	trigger.tgtype = TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_TRUNCATE;
	trigger.tgenabled = TRIGGER_FIRES_ALWAYS;
	desc.triggers = &trigger;
	desc.numtriggers = 1;
	desc.trig_truncate_before_statement = true;
	rel->ri_TrigDesc = &desc;
	rel->ri_TrigFunctions = &function;
	ExecBSTruncateTriggers(estate, rel);
}

/*
 * A trigger has made rows live again, or deleted those that were restored: leave
 * out the keys of rows that are not what the operation made of them.
 */
static void
drop_reversed(SdOp *op)
{
	ListCell   *lc;

	if (!op->reversed)
		return;
	op->reversed = false;
	foreach(lc, op->pending)
		lfirst(lc) = ((SdKeySet *) lfirst(lc))->restored ?
			sd_only_live(lfirst(lc)) : sd_only_deleted(lfirst(lc));
	foreach(lc, op->childless)
		lfirst(lc) = sd_only_deleted(lfirst(lc));
}

/*
 * Follow everything that the operation has pending.  estate is the statement's,
 * whose AFTER triggers have fired.
 */
void
sd_follow(SdOp *op, EState *estate)
{
	sd_spi_connect();
	while (drop_reversed(op), op->pending != NIL)
	{
		Level		level = {op, op->pending, CurrentMemoryContext};

		CHECK_FOR_INTERRUPTS();
		op->pending = NIL;
		AfterTriggerBeginQuery();
		if (estate != NULL)
			follow_in_trigger(&level, estate);
		else
			follow_level(&level);	/* it is in one */
		AfterTriggerEndQuery(estate);
		list_free(level.sets);
	}
	sd_spi_finish();
}
