/*
 * orphan.c
 *		Checks that no live row refers to a deleted one.
 *
 * Both run as the checked table's owner, as RI's checks do, and report what
 * RI would report.  Owns no state.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "base/errors.h"
#include "compat.h"
#include "engine/keyquery.h"
#include "engine/keyset.h"
#include "engine/statement.h"
#include "executor/spi.h"
#include "fk/orphan.h"
#include "miscadmin.h"
#include "tables/cluster.h"
#include "tables/foreignkeys.h"
#include "tables/names.h"
#include "tables/primarykey.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* "(post_id)=(7)" of the first row that SPI found */
static char *
found_key(Oid relid, AttrNumber *atts, int n)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < n; i++)
		appendStringInfo(&buf, "%s%s", i ? ", " : "(",
						 get_attname(relid, atts[i], false));
	for (int i = 0; i < n; i++)
		appendStringInfo(&buf, "%s%s", i ? ", " : ")=(",
						 SPI_getvalue(SPI_tuptable->vals[0],
									  SPI_tuptable->tupdesc, i + 1));
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

static void
report_children(SdKey *key, const char *found)
{
	const char *parent = get_rel_name(key->parent);
	const char *child = get_rel_name(key->child);
	bool		cascade = key->on_delete == FKCONSTR_ACTION_CASCADE;
	bool		restrict_error = SD_RESTRICT_HAS_OWN_ERROR &&
		key->on_delete == FKCONSTR_ACTION_RESTRICT;

	ereport(ERROR,
			(errcode(restrict_error ? ERRCODE_RESTRICT_VIOLATION :
					 ERRCODE_FOREIGN_KEY_VIOLATION),
			 restrict_error ?
			 errmsg("update or delete on table \"%s\" violates RESTRICT setting of foreign key constraint \"%s\" on table \"%s\"",
					parent, key->name, child) :
			 errmsg("update or delete on table \"%s\" violates foreign key constraint \"%s\" on table \"%s\"",
					parent, key->name, child),
			 found ?
			 errdetail("Key %s is still referenced from table \"%s\".", found, child) :
			 errdetail("Key is still referenced from table \"%s\".", child),
			 !cascade ? 0 :
			 sd_table_by_oid(key->child) == NULL ?
			 errhint("Table \"%s\" is not managed: SELECT softdelete.enable(%s) lets the delete cascade to it.",
					 child, quote_literal_cstr(sd_logical_name(key->child))) :
			 errhint("A trigger or rule of table \"%s\" kept its row from being deleted.",
					 child),
			 err_generic_string(PG_DIAG_SCHEMA_NAME,
								get_namespace_name(get_rel_namespace(key->child))),
			 err_generic_string(PG_DIAG_TABLE_NAME, child),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, key->name)));
}

/* add the keys that a run has found */
static void
add_found(SdKeySet *set, void *arg)
{
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull;

	for (uint64 row = 0; row < SPI_processed; row++)
	{
		for (int i = 0; i < set->key->n; i++)
			values[i] = SPI_getbinval(SPI_tuptable->vals[row],
									  SPI_tuptable->tupdesc, i + 1, &isnull);
		sd_key_set_add(arg, values);
	}
}

/* The keys of the set that such a query on the parents leaves, in a new set. */
static SdKeySet *
found_keys(SdQueryKind kind, SdKeySet *set)
{
	SdStatement statement = {SD_TASK_READ};
	SdKeySet   *found = sd_key_set(set->key, set->restored, set->of_parents, set->id);

	found->before = set->before;
	sd_execute_key_reading(kind, set, &statement, sd_owner_of(set->key->parent),
						   SD_VIEW_LATEST, 0, add_found, found);
	return found;
}

/* Those keys of the set whose parent is deleted, in a set of its own. */
SdKeySet *
sd_only_deleted(SdKeySet *set)
{
	return found_keys(SD_QUERY_DELETED, set);
}

/* Those whose parent is live. */
SdKeySet *
sd_only_live(SdKeySet *set)
{
	return found_keys(SD_QUERY_LIVE, set);
}

/* add the number that a run has counted */
static void
add_count(SdKeySet *set, void *arg)
{
	bool		isnull;

	*(int64 *) arg += DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
												  SPI_tuptable->tupdesc, 1, &isnull));
}

static int64
count_children(SdKeySet *set, SdView view)
{
	SdStatement statement = {SD_TASK_READ, .before = set->before};
	int64		n = 0;

	sd_execute_key_reading(SD_QUERY_COUNT, set, &statement, sd_owner_of(set->key->child),
						   view, 0, add_count, &n);
	return n;
}

/*
 * Does a live row refer to one of the keys that should not?  A SET NULL or SET
 * DEFAULT reference may stay behind a delete until the purge, and come back with
 * its row, so there only new ones count: more rows, live or deleted, than there
 * were as the parent was marked, or, if that was no command of this transaction,
 * before its first.  Leaves the key in SPI_tuptable (not for those).
 */
