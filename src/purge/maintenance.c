/*
 * maintenance.c
 *		CALL softdelete.run_maintenance(): all the upkeep, a transaction a batch.
 *
 * Policies, then the purge, then the log itself, each a job (steps.c).  A
 * session-level lock keeps a second run of the role away.
 */
#include "postgres.h"

#include "base/own_sql.h"
#include "base/spi.h"
#include "calls/rowbykey.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "purge/maintenance.h"
#include "purge/purge.h"
#include "purge/retention.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(softdelete_run_maintenance);

/* Of deletions of which nothing is left, and of jobs, forget the oldest. */
static void
clean_log_step(SdMaintenance *m)
{
	Oid			types[1] = {INT4OID};
	Datum		values[1] = {Int32GetDatum(m->batch_size)};

	m->more = sd_own_sql("SELECT FROM softdelete.clean_log($1) rows WHERE rows OPERATOR(pg_catalog.>=) $1",
						 1, types, values) > 0;
}

static void
clean_log(SdMaintenance *m)
{
	m->name = NULL;
	do
	{
		if (!sd_step(m, clean_log_step))
		{
			ereport(WARNING, (errmsg("the log was not cleaned: %s", m->job.error)));
			break;
		}
	} while (m->more && sd_go_on(m));
}

static char *
table_name(Oid relid)
{
	char	   *name = get_rel_name(relid);

	return name != NULL ? sd_relation_name(relid) : psprintf("%u", relid);
}

static void
plan_work(SdMaintenance *m)
{
	PushActiveSnapshot(GetTransactionSnapshot());
	sd_job_sweep();
	sd_job_begin(&m->all, "maintenance", m->target);
	sd_plan_policies(m);
	if (!m->policies_only)
		sd_plan_purge(m);
	PopActiveSnapshot();
	sd_commit(m);
}

static void
run_all(SdMaintenance *m)
{
	plan_work(m);
	for (int i = 0; i < m->n_policies && !m->stopped; i++)
	{
		m->policy = m->policies[i];
		m->name = table_name(m->policy_targets[i]);
		sd_run_job(m, psprintf("policy %s", m->policy), m->policy_targets[i], sd_run_policy);
	}
	for (int i = 0; i < m->n_groups && !m->stopped; i++)
	{
		m->group = &m->groups[i];
		m->retention = &m->group->retentions[0];
		m->name = table_name(m->group->tables[0]);
		sd_run_job(m, "purge", m->group->tables[0], sd_purge_group);
	}
	m->kept = m->all.kept;
	memset(&m->job, 0, sizeof(SdJob));
	if (!m->stopped)
		clean_log(m);

	if (m->failed > 0)
		m->all.error = psprintf("%d of its jobs failed", m->failed);
	else if (m->stopped)
		m->all.error = "the time budget was used up";
	sd_job_write(&m->all, m->failed > 0 ? SD_JOB_FAILED : m->stopped ? SD_JOB_STOPPED : SD_JOB_DONE);
	sd_commit(m);
	ereport(NOTICE,
			(errmsg("maintenance %s: %s" INT64_FORMAT " rows purged, " INT64_FORMAT " kept, " INT64_FORMAT " batches",
					m->failed > 0 ? "failed in part" : m->stopped ? "stopped" : "done",
					m->n_policies == 0 ? "" :
					psprintf(INT64_FORMAT " rows taken by policies, ", m->taken),
					m->all.purged, m->all.kept.rows, m->all.batches),
			 m->all.kept.rows == 0 ? 0 :
			 errdetail("Kept: %s.", sd_kept_text(&m->all.kept))));
}

/* What a run would do: done, told, and undone. */
static void
tell_what_would_be(SdMaintenance *m)
{
	Oid			types[3] = {REGCLASSOID, INT4OID, INTERVALOID};
	Datum		values[3] = {ObjectIdGetDatum(m->target), Int32GetDatum(m->batch_size),
	IntervalPGetDatum(m->older_than)};
	char		nulls[4] = {OidIsValid(m->target) ? ' ' : 'n', ' ', m->older_than ? ' ' : 'n', '\0'};

	sd_plan_policies(m);
	for (int i = 0; i < m->n_policies; i++)
	{
		Oid			type[1] = {TEXTOID};
		Datum		name[1] = {CStringGetTextDatum(m->policies[i])};

		if (SPI_execute_with_args("SELECT softdelete.run_policy($1, true)", 1, type, name, NULL,
								  false, 0) != SPI_OK_SELECT)
			elog(ERROR, "run_policy failed");
		ereport(NOTICE,
				(errmsg("policy \"%s\" would take %s rows of table \"%s\"", m->policies[i],
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
						table_name(m->policy_targets[i]))));
	}
	if (m->policies_only)
		return;
	if (SPI_execute_with_args("SELECT p.target, p.purged, p.kept FROM softdelete.purge_tables($1, $2, true, $3) p",
							  3, types, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "purge_tables failed");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *purged = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);
		char	   *kept = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 3);

		if (strcmp(purged, "0") != 0 || strcmp(kept, "0") != 0)
			ereport(NOTICE,
					(errmsg("%s rows of table \"%s\" would be purged, and %s kept", purged,
							SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1), kept)));
	}
}

