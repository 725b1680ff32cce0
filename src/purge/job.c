/*
 * job.c
 *		The log of maintenance: a row a job, kept up to date while it runs.
 *
 * Called by maintenance.c, in transactions of which it commits each.  Runs SQL as
 * the owner of the log; SPI is connected.
 */
#include "postgres.h"

#include "base/own_sql.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "purge/job.h"
#include "utils/builtins.h"

static Datum
role_name(void)
{
	return DirectFunctionCall1(namein,
							   CStringGetDatum(GetUserNameFromId(GetUserId(), false)));
}

/* Jobs of this role that still say that they run have lost their session. */
void
sd_job_sweep(void)
{
	Oid			types[1] = {NAMEOID};
	Datum		values[1] = {role_name()};

	sd_own_sql("UPDATE softdelete.job_log SET status = 'stopped',"
			   " finished_at = pg_catalog.clock_timestamp(), error = 'its session ended'"
			   " WHERE status OPERATOR(pg_catalog.=) 'running' AND run_by OPERATOR(pg_catalog.=) $1",
			   1, types, values);
}

/* Begin one, on a table or, InvalidOid, all. */
void
sd_job_begin(SdJob *job, const char *name, Oid target)
{
	Oid			types[3] = {TEXTOID, REGCLASSOID, NAMEOID};
	Datum		values[3];
	bool		isnull;

	values[0] = CStringGetTextDatum(name);
	values[1] = ObjectIdGetDatum(target);
	values[2] = role_name();
	sd_own_sql_nulls("INSERT INTO softdelete.job_log (job, target, run_by) VALUES ($1, $2, $3) RETURNING id",
					 3, types, values, OidIsValid(target) ? "   " : " n ");
	job->id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
										  SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
}

/* Write how far it is. */
void
sd_job_write(SdJob *job, const char *status)
{
	Oid			types[8] = {INT8OID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, TEXTOID, JSONBOID};
	char		nulls[] = "        ";
	Datum		values[8];

	if (job->id == 0)
		return;
	values[0] = Int64GetDatum(job->id);
	values[1] = CStringGetTextDatum(status);
	values[2] = Int64GetDatum(job->purged + job->kept.rows);
	values[3] = Int64GetDatum(job->purged);
	values[4] = Int64GetDatum(job->kept.rows);
	values[5] = Int64GetDatum(job->batches);
	if (job->error != NULL)
		values[6] = CStringGetTextDatum(job->error);
	else
		nulls[6] = 'n';
	if (job->kept.rows > 0)
		values[7] = sd_kept_jsonb(&job->kept);
	else
		nulls[7] = 'n';
	sd_own_sql_nulls("UPDATE softdelete.job_log SET status = $2, expired = $3, purged = $4,"
					 " kept = $5, batches = $6, error = $7, kept_why = $8,"
					 " finished_at = CASE WHEN $2 OPERATOR(pg_catalog.<>) 'running'"
					 " THEN pg_catalog.clock_timestamp() END"
					 " WHERE id OPERATOR(pg_catalog.=) $1",
					 8, types, values, nulls);
}
