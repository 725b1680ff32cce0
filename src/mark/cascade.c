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
 * When nothing is left to follow, the keys that may refuse are checked:
 * RESTRICT and NO ACTION ones, cascades that a user's trigger or rule may have
 * stopped, and parents of restored rows.
 */
#include "postgres.h"

#include "access/table.h"
#include "base/spi.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "engine/keyquery.h"
#include "engine/keyset.h"
#include "engine/operation.h"
#include "engine/statement.h"
#include "fk/check.h"
#include "fk/orphan.h"
#include "mark/cascade.h"
#include "miscadmin.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/rel.h"

/*
 * Could a child's marking have been refused?  By a BEFORE trigger that returns
 * NULL or by a rule.
 */
static bool
may_be_refused(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	TriggerDesc *triggers = CopyTriggerDesc(rel->trigdesc);
	bool		result = rel->rd_rules != NULL;

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
 * Carry a set of keys to the next level.  A cascade that may have left live
 * rows behind is kept for the check, the set is done with otherwise.
 */
static void
follow(SdOp *op, SdKeySet *set)
{
	SdStatement statement = {0};
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
		sd_execute_key(set->restored ? SD_QUERY_RESTORE : SD_QUERY_MARK,
					   set, &statement, owner, SD_VIEW_LATEST, 0);
	}
	if (!set->restored && (child == NULL || may_be_refused(set->key->child)))
	{
		MemoryContext old = MemoryContextSwitchTo(op->context);

		op->childless = lappend(op->childless, set);
		MemoryContextSwitchTo(old);
	}
	else
		sd_key_set_free(set);
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
	ListCell   *lc;

	sd_spi_connect();
	while (drop_reversed(op), op->pending != NIL)
	{
		List	   *level = op->pending;

		CHECK_FOR_INTERRUPTS();
		op->pending = NIL;
		AfterTriggerBeginQuery();
		foreach(lc, level)
			if (((SdKeySet *) lfirst(lc))->n > 0)
				follow(op, lfirst(lc));
		AfterTriggerEndQuery(estate);
		list_free(level);
	}
	sd_spi_finish();
}

/* The same, and check what the operation has left to be checked. */
void
sd_cascade(SdOp *op, EState *estate)
{
	ListCell   *lc;

	if (op->pending != NIL)
		sd_follow(op, estate);
	if (op->childless == NIL && op->parents == NIL)
		return;
	sd_spi_connect();
	drop_reversed(op);
	foreach(lc, op->childless)
		if (((SdKeySet *) lfirst(lc))->n > 0)
			sd_check_children(lfirst(lc));
	foreach(lc, op->parents)
		sd_check_parent(lfirst(lc));
	op->childless = NIL;
	op->parents = NIL;

	sd_spi_finish();
}
