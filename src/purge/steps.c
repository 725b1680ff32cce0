/*
 * steps.c
 *		The transactions of a run of run_maintenance().
 *
 * Each step runs in a subtransaction, and a commit follows it: what was done stays
 * done, whatever comes next.  job.c writes down how far it is, with every commit.  A
 * step that fails ends its job and no other; a cancel ends the run.
 *
 * Called by maintenance.c and by what does the jobs (purgejob.c, policyjob.c).
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "purge/attempt.h"
#include "purge/maintenance.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

typedef struct Step
{
	SdMaintenance *m;
	void		(*work) (SdMaintenance *m);
} Step;

static void
do_step(void *argument)
{
	Step	   *step = argument;

	PushActiveSnapshot(GetTransactionSnapshot());
	sd_spi_connect();
	step->work(step->m);
	sd_spi_finish();
	PopActiveSnapshot();
}

/* Commit, and be in a new transaction, of the isolation that the purge is made for. */
static ErrorData *
try_commit(SdMaintenance *m)
{
	ErrorData  *volatile error = NULL;

	PG_TRY();
	{
		SPI_commit();
	}
	PG_CATCH();
	{
		/* a deferred trigger of a user's, say; that transaction is gone */
		MemoryContextSwitchTo(m->context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(m->context);
	XactIsoLevel = XACT_READ_COMMITTED;
	return error;
}

/* The same; what did not work out was in that transaction alone. */
void
sd_commit(SdMaintenance *m)
{
	(void) try_commit(m);
}

/* Write the end of what is not finished. */
static void
finish_all(SdMaintenance *m, const char *status, const char *error)
{
	SdJob	   *jobs[2] = {&m->job, &m->all};

	for (int i = 0; i < 2; i++)
	{
		if (jobs[i]->error == NULL)
			jobs[i]->error = error;
		sd_job_write(jobs[i], status);
		jobs[i]->id = 0;
	}
}

/* At most once a second. */
static void
tell(SdMaintenance *m)
{
	TimestampTz now = GetCurrentTimestamp();

	if (m->name == NULL || !TimestampDifferenceExceeds(m->told, now, 1000))
		return;
	m->told = now;
	ereport(NOTICE,
			(errmsg("table \"%s\": " INT64_FORMAT " rows purged and " INT64_FORMAT " kept so far",
					m->name, m->job.purged, m->job.kept.rows)));
}

/*
 * Do one step, and commit.  Where it fails, the job at hand has an error, and what
 * it had done before stays; a cancel ends it all.
 */
bool
sd_step(SdMaintenance *m, void (*work) (SdMaintenance *m))
{
	Step		argument = {m, work};
	SdJob		job = m->job;
	SdJob		all = m->all;
	ErrorData  *error;

	MemoryContextSwitchTo(m->step_context);
	error = sd_catch(do_step, &argument);
	if (error == NULL)
	{
		m->all.kept = m->kept;
		sd_add_kept(&m->all.kept, &m->job.kept);
		sd_job_write(&m->job, SD_JOB_RUNNING);
		sd_job_write(&m->all, SD_JOB_RUNNING);
		error = try_commit(m);
	}
	MemoryContextSwitchTo(m->context);
	if (error != NULL)
	{
		bool		cancelled = sd_is_cancel(error);

		m->job = job;
		m->all = all;
		m->job.error = pstrdup(error->message);
		if (cancelled)
		{
			finish_all(m, SD_JOB_STOPPED, m->job.error);
			sd_commit(m);
			ReThrowError(error);
		}
		sd_job_write(&m->job, SD_JOB_RUNNING);
		sd_commit(m);
	}
	MemoryContextReset(m->step_context);
	tell(m);
	return error == NULL;
}

/* Wait between two batches; false where the time is used up. */
bool
sd_go_on(SdMaintenance *m)
{
	if (m->deadline != 0 && GetCurrentTimestamp() >= m->deadline)
		m->stopped = true;
	else if (m->pause > 0)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 m->pause, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
	return !m->stopped;
}

static void
begin_job(SdMaintenance *m)
{
	sd_job_begin(&m->job, m->job_name, m->root);
}

/* Run one job, whatever comes of it. */
void
sd_run_job(SdMaintenance *m, const char *job_name, Oid target, SdWork work)
{
	const char *status = SD_JOB_DONE;

	m->job_name = job_name;
	m->root = target;
	m->kept = m->all.kept;
	memset(&m->job, 0, sizeof(SdJob));
	m->job.kept.context = m->context;
	if (sd_step(m, begin_job))
		(void) work(m);
	if (m->job.error != NULL)
	{
		status = SD_JOB_FAILED;
		m->failed++;
		ereport(WARNING,
				(errmsg("%s of table \"%s\" failed: %s", job_name,
						m->name ? m->name : "?", m->job.error)));
	}
	else if (m->stopped)
	{
		status = SD_JOB_STOPPED;
		m->job.error = "the time budget was used up";
	}
	sd_job_write(&m->job, status);
	m->job.id = 0;
	sd_commit(m);
}
