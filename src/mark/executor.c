/*
 * executor.c
 *		Hooks into the executor: frames, triggers left out, the flush.
 *
 * A data-modifying statement gets a frame (operation.h) while the executor
 * works on it.  When it is done and its AFTER triggers have fired, the keys
 * that were collected are followed (cascade.c) and the log row is written
 * (log.c), all inside ExecutorFinish, so that everything belongs to the
 * one statement.
 *
 * Row triggers cost time even where their WHEN is false: BEFORE makes the
 * executor fetch and lock every old row, AFTER fetch it.  So where it can be
 * seen beforehand that the extension's own triggers would have nothing to do,
 * they are switched off in the statement's private copy of the trigger
 * descriptor.  Users' triggers and foreign-key checks are never touched.
 */
#include "postgres.h"

#include "compat.h"
#include "mark/executor.h"
#include "access/sysattr.h"
#include "mark/cascade.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "engine/log.h"
#include "executor/executor.h"
#include "tables/foreignkeys.h"
#include "engine/operation.h"
#include "engine/statement.h"
#include "tables/registry.h"
#include "mark/stamp.h"

static ExecutorStart_hook_type prev_start = NULL;
static ExecutorRun_hook_type prev_run = NULL;
static ExecutorFinish_hook_type prev_finish = NULL;

static bool
modifies_data(QueryDesc *query)
{
	return query->operation == CMD_DELETE || query->operation == CMD_UPDATE ||
		query->operation == CMD_INSERT || query->operation == CMD_MERGE ||
		query->plannedstmt->hasModifyingCTE;
}

static ResultRelInfo *
root_of(ResultRelInfo *rel)
{
	return rel->ri_RootResultRelInfo ? rel->ri_RootResultRelInfo : rel;
}

/*
 * Was this a DELETE that the planner turned into a stamped UPDATE?  Such a
 * relation still asks for the DELETE privilege alone, and has deletion_id
 * among the updated columns.
 */
static bool
is_converted(EState *estate, ResultRelInfo *rel, SdTable *table)
{
	SdPerms    *perms = sd_estate_perms(estate, root_of(rel)->ri_RangeTableIndex);

	return perms != NULL &&
		(perms->requiredPerms & (ACL_DELETE | ACL_UPDATE)) == ACL_DELETE &&
		bms_is_member(table->id - FirstLowInvalidHeapAttributeNumber,
					  ExecGetUpdatedCols(rel, estate));
}

/* is rel written by the statement's top node, whose rows es_processed counts? */
static bool
is_top_target(QueryDesc *query, ResultRelInfo *rel)
{
	ModifyTable *top = (ModifyTable *) query->plannedstmt->planTree;

	return IsA(top, ModifyTable) && top->operation == CMD_UPDATE &&
		list_member_int(top->resultRelations, rel->ri_RangeTableIndex);
}

/* does anybody else have such a row trigger on UPDATE? */
static bool
has_other_trigger(TriggerDesc *desc, int16 timing)
{
	for (int i = 0; i < desc->numtriggers; i++)
	{
		Trigger    *trigger = &desc->triggers[i];

		if (TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW,
								 timing, TRIGGER_TYPE_UPDATE) &&
			!sd_is_own_trigger(trigger))
			return true;
	}
	return false;
}

/* Switch our own row trigger on UPDATE of that timing off, for this statement. */
static void
switch_off(TriggerDesc *desc, int16 timing)
{
	bool		others = has_other_trigger(desc, timing);

	for (int i = 0; i < desc->numtriggers; i++)
	{
		Trigger    *trigger = &desc->triggers[i];

		if (TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW,
								 timing, TRIGGER_TYPE_UPDATE) &&
			sd_is_own_trigger(trigger))
			trigger->tgenabled = TRIGGER_DISABLED;
	}
	if (timing == TRIGGER_TYPE_BEFORE)
		desc->trig_update_before_row = others;
	else
		desc->trig_update_after_row = others;
}

static bool
has_other_delete_trigger(TriggerDesc *desc)
{
	for (int i = 0; i < desc->numtriggers; i++)
		if (TRIGGER_TYPE_MATCHES(desc->triggers[i].tgtype, TRIGGER_TYPE_ROW,
								 TRIGGER_TYPE_BEFORE, TRIGGER_TYPE_DELETE) &&
			!sd_is_own_trigger(&desc->triggers[i]))
			return true;
	return false;
}

