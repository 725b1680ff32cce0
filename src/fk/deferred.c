/*
 * deferred.c
 *		Checks of deferred foreign keys, that wait for the commit.
 *
 * A DELETE that leaves live rows referring to a deleted one by a NO ACTION key
 * that is deferred just now is not an error yet.  Its keys are kept here and
 * looked at again before the transaction commits or is prepared, or when SET
 * CONSTRAINTS makes the key immediate.  A reference that is made after the
 * DELETE needs nothing of this: its own check finds the parent deleted.
 *
 * Owns the lists of kept keys and of what SET CONSTRAINTS said; both live in
 * TopTransactionContext and follow subtransactions.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "base/identity.h"
#include "base/spi.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "commands/trigger.h"
#include "engine/keyset.h"
#include "fk/deferred.h"
#include "fk/orphan.h"
#include "nodes/makefuncs.h"
#include "tables/foreignkeys.h"
#include "tables/referrers.h"
#include "tables/rights.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

typedef struct Waiting
{
	SubTransactionId subid;
	SdKeySet   *set;
} Waiting;

typedef struct Setting
{
	SubTransactionId subid;
	Oid			constraint;		/* InvalidOid: ALL */
	bool		deferred;
} Setting;

static List *waiting = NIL;		/* oldest first */
static List *settings = NIL;	/* newest first */

/* Is the key deferred in this transaction, as things stand? */
bool
sd_is_deferred(SdKey *key)
{
	ListCell   *lc;

	if (!key->deferrable)
		return false;
	foreach(lc, settings)
	{
		Setting    *setting = lfirst(lc);

		if (!OidIsValid(setting->constraint) || setting->constraint == key->oid)
			return setting->deferred;
	}
	return key->deferred;
}

static void *
copy_array(const void *source, Size size)
{
	return memcpy(palloc(size), source, size);
}

/* the set, its key and its values in the current memory context */
static SdKeySet *
copy_set(SdKeySet *from)
{
	SdKeySet   *set = copy_array(from, sizeof(SdKeySet));
	SdKey	   *key = copy_array(from->key, sizeof(SdKey));
	int			n = key->n;

	key->name = pstrdup(key->name);
	key->child_atts = copy_array(key->child_atts, sizeof(AttrNumber) * n);
	key->parent_atts = copy_array(key->parent_atts, sizeof(AttrNumber) * n);
	key->own_atts = copy_array(key->own_atts, sizeof(AttrNumber) * n);
	key->operators = copy_array(key->operators, sizeof(Oid) * n);
	set->key = key;
	set->types = copy_array(set->types, sizeof(Oid) * n);
	set->lens = copy_array(set->lens, sizeof(int16) * n);
	set->byvals = copy_array(set->byvals, sizeof(bool) * n);
	set->values = copy_array(set->values, sizeof(Datum *) * n);
	for (int i = 0; i < n; i++)
	{
		int16		len;
		bool		byval;

		get_typlenbyval(set->types[i], &len, &byval);
		set->values[i] = palloc_extended(sizeof(Datum) * set->n, MCXT_ALLOC_HUGE);
		for (int row = 0; row < set->n; row++)
			set->values[i][row] = datumCopy(from->values[i][row], byval, len);
	}
	set->allocated = set->n;
	return set;
}

/* Check the keys of the set again at commit. */
void
sd_defer(SdKeySet *set)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Waiting    *entry = palloc(sizeof(Waiting));

	entry->subid = GetCurrentSubTransactionId();
	entry->set = copy_set(set);
	waiting = lappend(waiting, entry);
	MemoryContextSwitchTo(old);
}

/* The foreign key, or one of its tables, may have been dropped meanwhile. */
static bool
still_there(SdKey *key)
{
	return SearchSysCacheExists1(CONSTROID, ObjectIdGetDatum(key->oid)) &&
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(key->parent)) &&
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(key->child));
}

/* Check what waits; with all not set, only what is immediate by now. */
static void
check_waiting(bool all)
{
	ListCell   *lc;

	if (waiting == NIL)
		return;
	PushActiveSnapshot(GetTransactionSnapshot());
	sd_spi_connect();
	foreach(lc, waiting)
	{
		Waiting    *entry = lfirst(lc);

		if ((all || !sd_is_deferred(entry->set->key)) &&
			still_there(entry->set->key))
			sd_check_deferred(entry->set);
	}
	sd_spi_finish();
	PopActiveSnapshot();
}

