/*
 * sending.c
 *		Orders to shards are drawn, and what came of them is counted.
 *
 * Citus evaluates remote_order() as the statement starts, once, and sends each shard
 * the result: that is when the deletion's id is drawn.  The shards do not write the
 * log.  When the statement is done, this node knows how many rows of the table it was
 * on were marked; where others may have gone along, or come back, it asks (remains.c), as the
 * user whose statement it is, since nobody else would see what is not committed yet.
 *
 * Owns the list of statements that have sent orders, and the order drawn last.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/guc.h"
#include "base/own_objects.h"
#include "base/spi.h"
#include "engine/counts.h"
#include "engine/deletion.h"
#include "engine/operation.h"
#include "engine/order.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "mark/remains.h"
#include "mark/sending.h"
#include "miscadmin.h"
#include "tables/referrers.h"
#include "tables/registry.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(softdelete_remote_order);

/* an order */
typedef struct Sent
{
	Oid			relid;
	SdTask		task;
	int64		id;
	char	   *value;			/* of the column that spreads the rows, or NULL */
	List	   *before;			/* SdRemains: what a restore found */
} Sent;

/* a statement that has sent some */
typedef struct Sending
{
	dlist_node	node;
	EState	   *estate;
	SdOp	   *op;
	List	   *sent;
	MemoryContextCallback callback;
} Sending;

static SdStart *starting = NULL;
static dlist_head sendings = DLIST_STATIC_INIT(sendings);
static char *last_order = NULL; /* lives in TopTransactionContext */

/* A statement starts: orders drawn from now on are its own. */
void
sd_start_begin(SdStart *start, SdStatement *statement)
{
	start->outer = starting;
	start->statement = statement;
	start->context = CurrentMemoryContext;
	start->id = 0;
	start->drew = false;
	start->sent = NIL;
	starting = start;
}

/* It has started, or failed to. */
void
sd_start_end(SdStart *start)
{
	starting = start->outer;
}

static void
last_order_gone(void *arg)
{
	last_order = NULL;
}

static void
note_last_order(char *order)
{
	if (last_order == NULL)
	{
		MemoryContextCallback *callback = MemoryContextAlloc(TopTransactionContext,
															 sizeof(MemoryContextCallback));

		callback->func = last_order_gone;
		callback->arg = NULL;
		MemoryContextRegisterResetCallback(TopTransactionContext, callback);
	}
	else
		pfree(last_order);
	last_order = MemoryContextStrdup(TopTransactionContext, order);
}

/* The order drawn last in this transaction, for a plan that Citus keeps. */
const char *
sd_last_order(void)
{
	if (last_order == NULL)
		elog(ERROR, "there is no order to follow");
	return last_order;
}

static void
note_sent(Oid relid, const SdOrder *order, const char *value)
{
	MemoryContext old = MemoryContextSwitchTo(starting->context);
	Sent	   *sent = palloc0(sizeof(Sent));

	sent->relid = relid;
	sent->task = order->task;
	sent->id = order->id;
	sent->value = value ? pstrdup(value) : NULL;
	starting->sent = lappend(starting->sent, sent);
	MemoryContextSwitchTo(old);
}

/*
 * remote_order(engine, table, what is known beforehand, value): the order that the
 * table's shards follow.  The value is the one that the statement demands of the
 * column by which rows are spread, NULL where it demands none.
 */
Datum
softdelete_remote_order(PG_FUNCTION_ARGS)
{
	SdOrder    *order;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || starting == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("this function is for statements that softdelete has planned")));
	order = sd_read_order(text_to_cstring(PG_GETARG_TEXT_PP(2)), true);
	order->at = GetCurrentTransactionStartTimestamp();
	order->actor = sd_actor;
	order->reason = sd_reason;
	if (!order->hard_delete && (order->task == SD_TASK_NONE || order->task == SD_TASK_DELETE))
	{
		SdDeletion *deletion;

		if (starting->id == 0)
			starting->id = sd_deletion_id(GetUserId(), &starting->drew);
		order->id = starting->id;
		deletion = sd_deletion_by_id(order->id);
		if (deletion != NULL)
		{
			order->actor = deletion->actor;
			order->reason = deletion->reason;
		}
	}
	note_sent(PG_GETARG_OID(1), order,
			  PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3)));
	note_last_order(sd_sealed_order(order));
	PG_RETURN_TEXT_P(cstring_to_text(last_order));
}

