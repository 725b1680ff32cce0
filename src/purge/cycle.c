/*
 * cycle.c
 *		Purging tables whose foreign keys refer to one another in a circle.
 *
 * There no table comes first.  Of all rows that are expired, those are left out
 * that have to stay because a row that stays refers to them, directly or not.
 * The others are erased in batches; a batch is completed by the rows that refer
 * to its rows, and all of them go in one query level, as if one statement had
 * deleted them, so that the keys find nothing to object to.
 *
 * purge.c purges a table by itself; what is expired says expiry.c.
 */
#include "postgres.h"

#include "purge/retention.h"
#include "purge/batch.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "compat.h"
#include "fk/deferred.h"
#include "engine/log.h"
#include "executor/executor.h"
#include "purge/expiry.h"
#include "funcapi.h"
#include "fk/orphan.h"
#include "tables/foreignkeys.h"
#include "miscadmin.h"
#include "tables/predicate.h"
#include "purge/purge.h"
#include "engine/statement.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(softdelete_purge_cycle);

/* so that the parameters of a statement suffice */
#define MAX_CYCLE ((FUNC_MAX_ARGS - 1) / 2 - 1)

/* a table or partition that rows are erased from */
typedef struct Leaf
{
	PurgeRun	run;
	int			which;			/* of the cycle's tables */
	SPIPlanPtr	eraser;
	Datum	   *tids;			/* of the rows of a batch */
	int			n;
	int			allocated;
} Leaf;

typedef struct Cycle
{
	PurgeRun   *tables;
	int			n_tables;
	Leaf	   *leaves;
	int			n_leaves;
	SPIPlanPtr	referrers;		/* finds all that refer to a set of rows */
} Cycle;

/* a set of rows, by table and ctid */
typedef struct RowSet
{
	Datum	   *relids;
	Datum	   *tids;
	int			n;
} RowSet;

/* ----------
 * Append, for each key between tables of the cycle, what one step along it
 * from the row (<from>.t, <from>.c) leads to:
 *
 * SELECT <to>.tableoid, <to>.ctid FROM parent p, child c
 *	WHERE <from table>.tableoid = <from>.t AND ... .ctid = <from>.c AND <key> UNION ALL ...
 *
 * up: from children to those parents that may go; else to all children
 * ----------
 */
static void
append_step(StringInfo buf, Cycle *cycle, const char *from, bool up)
{
	appendStringInfoString(buf, "SELECT NULL::pg_catalog.oid, NULL::pg_catalog.tid WHERE false");
	for (int parent = 0; parent < cycle->n_tables; parent++)
	{
		SdTable    *table = cycle->tables[parent].table;
		ListCell   *lc;

		foreach(lc, sd_all_children(table->relid))
		{
			SdKey	   *key = lfirst(lc);
			SdTable    *child = sd_table_by_oid(key->child);
			bool		inside = false;

			for (int i = 0; child != NULL && i < cycle->n_tables; i++)
				inside = inside || child->root == cycle->tables[i].root;
			if (!inside || !sd_key_needs_parent(key))
				continue;
			appendStringInfo(buf, " UNION ALL SELECT %s.tableoid, %s.ctid FROM %s p, %s c"
							 " WHERE %s.tableoid OPERATOR(pg_catalog.=) %s.t"
							 " AND %s.ctid OPERATOR(pg_catalog.=) %s.c AND ",
							 up ? "p" : "c", up ? "p" : "c",
							 sd_qualified_name(key->parent), sd_qualified_name(key->child),
							 up ? "c" : "p", from, up ? "c" : "p", from);
			sd_append_join(buf, key, "p", "c");
			if (up)
			{
				appendStringInfoString(buf, " AND ");
				sd_append_may_go(buf, table, "p", parent);
			}
		}
	}
}

/* ----------
 * WITH RECURSIVE candidate (t, c, stays) AS MATERIALIZED (<of every leaf>),
 *	stuck (t, c) AS (SELECT t, c FROM candidate WHERE stays
 *		UNION <what the stuck ones refer to>)
 * SELECT candidate.t, candidate.c, stuck.t IS NOT NULL
 *	FROM candidate LEFT JOIN stuck USING (t, c)
 * ----------
 */