/* ---------------------------------------------------------------- the call */

static int64
milliseconds(Interval *interval, const char *name)
{
	int64		us = interval->time +
		(interval->day + interval->month * INT64CONST(30)) * USECS_PER_DAY;

	if (us < 0 || interval->month > 12 * 10 || interval->day > 3660)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 0 and 10 years", name)));
	return us / 1000;
}

/* Raise unless the call may commit. */
static void
check_may_commit(FunctionCallInfo fcinfo)
{
	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("softdelete.run_maintenance() cannot run inside a transaction block"),
				 errdetail("It commits after each batch, which takes a CALL by itself: no BEGIN before it, no function, no other statement in the same message."),
				 errhint("Let the client commit automatically, or use SELECT * FROM softdelete.purge_expired(), which purges in the transaction it is in.")));
}

static void
read_arguments(FunctionCallInfo fcinfo, SdMaintenance *m)
{
	static const char *const names[] = {"target", "batch_size", "pause", "time_budget", "dry_run", "older_than"};

	for (int i = 1; i < 5; i++)
		if (i != 3 && PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names[i])));
	m->target = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
	m->batch_size = PG_GETARG_INT32(1);
	m->pause = milliseconds(PG_GETARG_INTERVAL_P(2), names[2]);
	if (!PG_ARGISNULL(3))
		m->deadline = GetCurrentTimestamp() + milliseconds(PG_GETARG_INTERVAL_P(3), names[3]) * 1000;
	if (!PG_ARGISNULL(5))
	{
		m->older_than = palloc(sizeof(Interval));
		*m->older_than = *PG_GETARG_INTERVAL_P(5);
		sd_check_older_than(m->older_than);
	}
	sd_check_batch_size(m->batch_size);
	if (OidIsValid(m->target) && sd_find_table(m->target) == NULL)
	{
		/* a table that keeps nothing may have policies that erase */
		sd_plan_policies(m);
		m->policies_only = m->n_policies > 0;
	}
	if (OidIsValid(m->target) && !m->policies_only)
	{
		sd_require_managed(m->target);
		sd_check_may_purge(m->target);
	}
	PreventCommandIfReadOnly("softdelete.run_maintenance()");
}

/* run_maintenance(target, batch_size, pause, time_budget, dry_run, older_than) */
Datum
softdelete_run_maintenance(PG_FUNCTION_ARGS)
{
	SdMaintenance m = {0};
	LOCKTAG		tag;

	if (SPI_connect_ext(PG_ARGISNULL(4) || !PG_GETARG_BOOL(4) ? SPI_OPT_NONATOMIC : 0) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	m.context = CurrentMemoryContext;
	read_arguments(fcinfo, &m);
	m.now = GetCurrentTimestamp();
	m.told = m.now;
	m.all.kept.context = m.context;
	if (PG_GETARG_BOOL(4))
	{
		tell_what_would_be(&m);
		sd_spi_finish();
		PG_RETURN_VOID();
	}
	check_may_commit(fcinfo);
	m.step_context = AllocSetContextCreate(m.context, "softdelete maintenance",
										   ALLOCSET_DEFAULT_SIZES);
	m.tids = palloc(sizeof(ItemPointerData) * m.batch_size);

	/*
	 * No SQL takes such a lock: it is not for users to keep a run away.  As one of
	 * the advisory kind it outlives a transaction that fails to commit.
	 */
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, AuthIdRelationId, GetUserId(), 1);
	tag.locktag_lockmethodid = USER_LOCKMETHOD;
	if (LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
	{
		ereport(NOTICE,
				(errmsg("softdelete.run_maintenance() is running already, as role \"%s\"",
						GetUserNameFromId(GetUserId(), false)),
				 errdetail("SELECT * FROM softdelete.job_runs WHERE status = 'running' tells how far it is.")));
		sd_spi_finish();
		PG_RETURN_VOID();
	}
	PG_TRY();
	{
		sd_commit(&m);
		run_all(&m);
	}
	PG_FINALLY();
	{
		LockRelease(&tag, ExclusiveLock, true);
	}
	PG_END_TRY();
	sd_spi_finish();
	PG_RETURN_VOID();
}
