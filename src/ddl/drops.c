/*
 * drops.c
 *		Drops of managed tables and of their triggers.
 *
 * Without its triggers a managed table would be an ordinary one, deleted rows
 * and all, so none of them can be dropped or replaced, be it by name or by a
 * CASCADE from a column or its type.  What goes together with its table or with
 * the extension may go; but PostgreSQL drops a trigger before it drops what the
 * trigger depends on, so while that happens it cannot be told, and is judged at
 * the end of the command.  Then, too, the retention of tables that it dropped is
 * removed.  An index of live rows that goes with a column takes the constraint
 * along that stands for it (livekeys.c).
 *
 * A DETACH PARTITION and our own disable() drop triggers as PostgreSQL's
 * "internal" deletions, which no SQL command of a user is, and those pass.  So
 * do the commands of a dump that is restored over what is there (row_security =
 * off, where nothing is hidden), which drop triggers before their tables.
 *
 * Owns the stack of running utility commands.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "base/guc.h"
#include "base/own_objects.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "catalog/dependency.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "ddl/converted.h"
#include "ddl/drops.h"
#include "ddl/livekeys.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tables/cluster.h"
#include "tables/names.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "tables/table.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(softdelete_drop_triggers);

typedef struct Drop
{
	Oid			relid;			/* a managed table */
	Oid			function;		/* of the first of its triggers to go */
	NameData	name;
	char	   *schema;			/* the table's names */
	char	   *table;
	bool		by_cluster;		/* on a node that follows the coordinator's commands */
} Drop;

static SdDrops *current = NULL;
static int	dropping = 0;		/* > 0 while drop_triggers() runs commands of its own */

/* A utility command begins; drops outside of one are not users' commands. */
void
sd_drops_begin(SdDrops *drops)
{
	drops->outer = current;
	drops->list = NIL;
	drops->stand_ins = NIL;
	current = drops;
}

/* It is done, or has failed. */
void
sd_drops_end(SdDrops *drops)
{
	current = drops->outer;
}

static SysScanDesc
scan_triggers(Relation catalog, Oid index, AttrNumber attnum, Oid value)
{
	ScanKeyData key;

	ScanKeyInit(&key, attnum, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(value));
	return systable_beginscan(catalog, index, true, NULL, 1, &key);
}

/* one of our triggers?  Those of partitions follow their table's. */
static bool
is_own(Form_pg_trigger form)
{
	Trigger		trigger = {.tgfoid = form->tgfoid};

	return !OidIsValid(form->tgparentid) && sd_is_own_trigger(&trigger);
}

/* A lock that stayed could deadlock with the stronger one of the drop. */
static bool
is_managed(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	bool		result = sd_table(rel) != NULL;

	table_close(rel, AccessShareLock);
	return result;
}

static bool
is_noted(Oid relid)
{
	ListCell   *lc;

	foreach(lc, current->list)
		if (((Drop *) lfirst(lc))->relid == relid)
			return true;
	return false;
}

/*
 * A trigger is about to be dropped, or has just been created.  What the scan sees of
 * the latter is the one that it replaces, whose row has a newer version, or, where it
 * is the table's first, itself.
 */
void
sd_drops_note(Oid trigger, bool created)
{
	Relation	catalog;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (current == NULL || !OidIsValid(sd_objects()->mark_trigger))
		return;
	catalog = table_open(TriggerRelationId, AccessShareLock);
	scan = scan_triggers(catalog, TriggerOidIndexId, Anum_pg_trigger_oid, trigger);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);

		if (!(created && (tuple->t_data->t_infomask & HEAP_XMAX_INVALID)) &&
			is_own(form) && !is_noted(form->tgrelid) && is_managed(form->tgrelid))
		{
			MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
			Drop	   *drop = palloc(sizeof(Drop));

			drop->relid = form->tgrelid;
			drop->function = form->tgfoid;
			drop->name = form->tgname;
			drop->table = get_rel_name(form->tgrelid);
			drop->schema = get_namespace_name(get_rel_namespace(form->tgrelid));
			drop->by_cluster = sd_is_distributed(form->tgrelid) && sd_local_node() != 0;
			current->list = lappend(current->list, drop);
			MemoryContextSwitchTo(old);
		}
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/* A relation is about to be dropped. */
void
sd_drops_note_relation(Oid relid)
{
	Oid			stand_in = current && row_security ? sd_stand_in_of(relid) : InvalidOid;
	MemoryContext old;

	if (!OidIsValid(stand_in))
		return;
	old = MemoryContextSwitchTo(TopTransactionContext);
	current->stand_ins = lappend_oid(current->stand_ins, stand_in);
	MemoryContextSwitchTo(old);
}