static bool
has_live_child(SdKeySet *set)
{
	SdStatement statement = {SD_TASK_READ};

	if (sd_key_needs_parent(set->key))
		return sd_execute_key(SD_QUERY_CHILD, set, &statement,
							  sd_owner_of(set->key->child), SD_VIEW_LATEST, 1) > 0;
	return count_children(set, SD_VIEW_LATEST) > count_children(set, SD_VIEW_BEFORE);
}

/*
 * Is there a live row that refers, by the set's foreign key, to one of these
 * deleted parents?  With report, raise foreign_key_violation for it.
 *
 * Parent and child may have different owners, so each is asked for by itself,
 * as its owner, the way RI does: a query on both would run under one's
 * privileges and row security on the other.
 */
bool
sd_find_orphan(SdKeySet *set, bool report)
{
	SdKey	   *key = set->key;

	if (sd_table_by_oid(key->parent) == NULL)
		return false;			/* disabled meanwhile */
	if (!has_live_child(set))
		return false;

	/* some of the parents may have been restored since */
	set = sd_only_deleted(set);
	if (set->n == 0 || !has_live_child(set))
		return false;
	if (report)
		report_children(key, sd_key_needs_parent(key) && sd_may_see(key->parent) ?
						found_key(key->parent, key->parent_atts, key->n) : NULL);
	return true;
}

/* the call that restores the parent; with its key, if that is the primary one */
static char *
restore_call(SdKey *key, bool tell)
{
	Relation	parent = table_open(key->parent, AccessShareLock);
	Oid			primary = sd_primary_key(parent);
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(primary));
	Form_pg_index index = HeapTupleIsValid(tuple) ? (Form_pg_index) GETSTRUCT(tuple) : NULL;
	StringInfoData buf;

	tell = tell && index != NULL && index->indnkeyatts == key->n;
	for (int i = 0; tell && i < key->n; i++)
		tell = index->indkey.values[i] == key->parent_atts[i];
	initStringInfo(&buf);
	appendStringInfo(&buf, "softdelete.restore(%s",
					 quote_literal_cstr(sd_logical_name(key->parent)));
	for (int i = 0; tell && i < key->n; i++)
		appendStringInfo(&buf, ", %s",
						 quote_literal_cstr(SPI_getvalue(SPI_tuptable->vals[0],
														 SPI_tuptable->tupdesc, i + 1)));
	appendStringInfoString(&buf, tell ? ")" : ", its key)");
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	table_close(parent, NoLock);
	return buf.data;
}

/* A restored row has a deleted parent. */
void
sd_raise_parent(SdKey *key)
{
	char	   *parent = get_rel_name(key->parent);
	bool		tell = sd_may_see(key->child);
	char	   *found;

	found = tell ? found_key(key->child, key->child_atts, key->n) : NULL;
	ereport(ERROR,
			(errcode(SD_ERRCODE_PARENT_DELETED),
			 errmsg("row of table \"%s\" cannot be restored while its parent in table \"%s\" is deleted",
					get_rel_name(key->child), parent),
			 found ?
			 errdetail("Key %s refers to a deleted row of table \"%s\" by foreign key \"%s\".",
					   found, parent, key->name) :
			 errdetail("Foreign key \"%s\" refers to a deleted row of table \"%s\".",
					   key->name, parent),
			 errhint("Restore the parent first: SELECT %s.", restore_call(key, tell)),
			 err_generic_string(PG_DIAG_TABLE_NAME, get_rel_name(key->child)),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, key->name)));
}

/* "insert or update on table ... violates", for a parent that is not there */
void
sd_raise_missing(SdKey *key, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("insert or update on table \"%s\" violates foreign key constraint \"%s\"",
					get_rel_name(key->child), key->name),
			 sd_may_see(key->child) ?
			 errdetail("Key %s is not present in table \"%s\".",
					   found_key(key->child, key->child_atts, key->n),
					   get_rel_name(key->parent)) :
			 errdetail("Key is not present in table \"%s\".",
					   get_rel_name(key->parent)),
			 errhint("%s", hint),
			 err_generic_string(PG_DIAG_SCHEMA_NAME,
								get_namespace_name(get_rel_namespace(key->child))),
			 err_generic_string(PG_DIAG_TABLE_NAME, get_rel_name(key->child)),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, key->name)));
}

/*
 * Those keys of the set that have no parent, live or deleted, in a set of its
 * own.  Whatever took the parent (a tool that swaps tables, triggers switched
 * off), a child that is restored would be an orphan.  A key that was not
 * validated may have had such children always, and one with a PERIOD may need
 * several parents.
 */
SdKeySet *
sd_missing_parents(SdKeySet *set)
{
	if (!set->key->validated || set->key->temporal)
		return sd_key_set(set->key, false, true, 0);
	return found_keys(SD_QUERY_MISSING, set);
}

/* The check of a key that was deferred. */
void
sd_check_deferred(SdKeySet *set)
{
	if (sd_find_orphan(set, !set->of_parents))
		sd_raise_parent(set->key);
	if (set->of_parents)
	{
		SdKeySet   *missing = sd_missing_parents(set);

		if (missing->n > 0 && has_live_child(missing))
			sd_raise_missing(set->key, "The row that it refers to is not there any more.");
	}
}

