/*
 * executor.c
 *		Hooks into the executor: frames, and what is done at a statement's end.
 *
 * A data-modifying statement gets a frame (frame.h) while the executor
 * works on it.  When it is done and its AFTER triggers have fired, the keys
 * that were collected are followed (cascade.c) and the log row is written
 * (log.c), all inside ExecutorFinish, so that everything belongs to the
 * one statement.  Owns no state but the hooks' predecessors.
 */
#include "postgres.h"

#include "base/own_objects.h"
#include "commands/trigger.h"
#include "compat.h"
#include "engine/frame.h"
#include "engine/log.h"
#include "engine/operation.h"
#include "engine/statement.h"
#include "executor/executor.h"
#include "executor/instrument.h"
#include "fk/parentcheck.h"
#include "fk/parentscan.h"
#include "mark/executor.h"
#include "mark/handoff.h"
#include "mark/oldrow.h"
#include "mark/rowlock.h"
#include "mark/sending.h"
#include "mark/settle.h"
#include "mark/shards.h"
#include "mark/tools.h"
#include "mark/triggerset.h"
#include "mark/usertriggers.h"
#include "tables/cluster.h"
#include "tables/reader.h"
#include "tables/registry.h"
#include "utils/snapmgr.h"

static ExecutorStart_hook_type prev_start = NULL;
static ExecutorRun_hook_type prev_run = NULL;
static ExecutorFinish_hook_type prev_finish = NULL;

/*
 * Could the statement mark a row, or fire what does so within it (RI's own actions
 * belong to it)?  Not where it writes tables only that have no trigger to fire.  A
 * partitioned table opens its partitions later on.
 */