/* the constraints of that name in the schema */
static List *
constraints_of(Oid schema, const char *name)
{
	Relation	catalog = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *oids = NIL;

	ScanKeyInit(&key[0], Anum_pg_constraint_conname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum(name));
	ScanKeyInit(&key[1], Anum_pg_constraint_connamespace, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(schema));
	scan = systable_beginscan(catalog, ConstraintNameNspIndexId, true, NULL, 2, key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		oids = lappend_oid(oids, ((Form_pg_constraint) GETSTRUCT(tuple))->oid);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return oids;
}

/*
 * The constraints that a name in SET CONSTRAINTS means, as
 * AfterTriggerSetState() finds them: without a schema, those of the first one in
 * the search path that has any.
 */
static List *
named_constraints(RangeVar *name)
{
	List	   *schemas;
	List	   *oids = NIL;
	ListCell   *lc;

	schemas = name->schemaname ?
		list_make1_oid(LookupExplicitNamespace(name->schemaname, false)) :
		fetch_search_path(true);
	foreach(lc, schemas)
	{
		oids = constraints_of(lfirst_oid(lc), name->relname);
		if (oids != NIL)
			break;
	}
	list_free(schemas);
	return oids;
}

static void
note_setting(Oid constraint, bool deferred)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	Setting    *setting = palloc(sizeof(Setting));

	setting->subid = GetCurrentSubTransactionId();
	setting->constraint = constraint;
	setting->deferred = deferred;
	settings = lcons(setting, settings);
	MemoryContextSwitchTo(old);
}

/* SET CONSTRAINTS was carried out: note it, and check what became immediate. */
void
sd_set_constraints(ConstraintsSetStmt *stmt)
{
	ListCell   *lc;
	ListCell   *lo;

	if (stmt->constraints == NIL)
		note_setting(InvalidOid, stmt->deferred);
	foreach(lc, stmt->constraints)
		foreach(lo, named_constraints(lfirst_node(RangeVar, lc)))
			note_setting(lfirst_oid(lo), stmt->deferred);
	if (!stmt->deferred)
		check_waiting(false);
}

/*
 * Has a constraint beside the key's, in the same schema, the key's name and
 * another state?  SET CONSTRAINTS knows them by their names only.
 */
static bool
shares_name(SdKey *key)
{
	Relation	catalog = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData scankey[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&scankey[0], Anum_pg_constraint_conname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum(key->name));
	ScanKeyInit(&scankey[1], Anum_pg_constraint_connamespace, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(get_rel_namespace(key->child)));
	scan = systable_beginscan(catalog, ConstraintNameNspIndexId, true, NULL, 2, scankey);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_constraint con = (Form_pg_constraint) GETSTRUCT(tuple);

		found = !con->condeferrable || con->condeferred != key->deferred;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

static void
set_deferred(List *keys, bool deferred)
{
	ListCell   *lc;

	foreach(lc, keys)
	{
		SdKey	   *key = lfirst(lc);
		ConstraintsSetStmt *stmt = makeNode(ConstraintsSetStmt);
		char	   *schema;
		SdIdentity	before;

		if (deferred && shares_name(key))
			continue;			/* stays immediate in this transaction */
		schema = get_namespace_name(get_rel_namespace(key->child));
		stmt->constraints = list_make1(makeRangeVar(schema, pstrdup(key->name), -1));
		stmt->deferred = deferred;
		/* the caller need not have USAGE on the schema */
		sd_become(sd_owner_of(key->child), false, &before);
		AfterTriggerSetState(stmt);
		sd_become_again(&before);
	}
}

static void
collect_deferred(Oid relid, List **visited, List **constraints)
{
	ListCell   *lc;

	if (list_member_oid(*visited, relid))
		return;
	*visited = lappend_oid(*visited, relid);
	foreach(lc, sd_all_children(relid))
	{
		SdKey	   *key = lfirst(lc);

		if (sd_is_deferred(key))
			*constraints = lappend(*constraints, key);
		if (key->on_delete == FKCONSTR_ACTION_CASCADE)
			collect_deferred(key->child, visited, constraints);
	}
}

/*
 * Make the foreign keys that rows of the table may be referred to by check at
 * once: under sd_become() with restricted nothing can wait for the commit.
 * Returns those that waited, for sd_make_deferred() to undo it.
 */
List *
sd_make_immediate(Oid relid)
{
	List	   *visited = NIL;
	List	   *constraints = NIL;

	collect_deferred(relid, &visited, &constraints);
	set_deferred(constraints, false);
	return constraints;
}

void
sd_make_deferred(List *constraints)
{
	set_deferred(constraints, true);
}

static void
on_xact(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			check_waiting(true);
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_ABORT:
			waiting = NIL;		/* the memory goes with the transaction */
			settings = NIL;
			break;
		default:
			break;
	}
}

static void
on_subxact(SubXactEvent event, SubTransactionId subid,
		   SubTransactionId parent, void *arg)
{
	ListCell   *lc;

	if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		foreach(lc, waiting)
			if (((Waiting *) lfirst(lc))->subid == subid)
				((Waiting *) lfirst(lc))->subid = parent;
		foreach(lc, settings)
			if (((Setting *) lfirst(lc))->subid == subid)
				((Setting *) lfirst(lc))->subid = parent;
	}
	else if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		foreach(lc, waiting)
			if (((Waiting *) lfirst(lc))->subid == subid)
				waiting = foreach_delete_current(waiting, lc);
		foreach(lc, settings)
			if (((Setting *) lfirst(lc))->subid == subid)
				settings = foreach_delete_current(settings, lc);
	}
}

void
sd_deferred_init(void)
{
	RegisterXactCallback(on_xact, NULL);
	RegisterSubXactCallback(on_subxact, NULL);
}