static Sending *
sending_of(EState *estate)
{
	dlist_iter	iter;

	dlist_foreach(iter, &sendings)
	{
		Sending    *sending = dlist_container(Sending, node, iter.cur);

		if (sending->estate == estate)
			return sending;
	}
	return NULL;
}

/* Has the statement sent orders? */
bool
sd_has_sent(EState *estate)
{
	return sending_of(estate) != NULL;
}

static void
sending_gone(void *arg)
{
	dlist_delete(&((Sending *) arg)->node);
}

/*
 * The statement has started, and has sent what is in start: it gets an operation, or
 * joins that of the engine's statement that it is.
 */
void
sd_sent_orders(SdStart *start, QueryDesc *query)
{
	EState	   *estate = query->estate;
	Sending    *sending;
	MemoryContext old;
	ListCell   *lc;

	if (start->sent == NIL)
		return;
	old = MemoryContextSwitchTo(estate->es_query_cxt);
	sending = palloc0(sizeof(Sending));
	sending->estate = estate;
	sending->sent = start->sent;
	sending->callback.func = sending_gone;
	sending->callback.arg = sending;
	MemoryContextRegisterResetCallback(estate->es_query_cxt, &sending->callback);
	dlist_push_head(&sendings, &sending->node);
	sending->op = start->statement && start->statement->op ? start->statement->op :
		sd_op_begin(estate);
	if (start->id != 0)
	{
		sending->op->id = start->id;
		sending->op->drew = start->drew;
	}
	foreach(lc, sending->sent)
	{
		Sent	   *sent = lfirst(lc);

		if (sent->task != SD_TASK_RESTORE || sent->id == 0)
			continue;
		if (sd_hangs_on_reference(sd_table_by_oid(sent->relid)))
			sd_one_connection_each();
		sd_spi_connect();
		sent->before = sd_look_for_rest(estate->es_query_cxt, sent->relid, sent->id, sent->value);
		sd_spi_finish();
	}
	MemoryContextSwitchTo(old);
}

/* The deletion has marked so many rows of the table, by this statement and those before. */
static void
set_count(SdOp *op, Oid relid, int64 rows)
{
	SdCount    *count;
	ListCell   *lc;

	foreach(lc, op->counts)
	{
		count = lfirst(lc);
		if (count->relid == relid)
		{
			count->n = rows;
			return;
		}
	}
	sd_op_count(op, relid, rows);
	count = llast(op->counts);
	count->in_all = true;
}

/* What was marked: as many as the statement says, or as one finds. */
static void
count_marked(Sending *sending, Sent *sent, QueryDesc *query)
{
	SdOp	   *op = sending->op;
	bool		alone = query->operation == CMD_DELETE && list_length(sending->sent) == 1 &&
		!sd_takes_along(sent->relid);
	SdDeletion *deletion = sd_deletion_by_id(sent->id);
	ListCell   *lc;

	if (sent->id == 0)
		return;					/* erased */
	if (alone)
	{
		sd_op_count(op, sent->relid, query->estate->es_processed);
		return;
	}
	foreach(lc, sd_look_for_marked(sent->relid, sent->id, query->operation != CMD_UPDATE,
								   deletion && deletion->logged ? NULL : sent->value))
	{
		SdRemains  *found = lfirst(lc);

		if (found->rows > 0)
			set_count(op, found->relid,
					  found->rows + sd_count_back(sent->id, found->relid));
	}
}

static void
count_restored(Sending *sending, Sent *sent, QueryDesc *query)
{
	ListCell   *lc;

	if (sent->id == 0)
	{
		sd_op_count_restored(sending->op, sent->relid, 0, query->estate->es_processed);
		return;
	}
	foreach(lc, sd_look_again(sent->before, sent->id))
	{
		SdRemains  *gone = lfirst(lc);

		sd_op_count_restored(sending->op, gone->relid, sent->id, gone->rows);
		sd_note_back(sent->id, gone->relid, gone->rows);
	}
}

/* The statement is done: count what became of its orders. */
void
sd_count_sent(QueryDesc *query)
{
	Sending    *sending = sending_of(query->estate);
	ListCell   *lc;

	if (sending == NULL)
		return;
	sd_spi_connect();
	foreach(lc, sending->sent)
	{
		Sent	   *sent = lfirst(lc);

		if (sent->task == SD_TASK_RESTORE)
			count_restored(sending, sent, query);
		else if (sent->task == SD_TASK_NONE || sent->task == SD_TASK_DELETE)
			count_marked(sending, sent, query);
	}
	sd_spi_finish();
}