static char *
candidates_text(Cycle *cycle)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "WITH RECURSIVE candidate (t, c, stays) AS MATERIALIZED (");
	for (int i = 0; i < cycle->n_leaves; i++)
	{
		Leaf	   *leaf = &cycle->leaves[i];

		appendStringInfo(&buf, "%sSELECT %u::pg_catalog.oid, x.ctid, x.stays FROM (",
						 i ? " UNION ALL " : "", leaf->run.relid);
		sd_append_candidates(&buf, leaf->run.table, cycle->tables, cycle->n_tables, leaf->which);
		appendStringInfoString(&buf, ") AS x(ctid, id, stays)");
	}
	appendStringInfoString(&buf, "), stuck (t, c) AS (SELECT k.t, k.c FROM candidate k WHERE k.stays"
						   " UNION SELECT r.t, r.c FROM stuck s CROSS JOIN LATERAL (");
	append_step(&buf, cycle, "s", true);
	appendStringInfo(&buf, ") AS r(t, c))"
					 " SELECT k.t, k.c, s.t IS NOT NULL FROM candidate k LEFT JOIN stuck s"
					 " ON s.t OPERATOR(pg_catalog.=) k.t AND s.c OPERATOR(pg_catalog.=) k.c"
					 " WHERE $%d IS NULL", SD_EXPIRY_PARAMS(cycle->n_tables) + 1);
	return buf.data;
}

/* ----------
 * WITH RECURSIVE found (t, c) AS (SELECT t, c FROM unnest($1, $2)
 *		UNION <what refers to the found ones>)
 * SELECT t, c FROM found
 * ----------
 */
static SPIPlanPtr
prepare_referrers(Cycle *cycle)
{
	Oid			types[3] = {OIDARRAYOID, TIDARRAYOID};
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "WITH RECURSIVE found (t, c) AS ("
						   "SELECT x.t, x.c FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS x(t, c)"
						   " UNION SELECT r.t, r.c FROM found f CROSS JOIN LATERAL (");
	append_step(&buf, cycle, "f", false);
	appendStringInfoString(&buf, ") AS r(t, c)) SELECT f.t, f.c FROM found f WHERE $3 IS NULL");
	/* a plan for each batch's ctids would scan the whole tables */
	return sd_prepare(buf.data, 2, types, cycle->tables[0].owner,
					  CURSOR_OPT_GENERIC_PLAN);
}

static Leaf *
leaf_of(Cycle *cycle, Oid relid)
{
	for (int i = 0; i < cycle->n_leaves; i++)
		if (cycle->leaves[i].run.relid == relid)
			return &cycle->leaves[i];
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" became a partition during the purge", get_rel_name(relid))));
	return NULL;
}

/* Sort the rows that SPI has found into the leaves' lists. */
static void
take_rows(Cycle *cycle)
{
	for (int i = 0; i < cycle->n_leaves; i++)
	{
		cycle->leaves[i].n = cycle->leaves[i].allocated = 0;
		cycle->leaves[i].tids = NULL;
	}
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[row];
		bool		isnull;
		Leaf	   *leaf = leaf_of(cycle, DatumGetObjectId(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull)));

		if (leaf->n == leaf->allocated)
		{
			leaf->allocated = Max(64, 2 * leaf->allocated);
			leaf->tids = leaf->tids ?
				repalloc_huge(leaf->tids, leaf->allocated * sizeof(Datum)) :
				palloc(leaf->allocated * sizeof(Datum));
		}
		leaf->tids[leaf->n++] = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull);
	}
}

typedef struct Attempt
{
	Cycle	   *cycle;
	RowSet	   *rows;
} Attempt;

