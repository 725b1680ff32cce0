/*
 * usertriggers.c
 *		Users' triggers: those for DELETE fire as rows are marked, those for
 *		INSERT as rows are restored.
 *
 * A converted DELETE is an UPDATE to the executor, which would fire triggers
 * for UPDATE.  Which ones fire is the table's mode (SdTable.trigger_mode).  Where
 * it is not "update", the statement is changed before anything has fired: users'
 * triggers lose their UPDATE event (mode "delete"), and the relations that have
 * triggers for DELETE get a handoff (handoff.c).
 *
 * Only what the application called a DELETE is one here: an UPDATE that sets
 * or clears the mark fires the triggers for UPDATE.  A purge fires none in
 * these modes, since for the application the rows had gone long before.
 *
 * Called by executor.c; owns no state.
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "engine/frame.h"
#include "engine/statement.h"
#include "executor/executor.h"
#include "mark/handoff.h"
#include "mark/triggerset.h"
#include "mark/userevents.h"
#include "mark/usertriggers.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/rel.h"

static void
take_event_of_all(ModifyTableState *node, int16 event, bool before_only)
{
	sd_take_event(node->rootResultRelInfo, event, before_only);
	for (int i = 0; i < node->mt_nrels; i++)
		sd_take_event(&node->resultRelInfo[i], event, before_only);
}

/* Does the MERGE delete?  And, in *updates, does it update, too? */
static bool
merge_deletes(ModifyTableState *node, bool *updates)
{
	ListCell   *lc;
	bool		result = false;

	*updates = false;
	foreach(lc, linitial_node(List, ((ModifyTable *) node->ps.plan)->mergeActionLists))
	{
		MergeAction *action = lfirst_node(MergeAction, lc);

		if (action->commandType != CMD_UPDATE)
			continue;
		if (action->override == SD_MERGE_DELETE)
			result = true;
		else
			*updates = true;
	}
	return result;
}

/* Does the statement erase what was deleted?  RI's own, within one, do so, too. */
static bool
is_erasing(EState *estate, SdStatement *statement)
{
	if (statement == NULL && (estate->es_top_eflags & EXEC_FLAG_SKIP_TRIGGERS))
		statement = sd_erasing();
	return statement != NULL &&
		(statement->task == SD_TASK_PURGE || statement->task == SD_TASK_ERASE);
}

/* sd_choose_user_triggers() for one ModifyTable node */
static List *
choose_for_node(EState *estate, ModifyTableState *node, SdStatement *statement,
				List *handoffs)
{
	ResultRelInfo *root = node->rootResultRelInfo;
	SdTable    *table = sd_table(root->ri_RelationDesc);
	bool		merge = node->operation == CMD_MERGE;
	bool		updates = false;
	bool		restore = statement && statement->task == SD_TASK_RESTORE;
	int16		event = restore ? TRIGGER_TYPE_INSERT : TRIGGER_TYPE_DELETE;
	int			wanted = ANY_ROW | ANY_STATEMENT;
	int			of_statement;
	TransitionCaptureState *capture;

	if (table == NULL || table->trigger_mode == SD_TRIGGERS_UPDATE)
		return handoffs;
	if (node->operation == CMD_DELETE && is_erasing(estate, statement))
	{
		take_event_of_all(node, TRIGGER_TYPE_DELETE, false);
		node->mt_transition_capture = NULL;
	}
	if (merge ? !merge_deletes(node, &updates) :
		node->operation != CMD_UPDATE || !sd_is_converted(estate, root, table))
		return handoffs;

	if (restore)
		wanted = AFTER_ROW | AFTER_STATEMENT;
	else if (merge)
		wanted = ANY_ROW;		/* the executor does the others */
	else if (statement && statement->by_guard)
		wanted = AFTER_ROW;		/* the DELETE itself does the others */
	of_statement = sd_trigger_moments(root->ri_TrigDesc, event) & wanted & ANY_STATEMENT;
	capture = merge ? node->mt_transition_capture :
		MakeTransitionCaptureState(root->ri_TrigDesc, table->relid,
								   restore ? CMD_INSERT : CMD_DELETE);

	for (int i = 0; i < node->mt_nrels; i++)
	{
		ResultRelInfo *rel = &node->resultRelInfo[i];
		SdTable    *leaf = sd_table(rel->ri_RelationDesc);
		int			moments = sd_trigger_moments(rel->ri_TrigDesc, event) & wanted & ANY_ROW;
		int			other;

		if (leaf == NULL)
			continue;
		if (capture)
			moments |= AFTER_ROW;
		/* is it a row that is deleted, or one that moves? */
		other = merge ? sd_trigger_moments(rel->ri_TrigDesc, TRIGGER_TYPE_UPDATE) :
			leaf->moves ? sd_trigger_moments(root->ri_TrigDesc, TRIGGER_TYPE_INSERT) : 0;
		if ((other & ANY_ROW) || (merge && moments != 0))
			moments |= BEFORE_ROW;
		if (rel == root)
			moments |= of_statement;
		if (moments != 0)
			handoffs = lappend(handoffs,
							   sd_make_handoff(estate, node, rel, leaf, capture, restore,
											   moments));
	}
	if (of_statement != 0 && root != node->resultRelInfo)
		handoffs = lappend(handoffs,
						   sd_make_handoff(estate, node, root, table, capture, restore,
										   of_statement));

	if (merge)
	{
		node->mt_merge_subcommands |= MERGE_DELETE;
		if (!updates && table->trigger_mode == SD_TRIGGERS_DELETE)
			node->mt_merge_subcommands &= ~MERGE_UPDATE;
	}
	else if (table->trigger_mode == SD_TRIGGERS_DELETE)
	{
		take_event_of_all(node, TRIGGER_TYPE_UPDATE, false);
		node->mt_transition_capture = capture;
	}
	/* rows that move to another partition, see handoff.c */
	if (table->moves && restore)
		take_event_of_all(node, TRIGGER_TYPE_DELETE, false);
	return handoffs;
}

/*
 * Decide whose triggers a statement fires that has just been started, and take
 * UPDATE from those that are not to fire.  Returns what sd_arm_handoffs() is
 * to do when our own triggers have been chosen, too; NIL for most.
 */
List *
sd_choose_user_triggers(QueryDesc *query, SdStatement *statement)
{
	EState	   *estate = query->estate;
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	List	   *handoffs = NIL;
	ListCell   *lc;

	if (IsA(query->planstate, ModifyTableState))
		handoffs = choose_for_node(estate, (ModifyTableState *) query->planstate,
								   statement, NIL);
	foreach(lc, estate->es_auxmodifytables)
		handoffs = choose_for_node(estate, lfirst_node(ModifyTableState, lc),
								   NULL, handoffs);
	MemoryContextSwitchTo(old);
	return handoffs;
}
