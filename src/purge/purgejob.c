/*
 * purgejob.c
 *		The purge of a table, a transaction a batch.
 *
 * What has expired is listed in a first transaction; each further one takes a
 * batch off the list, looks at its rows again and erases them.  Where that would
 * read the whole relation, each takes the next range of it.  So no lock on a row
 * lasts longer than a batch takes, and rows that have to stay are met once.  Tables
 * of a cycle go in one transaction.
 *
 * Called by maintenance.c, by way of steps.c.
 */
#include "postgres.h"

#include "base/spi.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "fk/deferred.h"
#include "miscadmin.h"
#include "purge/batch.h"
#include "purge/ctids.h"
#include "purge/maintenance.h"
#include "purge/purge.h"
#include "purge/relation.h"
#include "purge/replaced.h"
#include "purge/shards.h"
#include "tables/foreignkeys.h"
#include "tables/registry.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Which tables have rows to purge, in which order? */
void
sd_plan_purge(SdMaintenance *m)
{
	Oid			types[2] = {REGCLASSOID, INTERVALOID};
	Datum		values[2] = {ObjectIdGetDatum(m->target), IntervalPGetDatum(m->older_than)};
	char		nulls[3] = {OidIsValid(m->target) ? ' ' : 'n', m->older_than ? ' ' : 'n', '\0'};
	MemoryContext old;

	if (SPI_execute_with_args("SELECT p.targets, p.retentions FROM softdelete.purge_plan($1, $2) p",
							  2, types, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "purge_plan failed");
	old = MemoryContextSwitchTo(m->context);
	m->n_groups = SPI_processed;
	m->groups = palloc(sizeof(SdGroup) * Max(m->n_groups, 1));
	for (int i = 0; i < m->n_groups; i++)
	{
		SdGroup	   *group = &m->groups[i];
		HeapTuple	tuple = SPI_tuptable->vals[i];
		bool		isnull;
		Datum	   *tables;
		Datum	   *retentions;

		deconstruct_array(DatumGetArrayTypeP(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull)),
						  REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT, &tables, NULL, &group->n);
		deconstruct_array(DatumGetArrayTypeP(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull)),
						  INTERVALOID, sizeof(Interval), false, TYPALIGN_DOUBLE, &retentions, NULL, &group->n);
		group->tables = palloc(sizeof(Oid) * group->n);
		group->retentions = palloc(sizeof(Interval) * group->n);
		for (int j = 0; j < group->n; j++)
		{
			group->tables[j] = DatumGetObjectId(tables[j]);
			group->retentions[j] = *DatumGetIntervalP(retentions[j]);
		}
	}
	MemoryContextSwitchTo(old);
}

static void
start_run(SdMaintenance *m, PurgeRun *run)
{
	sd_start_purge(run, m->root, m->retention, m->batch_size, sd_tally_begin());
	run->now = m->now;
}

/* The relations of the table at hand. */
static void
list_leaves(SdMaintenance *m)
{
	MemoryContext old;
	PurgeRun	run;
	ListCell   *lc;

	start_run(m, &run);
	old = MemoryContextSwitchTo(m->context);
	m->leaves = NIL;
	foreach(lc, find_all_inheritors(m->root, AccessShareLock, NULL))
		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_RELATION &&
			sd_table_by_oid(lfirst_oid(lc)) != NULL)
			m->leaves = lappend_oid(m->leaves, lfirst_oid(lc));
	m->chained = list_length(m->leaves) > 1;
	foreach(lc, sd_table_by_oid(m->root)->children)
		m->chained |= ((SdKey *) lfirst(lc))->child == m->root;
	MemoryContextSwitchTo(old);
}

static void
list_expired(SdMaintenance *m)
{
	PurgeRun	run;

	start_run(m, &run);
	sd_open_relation(&run, m->leaf);
	m->direct = run.direct;
	m->crowded = false;
	run.n_atts = 0;				/* ctids will do */
	ItemPointerSet(&m->last, 0, 0);
	m->by_range = !sd_list_expired(&run, &m->last, m->list);
	sd_close_relation(&run);
}

static void
purge_batch(SdMaintenance *m)
{
	PurgeRun	run;
	PurgeRows	batch;
	List	   *waiting;

	start_run(m, &run);
	/* a key that is checked at the commit would fail the batch, and not a row */
	waiting = sd_make_immediate(m->root);
	sd_open_relation(&run, m->leaf);
	run.direct = run.direct && m->direct;
	run.crowded = m->crowded;
	sd_room_for_rows(&run, &batch);
	if (!m->by_range)
		sd_read_rows(&run, m->tids, m->n, &batch);
	else if (sd_fetch_range(&run, &m->last, &batch))
	{
		m->n = batch.n;
		if (batch.n > 0)
			m->last = batch.rows[batch.n - 1].tid;
	}
	else
	{
		/* the statistics have changed */
		m->by_range = !sd_list_expired(&run, &m->last, m->list);
		sd_ctids_rewind(m->list);
	}
	if (batch.n > 0)
		sd_erase_batch(&run, &batch);
	m->direct = run.direct;
	m->crowded = run.crowded;
	sd_close_relation(&run);
	sd_tally_write(run.tally);
	sd_make_deferred(waiting);

	m->job.purged += run.purged;
	m->all.purged += run.purged;
	sd_add_kept(&m->job.kept, &run.kept);
	if (m->by_range && m->n == 0)
		return;					/* there was none */
	m->job.batches++;
	m->all.batches++;
}

