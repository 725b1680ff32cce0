/*
 * policyjob.c
 *		Policies as jobs of run_maintenance().
 *
 * What a policy does is told by softdelete.policy_step(), which does a batch.
 * Called by maintenance.c, by way of steps.c.
 */
#include "postgres.h"

#include "base/own_objects.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "purge/maintenance.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Which policies are there to run?  Into m's own memory, as the rest. */
void
sd_plan_policies(SdMaintenance *m)
{
	Oid			types[2] = {REGCLASSOID, OIDOID};
	Datum		values[2] = {ObjectIdGetDatum(m->target), ObjectIdGetDatum(GetUserId())};
	MemoryContext old;

	if (!OidIsValid(get_relname_relid("policy", sd_objects()->schema)))
		return;
	sd_own_sql("SELECT p.name::pg_catalog.text, p.target FROM softdelete.policy p"
			   " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) p.target"
			   " WHERE (p.target OPERATOR(pg_catalog.=) $1 OR $1 OPERATOR(pg_catalog.=) 0::pg_catalog.oid)"
			   " AND pg_catalog.pg_has_role($2, c.relowner, 'USAGE')"
			   " ORDER BY p.name", 2, types, values);
	old = MemoryContextSwitchTo(m->context);
	m->n_policies = SPI_processed;
	m->policies = palloc(sizeof(char *) * Max(m->n_policies, 1));
	m->policy_targets = palloc(sizeof(Oid) * Max(m->n_policies, 1));
	for (int i = 0; i < m->n_policies; i++)
	{
		bool		isnull;

		m->policies[i] = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		m->policy_targets[i] = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
															  SPI_tuptable->tupdesc, 2, &isnull));
	}
	MemoryContextSwitchTo(old);
}

/* One batch of a policy's rows, as its owner has it (see policy_step()). */
static void
run_policy_step(SdMaintenance *m)
{
	Oid			types[2] = {TEXTOID, INT4OID};
	Datum		values[2] = {CStringGetTextDatum(m->policy), Int32GetDatum(m->batch_size)};
	int64		rows;
	bool		isnull;
	bool		none;

	if (SPI_execute_with_args("SELECT p.rows, p.more FROM softdelete.policy_step($1, $2) p",
							  2, types, values, NULL, false, 0) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "policy_step failed");
	rows = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &none));
	m->job.purged += rows;
	m->taken += rows;
	m->more = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull)) && !isnull;
	m->job.batches++;
	m->all.batches++;
}

bool
sd_run_policy(SdMaintenance *m)
{
	do
	{
		if (!sd_step(m, run_policy_step))
			return false;
	} while (m->more && sd_go_on(m));
	return !m->stopped;
}