/* the table is gone, and so is what was said of it; the log stays */
static void
forget(Oid relid)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(relid)};

	sd_spi_connect();
	(void) sd_own_sql("DELETE FROM softdelete.retention WHERE target OPERATOR(pg_catalog.=) $1",
					  1, types, values);
	(void) sd_own_sql("DELETE FROM softdelete.replaced_rows WHERE target OPERATOR(pg_catalog.=) $1",
					  1, types, values);
	sd_spi_finish();
}

/* The command is done: was all that it dropped to be dropped? */
void
sd_drops_check(SdDrops *drops)
{
	ListCell   *lc;

	foreach(lc, drops->stand_ins)
	{
		ObjectAddress address;

		if (!SearchSysCacheExists1(CONSTROID, ObjectIdGetDatum(lfirst_oid(lc))))
			continue;
		ObjectAddressSet(address, ConstraintRelationId, lfirst_oid(lc));
		performDeletion(&address, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
	}
	foreach(lc, drops->list)
	{
		Drop	   *drop = lfirst(lc);

		/* gone with the extension */
		if (!SearchSysCacheExists1(PROCOID, ObjectIdGetDatum(drop->function)))
			continue;
		if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(drop->relid)))
		{
			if (sd_tool_depth > 0)
				sd_note_converted(drop->relid, drop->schema, drop->table);
			else
				forget(drop->relid);
		}
		else if (row_security && dropping == 0 && sd_tool_depth == 0 && !drop->by_cluster)
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("cannot drop trigger \"%s\" of managed table \"%s\"",
							NameStr(drop->name), get_rel_name(drop->relid)),
					 errdetail("Without its triggers the table's deleted rows would be live again, or would be erased."),
					 errhint("SELECT softdelete.disable(%s) first.",
							 quote_literal_cstr(sd_qualified_name(drop->relid)))));
	}
}

/* Citus has shards drop a trigger only where that is a command. */
static void
drop_by_command(Oid relid, List *names)
{
	ListCell   *lc;

	dropping++;
	PG_TRY();
	{
		sd_spi_connect();
		foreach(lc, names)
		{
			char	   *command = psprintf("DROP TRIGGER IF EXISTS %s ON %s",
										   quote_identifier(lfirst(lc)), sd_qualified_name(relid));

			if (SPI_execute(command, false, 0) < 0)
				elog(ERROR, "SPI_execute failed for \"%s\"", command);
		}
		sd_spi_finish();
	}
	PG_FINALLY();
	{
		dropping--;
	}
	PG_END_TRY();
}

/*
 * drop_triggers(table [, function]) -> how many of our own triggers there were,
 * whatever they are called by now.
 */
Datum
softdelete_drop_triggers(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	ObjectAddresses *triggers = new_object_addresses();
	Relation	catalog;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *names = NIL;

	sd_check_owner(relid);
	LockRelationOid(relid, AccessExclusiveLock);

	catalog = table_open(TriggerRelationId, RowExclusiveLock);
	scan = scan_triggers(catalog, TriggerRelidNameIndexId, Anum_pg_trigger_tgrelid, relid);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(tuple);
		ObjectAddress address;

		if (!is_own(form) || (PG_NARGS() > 1 && form->tgfoid != PG_GETARG_OID(1)))
			continue;
		ObjectAddressSet(address, TriggerRelationId, form->oid);
		add_exact_object_address(&address, triggers);
		names = lappend(names, pstrdup(NameStr(form->tgname)));
	}
	systable_endscan(scan);
	if (sd_is_distributed(relid))
		drop_by_command(relid, names);
	else
		performMultipleDeletions(triggers, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
	free_object_addresses(triggers);
	table_close(catalog, RowExclusiveLock);
	PG_RETURN_INT32(list_length(names));
}