/* Erase the rows and all that refer to them. */
static void
erase_set(void *argument)
{
	Cycle	   *cycle = ((Attempt *) argument)->cycle;
	RowSet	   *rows = ((Attempt *) argument)->rows;
	SdStatement reading = {SD_TASK_READ, .restricted = true};
	SdIdentity	before;
	Datum		values[3];
	EState	   *estate = CreateExecutorState();
	QueryDesc	query = {.estate = estate};
	SdStatement rest = {SD_TASK_PURGE};
	SdFrame		frame = {sd_frame, &query, &rest, NULL};
	SPITupleTable *found;

	values[0] = PointerGetDatum(construct_array(rows->relids, rows->n, OIDOID,
												sizeof(Oid), true, TYPALIGN_INT));
	values[1] = PointerGetDatum(construct_array(rows->tids, rows->n, TIDOID,
												sizeof(ItemPointerData), false,
												TYPALIGN_SHORT));
	sd_execute(cycle->referrers, values, &reading, cycle->tables[0].owner, true,
			   SD_VIEW_STATEMENT, 0);
	take_rows(cycle);
	found = SPI_tuptable;

	AfterTriggerBeginQuery();
	for (int i = 0; i < cycle->n_leaves; i++)
	{
		Leaf	   *leaf = &cycle->leaves[i];
		SdStatement statement = {0};

		leaf->run.purged = 0;	/* an attempt that failed may have set it */
		if (leaf->n == 0)
			continue;
		statement.guarded = true;
		sd_erase_rows(&leaf->run, &statement, leaf->eraser, leaf->tids, leaf->n, false);
		sd_log_note(statement.purged, GetUserId(), true);
		leaf->run.purged = statement.rows;
	}
	/* what foreign keys would take along besides is not ours to erase */
	sd_become(cycle->tables[0].owner, true, &before);
	sd_frame = &frame;
	PG_TRY();
	{
		AfterTriggerEndQuery(estate);
	}
	PG_FINALLY();
	{
		sd_frame = frame.outer;
	}
	PG_END_TRY();
	sd_become_again(&before);
	ExecResetTupleTable(estate->es_tupleTable, false);
	ExecCloseResultRelations(estate);
	FreeExecutorState(estate);
	SPI_freetuptable(found);

	for (int i = 0; i < cycle->n_leaves; i++)
		cycle->tables[cycle->leaves[i].which].purged += cycle->leaves[i].run.purged;
}

/* The same; where that fails, row by row, so that one stalls no other. */
static void
erase(Cycle *cycle, RowSet *rows)
{
	Attempt		all = {cycle, rows};

	if (rows->n == 0 || sd_attempt(erase_set, &all))
		return;
	for (int i = 0; i < rows->n; i++)
	{
		RowSet		one = {&rows->relids[i], &rows->tids[i], 1};
		Attempt		attempt = {cycle, &one};

		CHECK_FOR_INTERRUPTS();
		if (rows->n == 1 || !sd_attempt(erase_set, &attempt))
			cycle->tables[leaf_of(cycle, DatumGetObjectId(rows->relids[i]))->which].kept++;
	}
}

static void
add_leaves(Cycle *cycle, int which)
{
	ListCell   *lc;

	foreach(lc, find_all_inheritors(cycle->tables[which].root, RowExclusiveLock, NULL))
	{
		Leaf	   *leaf;

		if (get_rel_relkind(lfirst_oid(lc)) != RELKIND_RELATION ||
			sd_table_by_oid(lfirst_oid(lc)) == NULL)
			continue;
		cycle->leaves = cycle->leaves ?
			repalloc(cycle->leaves, (cycle->n_leaves + 1) * sizeof(Leaf)) :
			palloc(sizeof(Leaf));
		leaf = &cycle->leaves[cycle->n_leaves++];
		memset(leaf, 0, sizeof(Leaf));
		leaf->run = cycle->tables[which];
		leaf->run.relid = lfirst_oid(lc);
		leaf->run.table = sd_table_by_oid(leaf->run.relid);
		leaf->which = which;
		leaf->eraser = sd_prepare_eraser(&leaf->run);
	}
}