static bool
needs_frame(QueryDesc *query)
{
	ListCell   *lc;

	foreach(lc, query->estate->es_opened_result_relations)
	{
		ResultRelInfo *rel = lfirst(lc);

		if (rel->ri_TrigDesc != NULL ||
			rel->ri_RelationDesc->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
			return true;
	}
	return false;
}

/* The managed table that the statement is on; InvalidOid where it is none. */
static Oid
named_table(QueryDesc *query)
{
	ModifyTableState *top = (ModifyTableState *) query->planstate;
	Relation	rel;

	if (top == NULL || !IsA(top, ModifyTableState))
		return InvalidOid;
	rel = top->rootResultRelInfo->ri_RelationDesc;
	return sd_table(rel) != NULL ? sd_topmost(rel) : InvalidOid;
}

static void
chain_start(QueryDesc *query, int eflags)
{
	if (prev_start)
		prev_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

/* Start PostgreSQL's own check of a child. */
static void
start_parent_check(QueryDesc *query, int eflags)
{
	SdParentScan lean;

	sd_parent_scan_begin(&lean, query);
	PG_TRY();
	{
		chain_start(query, eflags);
	}
	PG_CATCH();
	{
		query->plannedstmt = lean.whole;
		PG_RE_THROW();
	}
	PG_END_TRY();
	sd_parent_scan_end(&lean, query);
}

/* Start where orders to shards may be drawn, or one is to be followed. */
static void
start_in_cluster(QueryDesc *query, int eflags, SdStatement **statement)
{
	SdStart		start;

	sd_start_begin(&start, *statement);
	PG_TRY();
	{
		chain_start(query, eflags);
	}
	PG_FINALLY();
	{
		sd_start_end(&start);
	}
	PG_END_TRY();
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	sd_sent_orders(&start, query);
	if (sd_follow_order(query))
		*statement = sd_op_of(query->estate)->statement;
}

/* The engine's statement that this query is, by itself or by order of another node. */
static SdStatement *
statement_of(QueryDesc *query)
{
	SdOp	   *op = sd_op_of(query->estate);

	return op && op->ordered ? op->statement : sd_statement_of(query);
}

static void
softdelete_start(QueryDesc *query, int eflags)
{
	SdStatement *statement = sd_pending_statement ? sd_take_statement(query) : NULL;

	if (sd_in_cluster())
		start_in_cluster(query, eflags, &statement);
	else if (IsA(query->plannedstmt->planTree, LockRows) &&
			 sd_is_parent_check(query->plannedstmt))
		start_parent_check(query, eflags);
	else
		chain_start(query, eflags);

	if (needs_frame(query) && !(eflags & EXEC_FLAG_EXPLAIN_ONLY) &&
		!sd_is_quiet_update(query) && !sd_is_quiet_insert(query))
	{
		List	   *handoffs;

		/* what a rule adds to a statement of ours finds it, too */
		if (statement == NULL)
			statement = statement_of(query);
		handoffs = sd_choose_user_triggers(query, statement);

		sd_choose_triggers(query, statement);
		sd_arm_handoffs(query->estate, handoffs);
		sd_return_old_rows(query);
	}
}

static void
chain_run(SD_RUN_ARGS)
{
	if (prev_run)
		prev_run(SD_RUN_PASS);
	else
		standard_ExecutorRun(SD_RUN_PASS);
}

static void
run_in_frame(SD_RUN_ARGS)
{
	SdFrame		frame = {0};

	frame.query = queryDesc;
	frame.statement = statement_of(queryDesc);
	SD_BEGIN_FRAME(&frame);
	{
		chain_run(SD_RUN_PASS);
	}
	SD_END_FRAME(&frame);
}

/* A tool of Citus copies whole tables. */
static void
run_tool(SD_RUN_ARGS)
{
	sd_tool_begin();
	PG_TRY();
	{
		chain_run(SD_RUN_PASS);
	}
	PG_FINALLY();
	{
		sd_tool_end();
	}
	PG_END_TRY();
	sd_tool_done();
}

static void
softdelete_run(SD_RUN_ARGS)
{
	if (needs_frame(queryDesc))
		run_in_frame(SD_RUN_PASS);
	else if (sd_in_cluster() && sd_is_tool(queryDesc))
		run_tool(SD_RUN_PASS);
	else
		chain_run(SD_RUN_PASS);
}

/* Where EXPLAIN ANALYZE shows the time of the cascade: with our trigger's. */
static Instrumentation *
cascade_instrument(EState *estate)
{
	ListCell   *lc;

	foreach(lc, estate->es_opened_result_relations)
	{
		ResultRelInfo *rel = lfirst(lc);

		for (int i = 0; rel->ri_TrigInstrument && i < rel->ri_TrigDesc->numtriggers; i++)
			if (rel->ri_TrigDesc->triggers[i].tgfoid == sd_objects()->mark_trigger)
				return &rel->ri_TrigInstrument[i];
	}
	return NULL;
}

/* Follow the keys, and write the log: the statement's own triggers have fired. */
static void
flush(SdFrame *frame)
{
	EState	   *estate = frame->query->estate;
	SdOp	   *op;

	/* an operation of its own ends here; a joined one goes on outside */
	if (sd_in_cluster())
		sd_count_sent(frame->query);
	op = sd_op_of(estate);
	if (op == NULL)
		return;
	sd_op_prefer_root(op, named_table(frame->query));
	if (sd_op_has_work(op))
	{
		Instrumentation *instrument = cascade_instrument(estate);

		if (instrument)
			InstrStartNode(instrument);
		sd_cascade(op, estate);
		if (instrument)
			InstrStopNode(instrument, 1);
	}
	sd_check_key_updates(op);
	sd_log_write(op);
	if (frame->statement)
	{
		if (frame->statement->task == SD_TASK_DELETE)
			frame->statement->id = op->marked_total > 0 ? op->id : 0;
		if (frame->statement->task == SD_TASK_DELETE ||
			frame->statement->task == SD_TASK_RESTORE)
			frame->statement->rows = op->marked_total + op->restored_total;
	}
}

/*
 * What ExecutorFinish() does last, in the shape of a plan node: it runs the nodes
 * of WITH queries to completion and then fires the AFTER triggers, and there is no
 * hook behind that.  After it, whatever measures the statement (its totaltime, the
 * nesting level of pg_stat_statements and auto_explain) has stopped.  So the flush
 * stands behind the WITH queries, and fires the triggers first.
 */
typedef struct LastNode
{
	PlanState	ps;
	SdFrame    *frame;
	bool		fires;			/* the triggers are this statement's to fire */
} LastNode;

static TupleTableSlot *
run_last_node(PlanState *ps)
{
	LastNode   *node = (LastNode *) ps;

	if (node->fires)
	{
		ErrorContextCallback callback = {error_context_stack, sd_hint_kept_link, node->frame};

		error_context_stack = &callback;
		AfterTriggerEndQuery(ps->state);
		error_context_stack = callback.previous;
	}
	flush(node->frame);

	/* they have fired */
	if (node->fires)
		ps->state->es_top_eflags |= EXEC_FLAG_SKIP_TRIGGERS;
	return NULL;
}

static void
chain_finish(QueryDesc *query)
{
	if (prev_finish)
		prev_finish(query);
	else
		standard_ExecutorFinish(query);
}

static void
finish_in_frame(QueryDesc *query)
{
	SdFrame		frame = {0};
	LastNode	last = {0};
	EState	   *estate = query->estate;
	bool		snapshot;

	frame.query = query;
	frame.statement = statement_of(query);
	last.ps.type = T_ResultState;	/* of some type; none of ours */
	last.ps.state = estate;
	last.ps.ExecProcNode = run_last_node;
	last.frame = &frame;
	last.fires = !(estate->es_top_eflags & EXEC_FLAG_SKIP_TRIGGERS);
	estate->es_auxmodifytables = lappend(estate->es_auxmodifytables, &last);
	/* Citus makes a plain query of a WITH that deletes; its portal has none any more */
	snapshot = !ActiveSnapshotSet();
	if (snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	SD_BEGIN_FRAME(&frame);
	{
		chain_finish(query);
	}
	SD_END_FRAME(&frame);
	if (snapshot)
		PopActiveSnapshot();
	estate->es_auxmodifytables = list_delete_last(estate->es_auxmodifytables);
	if (last.fires)
		estate->es_top_eflags &= ~EXEC_FLAG_SKIP_TRIGGERS;
}

static void
softdelete_finish(QueryDesc *query)
{
	if (needs_frame(query) || (sd_in_cluster() && sd_has_sent(query->estate)))
		finish_in_frame(query);
	else
		chain_finish(query);
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