/* The purge's own condition has said what the guard would say. */
static void
switch_off_guard(TriggerDesc *desc)
{
	for (int i = 0; i < desc->numtriggers; i++)
		if (desc->triggers[i].tgfoid == sd_objects()->guard_trigger)
			desc->triggers[i].tgenabled = TRIGGER_DISABLED;
	desc->trig_delete_before_row = false;
}

/*
 * The user's BEFORE trigger may set the mark in an UPDATE that does not name
 * it; our triggers must then look at every row, not only OF their columns.
 */
static void
fire_always(TriggerDesc *desc)
{
	for (int i = 0; i < desc->numtriggers; i++)
		if (sd_is_own_trigger(&desc->triggers[i]))
			desc->triggers[i].tgnattr = 0;
}

/*
 * Must the mark trigger see the rows of this converted DELETE (or restore, by
 * statement)?  The keys of deleted rows are taken as the rows are locked
 * (stamp.c), unless somebody's BEFORE trigger may still refuse them.
 */
static bool
needs_mark_trigger(ResultRelInfo *rel, SdTable *table, SdStatement *statement)
{
	ListCell   *lc;

	/* replayed changes cascade where they come from, as with RI */
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		return false;
	if (table->moves)
		return true;
	if (statement && statement->task == SD_TASK_RESTORE)
	{
		foreach(lc, table->children)
			if (((SdKey *) lfirst(lc))->on_delete == FKCONSTR_ACTION_CASCADE)
				return true;
		foreach(lc, table->parents)
			if (statement->via == NULL ||
				((SdKey *) lfirst(lc))->oid != statement->via->oid)
				return true;
		return false;
	}
	return table->children != NIL &&
		has_other_trigger(rel->ri_TrigDesc, TRIGGER_TYPE_BEFORE);
}

/* Decide for every result relation which of our triggers are needed. */
static void
choose_triggers(QueryDesc *query, SdStatement *statement)
{
	EState	   *estate = query->estate;
	bool		counted = false;
	ListCell   *lc;

	/* one relation that needs it, and all rows are counted by the trigger */
	foreach(lc, estate->es_opened_result_relations)
	{
		ResultRelInfo *rel = lfirst(lc);
		SdTable    *table;

		if (!is_top_target(query, rel))
			continue;
		table = sd_table(rel->ri_RelationDesc);
		if (table == NULL || !is_converted(estate, rel, table) ||
			needs_mark_trigger(rel, table, statement))
		{
			counted = false;
			break;
		}
		counted = true;
	}

	foreach(lc, estate->es_opened_result_relations)
	{
		ResultRelInfo *rel = lfirst(lc);
		TriggerDesc *desc = rel->ri_TrigDesc;
		SdTable    *table;
		Bitmapset  *updated;

		if (desc == NULL || !desc->trig_update_after_row ||
			(table = sd_table(rel->ri_RelationDesc)) == NULL)
			continue;

		if (statement && statement->task == SD_TASK_PURGE && !statement->guarded &&
			!has_other_delete_trigger(desc))
		{
			switch_off_guard(desc);
			statement->unguarded = true;
			continue;
		}

		if (has_other_trigger(desc, TRIGGER_TYPE_BEFORE))
		{
			fire_always(desc);
			if (counted && is_top_target(query, rel))
				switch_off(desc, TRIGGER_TYPE_AFTER);
			continue;
		}
		updated = ExecGetUpdatedCols(rel, estate);
		if (is_converted(estate, rel, table))
		{
			if (!table->moves)
				switch_off(desc, TRIGGER_TYPE_BEFORE);
			if (counted && is_top_target(query, rel))
				switch_off(desc, TRIGGER_TYPE_AFTER);
		}
		else if (!bms_is_member(table->marker - FirstLowInvalidHeapAttributeNumber, updated) &&
				 !bms_is_member(table->id - FirstLowInvalidHeapAttributeNumber, updated))
		{
			switch_off(desc, TRIGGER_TYPE_BEFORE);
			switch_off(desc, TRIGGER_TYPE_AFTER);
		}
	}
}

