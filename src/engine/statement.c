/*
 * statement.c
 *		Running the engine's own SQL.
 *
 * Every statement of the engine's own ends in "AND $n IS NULL", where $n has
 * type internal, is NULL, and yet carries a pointer to the SdStatement in its
 * value.  The planner hook knows by it that the statement is the engine's (and
 * takes the condition off again), the executor hooks find the SdStatement in
 * the parameter list.  No client can pass such a parameter, and a statement
 * that a user's trigger runs meanwhile does not have it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/identity.h"
#include "catalog/pg_type.h"
#include "engine/restoring.h"
#include "engine/statement.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/guc.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

/* the statement that is about to be planned; NULL otherwise */
SdStatement *sd_pending_statement = NULL;

/* The engine's statement that this query is, or NULL for a user's. */
SdStatement *
sd_statement_of(QueryDesc *query)
{
	ParamListInfo params = query->params;
	ParamExternData *last;

	if (params == NULL || params->numParams == 0 || params->paramFetch != NULL)
		return NULL;
	last = &params->params[params->numParams - 1];
	if (last->ptype != INTERNALOID || !last->isnull)
		return NULL;
	return (SdStatement *) DatumGetPointer(last->value);
}

/* The same, as the statement starts: what is planned from now on is not it. */
SdStatement *
sd_take_statement(QueryDesc *query)
{
	SdStatement *statement = sd_statement_of(query);

	if (statement != NULL && statement == sd_pending_statement)
		sd_pending_statement = NULL;
	return statement;
}

/*
 * Prepare text, to be run as role, InvalidOid for the caller.  types has room
 * for nargs + 1: the internal parameter, which the text must name as the last
 * one, is appended here.
 */
SPIPlanPtr
sd_prepare(const char *text, int nargs, Oid *types, Oid role, int options)
{
	SPIPlanPtr	plan;
	SdIdentity	before;

	types[nargs] = INTERNALOID;
	sd_become(role, false, &before);
	plan = SPI_prepare_cursor(text, nargs + 1, types, options);
	sd_become_again(&before);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed for \"%s\": %s",
			 text, SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * Run a plan of sd_prepare()'s.  values has room for the internal parameter
 * after the others, none of which is NULL.
 *
 * role: as for sd_prepare().  triggers_now: fire AFTER triggers at its
 * end, else leave them to the query level that surrounds it.
 */
int
sd_execute(SPIPlanPtr plan, Datum *values, SdStatement *statement,
		   Oid role, bool triggers_now, SdView view, long limit)
{
	SdStatement *save_pending = sd_pending_statement;
	int			nargs = SPI_getargcount(plan);
	char		nulls[FUNC_MAX_ARGS];
	Snapshot	snapshot = InvalidSnapshot;
	Snapshot	crosscheck = InvalidSnapshot;
	SdIdentity	before;
	int			result;

	memset(nulls, ' ', nargs);
	nulls[nargs - 1] = 'n';
	values[nargs - 1] = PointerGetDatum(statement);

	if (view == SD_VIEW_LATEST && IsolationUsesXactSnapshot())
	{
		CommandCounterIncrement();
		snapshot = GetLatestSnapshot();
		crosscheck = GetTransactionSnapshot();
	}
	else if (view == SD_VIEW_BEFORE)
	{
		/* what commands of our own did shows from their number on */
		snapshot = RegisterSnapshot(GetLatestSnapshot());
		snapshot->curcid = statement->before;
	}

	if (statement->task == SD_TASK_RESTORE)
		sd_show_as_update(plan, statement->relid);
	sd_become(role, statement->restricted, &before);
	sd_pending_statement = statement;
	PG_TRY();
	{
		result = SPI_execute_snapshot(plan, values, nulls, snapshot, crosscheck,
									  view == SD_VIEW_BEFORE, triggers_now, limit);
	}
	PG_FINALLY();
	{
		sd_pending_statement = save_pending;
	}
	PG_END_TRY();

	sd_become_again(&before);
	if (view == SD_VIEW_BEFORE)
		UnregisterSnapshot(snapshot);
	if (result < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s",
			 SPI_result_code_string(result));
	return result;
}

/*
 * A cursor over the rows of a SELECT, planned for these values; arguments as
 * above.
 */
Portal
sd_open_cursor(const char *text, int nargs, Oid *types, Datum *values,
			   SdStatement *statement, Oid role)
{
	SdStatement *save_pending = sd_pending_statement;
	SPIPlanPtr	plan = sd_prepare(text, nargs, types, role,
								  CURSOR_OPT_NO_SCROLL | CURSOR_OPT_CUSTOM_PLAN);
	char		nulls[FUNC_MAX_ARGS];
	Portal		portal;
	SdIdentity	before;

	memset(nulls, ' ', nargs);
	nulls[nargs] = 'n';
	values[nargs] = PointerGetDatum(statement);

	sd_become(role, statement->restricted, &before);
	sd_pending_statement = statement;
	PG_TRY();
	{
		portal = SPI_cursor_open(NULL, plan, values, nulls, false);
	}
	PG_FINALLY();
	{
		sd_pending_statement = save_pending;
	}
	PG_END_TRY();
	sd_become_again(&before);
	PinPortal(portal);			/* no CLOSE ALL in a user's trigger closes it */
	return portal;
}

/* The number of rows that are in SPI_tuptable now, at most count. */
int
sd_fetch(Portal portal, Oid role, long count)
{
	SdIdentity	before;

	sd_become(role, true, &before);
	SPI_cursor_fetch(portal, true, count);
	sd_become_again(&before);
	return SPI_processed;
}

/* The same, but hand the rows to a receiver. */
void
sd_fetch_into(Portal portal, Oid role, long count, DestReceiver *receiver)
{
	SdIdentity	before;

	sd_become(role, true, &before);
	(void) PortalRunFetch(portal, FETCH_FORWARD, count, receiver);
	sd_become_again(&before);
}

void
sd_close_cursor(Portal portal)
{
	UnpinPortal(portal);
	SPI_cursor_close(portal);
}
