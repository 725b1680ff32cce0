/*
 * converted.c
 *		Tables that Citus has made anew under their names.
 *
 * undistribute_table(), alter_distributed_table() and their like copy a table to a
 * new one and drop the old.  What the extension's own tables say of it, by its OID,
 * is then said of the new one.  drops.c notes what such a tool drops, and when the
 * tool is done, whatever has the name is looked at.  Owns that list, which lives in
 * TopTransactionContext.
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

/* A tool has dropped the managed table of that name. */
void
sd_note_converted(Oid relid, const char *schema, const char *name)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Converted  *converted = palloc(sizeof(Converted));

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

/* The tool is done. */
static void
carry_all_over(void)
{
	List	   *list = dropped;
	ListCell   *lc;

	dropped = NIL;
	if (list == NIL)
		return;
	CommandCounterIncrement();
	foreach(lc, list)
	{
		Converted  *converted = lfirst(lc);
		Oid			schema = get_namespace_oid(converted->schema, true);
		Oid			new = OidIsValid(schema) ? get_relname_relid(converted->name, schema) : InvalidOid;

		if (OidIsValid(new) && sd_find_table(new) != NULL)
			carry_over(converted->old, new);
	}
}

static void
on_xact(XactEvent event, void *arg)
{
	dropped = NIL;				/* the memory goes with the transaction */
}

void
sd_converted_init(void)
{
	sd_tool_done_hook = carry_all_over;
	RegisterXactCallback(on_xact, NULL);
}