/* Was the mark trigger switched off for this statement? */
bool
sd_mark_trigger_is_off(ResultRelInfo *rel)
{
	Oid			function = sd_objects()->mark_trigger;

	for (int i = 0; rel->ri_TrigDesc && i < rel->ri_TrigDesc->numtriggers; i++)
		if (rel->ri_TrigDesc->triggers[i].tgfoid == function)
			return rel->ri_TrigDesc->triggers[i].tgenabled == TRIGGER_DISABLED;
	return false;
}

/*
 * Where the mark trigger is off, the rows were not counted one by one: the
 * statement's own count is theirs.
 */
static void
count_processed(SdFrame *frame)
{
	EState	   *estate = frame->query->estate;
	ListCell   *lc;

	foreach(lc, estate->es_opened_result_relations)
	{
		ResultRelInfo *rel = lfirst(lc);
		SdTable    *table = NULL;

		if (is_top_target(frame->query, rel))
			table = sd_table(rel->ri_RelationDesc);
		if (table == NULL || !is_converted(estate, rel, table))
			continue;
		if (sd_mark_trigger_is_off(rel))
		{
			SdOp	   *op = sd_current_op();

			if (frame->statement && frame->statement->task == SD_TASK_RESTORE)
				sd_op_count_restored(op, table->root, frame->statement->id,
									 estate->es_processed);
			else
			{
				if (estate->es_processed > 0)
					(void) sd_op_id(op, table->root);
				sd_op_count(op, table->root, estate->es_processed);
				if (op->collected != 0 && op->collected != (int64) estate->es_processed)
					op->doubtful = true;
				op->collected = 0;
			}
		}
		return;
	}
}

static void
softdelete_start(QueryDesc *query, int eflags)
{
	SdStatement *statement = sd_take_statement(query);

	if (prev_start)
		prev_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);

	if (query->estate->es_opened_result_relations != NIL &&
		!(eflags & EXEC_FLAG_EXPLAIN_ONLY))
		choose_triggers(query, statement);
}

static void
softdelete_run(SD_RUN_ARGS)
{
	SdFrame		frame = {0};

	if (!modifies_data(queryDesc))
	{
		if (prev_run)
			prev_run(SD_RUN_PASS);
		else
			standard_ExecutorRun(SD_RUN_PASS);
		return;
	}

	frame.outer = sd_frame;
	frame.query = queryDesc;
	frame.statement = sd_statement_of(queryDesc);
	sd_frame = &frame;
	PG_TRY();
	{
		if (prev_run)
			prev_run(SD_RUN_PASS);
		else
			standard_ExecutorRun(SD_RUN_PASS);
	}
	PG_FINALLY();
	{
		sd_frame = frame.outer;
	}
	PG_END_TRY();
}

static void
softdelete_finish(QueryDesc *query)
{
	SdFrame		frame = {0};

	if (!modifies_data(query))
	{
		if (prev_finish)
			prev_finish(query);
		else
			standard_ExecutorFinish(query);
		return;
	}

	frame.outer = sd_frame;
	frame.query = query;
	frame.statement = sd_statement_of(query);
	sd_frame = &frame;
	PG_TRY();
	{
		SdOp	   *op;

		if (prev_finish)
			prev_finish(query);
		else
			standard_ExecutorFinish(query);

		count_processed(&frame);

		/* an operation of its own ends here; a joined one goes on outside */
		op = sd_op_of(query->estate);
		if (op != NULL)
		{
			if (sd_op_has_work(op))
				sd_cascade(op, query->estate);
			sd_check_key_updates(op);
			sd_log_write(op);
			if (frame.statement)
			{
				if (frame.statement->task == SD_TASK_DELETE)
					frame.statement->id = op->marked_total > 0 ? op->id : 0;
				if (frame.statement->task == SD_TASK_DELETE ||
					frame.statement->task == SD_TASK_RESTORE)
					frame.statement->rows = op->marked_total + op->restored_total;
			}
		}
	}
	PG_FINALLY();
	{
		sd_frame = frame.outer;
	}
	PG_END_TRY();
}

void
sd_executor_init(void)
{
	prev_start = ExecutorStart_hook;
	ExecutorStart_hook = softdelete_start;
	prev_run = ExecutorRun_hook;
	ExecutorRun_hook = softdelete_run;
	prev_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = softdelete_finish;
}