/* Is there a further batch?  Its ctids are read, but in a range. */
static bool
next_batch(SdMaintenance *m, bool first)
{
	if (m->by_range)
		return first || m->n == m->batch_size;
	m->n = sd_ctids_read(m->list, m->tids, m->batch_size);
	return m->n > 0;
}

/* Purge one relation of the table at hand. */
static bool
purge_leaf(SdMaintenance *m)
{
	volatile bool ok;

	m->list = sd_ctids_begin();
	PG_TRY();
	{
		ok = sd_step(m, list_expired);
		sd_ctids_rewind(m->list);
		for (bool first = true; ok && next_batch(m, first); first = false)
			ok = sd_step(m, purge_batch) && sd_go_on(m);
	}
	PG_FINALLY();
	{
		sd_ctids_end(m->list);
	}
	PG_END_TRY();
	return ok;
}

/* Rows that made room for others, by the table's retention. */
static void
purge_replaced(SdMaintenance *m)
{
	PurgeRun	run;
	int64		n;

	start_run(m, &run);
	n = sd_purge_replaced(m->root, m->retention, m->now);
	m->job.purged += n;
	m->all.purged += n;
}

/* All that has expired in a distributed table: a statement cannot take a part. */
static void
purge_distributed(SdMaintenance *m)
{
	PurgeRun	run;

	start_run(m, &run);
	sd_purge_shards(&run);
	m->job.purged += run.purged;
	m->all.purged += run.purged;
	sd_add_kept(&m->job.kept, &run.kept);
	m->job.batches++;
	m->all.batches++;
}

static bool
purge_table(SdMaintenance *m)
{
	SdKept		none = m->job.kept;
	int64		purged;
	ListCell   *lc;
	SdTable    *table = sd_find_table(m->root);

	if (table != NULL && table->distributed)
		return sd_step(m, purge_distributed);

	if (!sd_step(m, list_leaves))
		return false;
	/* a chain of rows that refer to one another goes from its end */
	do
	{
		purged = m->job.purged;
		m->job.kept = none;
		foreach(lc, m->leaves)
		{
			m->leaf = lfirst_oid(lc);
			if (!purge_leaf(m))
				return false;
		}
	} while (m->chained && m->job.kept.rows > 0 && m->job.purged > purged);
	return sd_step(m, purge_replaced);
}

/* Purge tables that refer to one another, in one transaction. */
static void
purge_cycle_once(SdMaintenance *m)
{
	SdGroup	   *group = m->group;
	Oid			types[3] = {REGCLASSARRAYOID, INTERVALARRAYOID, INT4OID};
	Datum		values[3];
	Datum	   *tables = palloc(sizeof(Datum) * group->n);
	Datum	   *retentions = palloc(sizeof(Datum) * group->n);

	for (int i = 0; i < group->n; i++)
	{
		tables[i] = ObjectIdGetDatum(group->tables[i]);
		retentions[i] = IntervalPGetDatum(&group->retentions[i]);
	}
	values[0] = PointerGetDatum(construct_array(tables, group->n, REGCLASSOID, sizeof(Oid),
												true, TYPALIGN_INT));
	values[1] = PointerGetDatum(construct_array(retentions, group->n, INTERVALOID, sizeof(Interval),
												false, TYPALIGN_DOUBLE));
	values[2] = Int32GetDatum(m->batch_size);
	if (SPI_execute_with_args("WITH c AS MATERIALIZED (SELECT * FROM softdelete.purge_cycle($1, $2, $3))"
							  " SELECT c.purged, NULL::pg_catalog.text FROM c UNION ALL"
							  " SELECT w.value::pg_catalog.text::pg_catalog.int8, w.key FROM c, pg_catalog.jsonb_each(c.kept_why) w",
							  3, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "purge_cycle failed");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		int64		rows = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
													   SPI_tuptable->tupdesc, 1, &isnull));
		char	   *why = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2);

		if (why != NULL)
			sd_keep(&m->job.kept, why, rows);
		else
		{
			m->job.purged += rows;
			m->all.purged += rows;
		}
	}
	m->job.batches++;
	m->all.batches++;
}

bool
sd_purge_group(SdMaintenance *m)
{
	return m->group->n > 1 ? sd_step(m, purge_cycle_once) : purge_table(m);
}