static void
purge_cycle(Cycle *cycle)
{
	SdStatement reading = {SD_TASK_READ, .restricted = true};
	Oid			owner = cycle->tables[0].owner;
	int			batch_size = cycle->tables[0].batch_size;
	Oid			types[FUNC_MAX_ARGS];
	Datum		values[FUNC_MAX_ARGS];
	RowSet		rows;
	Portal		portal;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "softdelete purge",
												  ALLOCSET_DEFAULT_SIZES);
	int			found;

	rows.relids = palloc(sizeof(Datum) * batch_size);
	rows.tids = palloc(sizeof(Datum) * batch_size);
	cycle->referrers = prepare_referrers(cycle);
	sd_expiry_values(cycle->tables, cycle->n_tables, types, values);
	portal = sd_open_cursor(candidates_text(cycle), SD_EXPIRY_PARAMS(cycle->n_tables),
							types, values, &reading, owner);

	while ((found = sd_fetch(portal, owner, batch_size)) > 0)
	{
		SPITupleTable *batch = SPI_tuptable;
		MemoryContext old = MemoryContextSwitchTo(context);

		CHECK_FOR_INTERRUPTS();
		rows.n = 0;
		for (int i = 0; i < found; i++)
		{
			bool		isnull;
			Datum		relid = SPI_getbinval(batch->vals[i], batch->tupdesc, 1, &isnull);

			if (DatumGetBool(SPI_getbinval(batch->vals[i], batch->tupdesc, 3, &isnull)))
			{
				cycle->tables[leaf_of(cycle, DatumGetObjectId(relid))->which].kept++;
				continue;
			}
			rows.relids[rows.n] = relid;
			rows.tids[rows.n++] = SPI_getbinval(batch->vals[i], batch->tupdesc, 2, &isnull);
		}
		erase(cycle, &rows);
		MemoryContextSwitchTo(old);
		MemoryContextReset(context);
		SPI_freetuptable(batch);
	}
	sd_close_cursor(portal);
	MemoryContextDelete(context);
}

/*
 * purge_cycle(tables, retentions, batch_size) -> (target, expired, purged,
 * kept) for each: erase the expired rows of tables of one owner that refer to
 * one another.
 */
Datum
softdelete_purge_cycle(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Cycle		cycle = {0};
	Datum	   *relids;
	Datum	   *retentions;
	int			n_retentions;
	List	   *waiting = NIL;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), REGCLASSOID, sizeof(Oid), true,
					  TYPALIGN_INT, &relids, NULL, &cycle.n_tables);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), INTERVALOID, sizeof(Interval), false,
					  TYPALIGN_DOUBLE, &retentions, NULL, &n_retentions);
	if (cycle.n_tables < 1 || cycle.n_tables > MAX_CYCLE || n_retentions != cycle.n_tables)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a cycle has between 1 and %d tables, and each a retention", (int) MAX_CYCLE)));
	InitMaterializedSRF(fcinfo, 0);

	cycle.tables = palloc0(sizeof(PurgeRun) * cycle.n_tables);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	for (int i = 0; i < cycle.n_tables; i++)
	{
		PurgeRun   *run = &cycle.tables[i];

		sd_start_purge(run, DatumGetObjectId(relids[i]),
					   DatumGetIntervalP(retentions[i]), PG_GETARG_INT32(2));
		if (run->owner != cycle.tables[0].owner)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("tables that refer to one another are purged only if they have one owner")));
	}
	for (int i = 0; i < cycle.n_tables; i++)
	{
		add_leaves(&cycle, i);
		if (cycle.tables[i].owner != GetUserId())
			waiting = list_concat(waiting, sd_make_immediate(cycle.tables[i].root));
	}
	purge_cycle(&cycle);
	sd_make_deferred(waiting);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");

	for (int i = 0; i < cycle.n_tables; i++)
	{
		PurgeRun   *run = &cycle.tables[i];
		Datum		values[4] = {relids[i], Int64GetDatum(run->purged + run->kept),
			Int64GetDatum(run->purged), Int64GetDatum(run->kept)};
		bool		nulls[4] = {false, false, false, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
