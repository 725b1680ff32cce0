/*
 * converted.c
 *		Tables that Citus has made anew under their names.
 *
 * undistribute_table(), alter_distributed_table() and their like copy a table to a
 * new one and drop the old.  What the extension's own tables say of it, by its OID,
 * is then said of the new one.  drops.c notes what such a tool drops, and when the
 * tool is done, whatever has the name is looked at.  Others rename the table, which
 * becomes a shard, and make a shell of its name.  Owns the list of what was dropped,
 * which lives in TopTransactionContext.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "ddl/converted.h"
#include "executor/spi.h"
#include "mark/tools.h"
#include "tables/cluster.h"
#include "tables/registry.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct Converted
{
	Oid			old;
	char	   *schema;
	char	   *name;
} Converted;

static List *dropped = NIL;

static void
on_xact(XactEvent event, void *arg)
{
	dropped = NIL;				/* the memory goes with the transaction */
}

/* A tool has dropped the managed table of that name. */
void
sd_note_converted(Oid relid, const char *schema, const char *name)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Converted  *converted = palloc(sizeof(Converted));
	static bool registered = false;

	/* every transaction of a session calls it from now on */
	if (!registered)
	{
		RegisterXactCallback(on_xact, NULL);
		registered = true;
	}
	converted->old = relid;
	converted->schema = pstrdup(schema);
	converted->name = pstrdup(name);
	dropped = lappend(dropped, converted);
	MemoryContextSwitchTo(old);
}

static void
carry_over(Oid old, Oid new)
{
	static const char *const commands[] = {
		"UPDATE softdelete.retention SET target = $2 WHERE target OPERATOR(pg_catalog.=) $1",
		"UPDATE softdelete.deletion_log SET target = $2 WHERE target OPERATOR(pg_catalog.=) $1",
		("UPDATE softdelete.deletion_log SET tables = pg_catalog.array_replace(tables, $1, $2)"
		 " WHERE $1::pg_catalog.oid OPERATOR(pg_catalog.=) ANY (tables)"),
		"UPDATE softdelete.event_log SET target = $2 WHERE target OPERATOR(pg_catalog.=) $1",
		"UPDATE softdelete.event_log SET key_of = $2 WHERE key_of OPERATOR(pg_catalog.=) $1",
		"UPDATE softdelete.hold_log SET target = $2 WHERE target OPERATOR(pg_catalog.=) $1",
		"UPDATE softdelete.job_log SET target = $2 WHERE target OPERATOR(pg_catalog.=) $1",
		"UPDATE softdelete.policy SET target = $2 WHERE target OPERATOR(pg_catalog.=) $1"
	};
	Oid			types[2] = {REGCLASSOID, REGCLASSOID};
	Datum		values[2] = {ObjectIdGetDatum(old), ObjectIdGetDatum(new)};

	sd_spi_connect();
	for (size_t i = 0; i < lengthof(commands); i++)
		(void) sd_own_sql(commands[i], 2, types, values);
	sd_spi_finish();
}

/* The tables that are shards by now: Citus has made a shell of their name. */
static List *
become_shards(void)
{
	List	   *list = NIL;
	MemoryContext context = CurrentMemoryContext;
	int			n;

	sd_spi_connect();
	n = sd_own_sql("SELECT r.target FROM softdelete.retention r JOIN pg_catalog.pg_class c"
				   " ON c.oid OPERATOR(pg_catalog.=) r.target AND c.relname OPERATOR(pg_catalog.~) '_[0-9]+$'",
				   0, NULL, NULL);
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		Oid			relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
														   SPI_tuptable->tupdesc, 1, &isnull));
		MemoryContext old;

		if (sd_logical_oid(relid) == relid)
			continue;
		old = MemoryContextSwitchTo(context);
		list = lappend_oid(list, relid);
		MemoryContextSwitchTo(old);
	}
	sd_spi_finish();
	return list;
}

/* The tool is done. */
static void
carry_all_over(void)
{
	List	   *list = dropped;
	ListCell   *lc;

	dropped = NIL;
	if (!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;					/* it has changed nothing here */
	CommandCounterIncrement();
	foreach(lc, list)
	{
		Converted  *converted = lfirst(lc);
		Oid			schema = get_namespace_oid(converted->schema, true);
		Oid			new = OidIsValid(schema) ? get_relname_relid(converted->name, schema) : InvalidOid;

		if (OidIsValid(new) && sd_find_table(new) != NULL)
			carry_over(converted->old, new);
	}
	foreach(lc, become_shards())
		carry_over(lfirst_oid(lc), sd_logical_oid(lfirst_oid(lc)));
}

void
sd_converted_init(void)
{
	sd_tool_done_hook = carry_all_over;
}
