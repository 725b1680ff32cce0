/*
 * shards.c
 *		A statement on a shard follows the order that came with it.
 *
 * The planner has found the order and left it with the relation that the statement
 * writes (plan/orders.c).  Here it becomes the statement's operation: rows are marked
 * by the deletion and at the time that the other node has drawn, and it is that node
 * which counts and writes the log.  Owns no state.
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/own_objects.h"
#include "engine/operation.h"
#include "engine/order.h"
#include "engine/seal.h"
#include "fmgr.h"
#include "mark/sending.h"
#include "mark/shards.h"
#include "plan/orders.h"
#include "utils/builtins.h"
#include "utils/guc.h"

PG_FUNCTION_INFO_V1(softdelete_remote);
PG_FUNCTION_INFO_V1(softdelete_stamped_at);
PG_FUNCTION_INFO_V1(softdelete_key_digest);

/* For as long as the transaction: users' triggers on the shard may ask for it. */
static void
set_locally(const char *name, const char *before, const char *value, GucContext context)
{
	if (value == NULL)
		value = "";
	if (before == NULL || strcmp(before, value) != 0)
		(void) set_config_option(name, value, context, PGC_S_SESSION, GUC_ACTION_LOCAL,
								 true, 0, false);
}

/*
 * Has the statement an order?  Then its operation begins with that; sd_op_of() has
 * it.  One that this session has drawn itself needs no settings.
 */
bool
sd_follow_order(QueryDesc *query)
{
	ListCell   *lc;

	foreach(lc, query->plannedstmt->rtable)
	{
		RangeTblEntry *rte = lfirst(lc);
		SdOrder    *order;
		MemoryContext old;
		SdOp	   *op;

		if (rte->rtekind != RTE_RELATION || rte->ctename == NULL ||
			strncmp(rte->ctename, SD_ORDERED, strlen(SD_ORDERED)) != 0)
			continue;
		old = MemoryContextSwitchTo(query->estate->es_query_cxt);
		if (strcmp(rte->ctename + strlen(SD_ORDERED), SD_LOCAL_ORDER) == 0)
			order = sd_read_order(sd_last_order(), true);
		else
			order = sd_order_of(rte);
		op = sd_op_begin(query->estate);
		op->ordered = true;
		op->id = order->id;
		op->at = order->at;
		op->statement = sd_ordered_statement(order, rte->relid);
		op->restoring = order->task == SD_TASK_RESTORE;
		MemoryContextSwitchTo(old);

		set_locally("softdelete.actor", sd_actor, order->actor, PGC_USERSET);
		set_locally("softdelete.reason", sd_reason, order->reason, PGC_USERSET);
		set_locally("softdelete.hard_delete", sd_hard_delete ? "on" : "off",
					order->hard_delete ? "on" : "off", PGC_SUSET);
		return true;
	}
	return false;
}

/*
 * remote(deletion_id, order): true.  Where the library sees it on a shard, it follows
 * the order and takes the condition away.
 */
Datum
softdelete_remote(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(true);
}

/*
 * key_digest(): a hash of the cluster key, for enable() to compare nodes by; NULL where
 * none is set.
 */
Datum
softdelete_key_digest(PG_FUNCTION_ARGS)
{
	static const char text[] = "softdelete.cluster_key";
	char		seal[SD_SEAL_LENGTH + 1];

	if (sd_cluster_key == NULL || sd_cluster_key[0] == '\0')
		PG_RETURN_NULL();
	sd_seal(text, strlen(text), seal);
	PG_RETURN_TEXT_P(cstring_to_text(seal));
}

/* stamped_at(engine): when rows are marked by the running statement */
Datum
softdelete_stamped_at(PG_FUNCTION_ARGS)
{
	sd_check_engine_arg(fcinfo);
	PG_RETURN_TIMESTAMPTZ(sd_op_time());
}
