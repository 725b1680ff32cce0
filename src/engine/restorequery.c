/*
 * restorequery.c
 *		Queries that restore children, but those that another deleted row holds.
 *
 * A child may refer to several rows.  When one of them is restored, the child
 * comes back unless another, that it needs as well, stays deleted.  Parent and
 * child may have different owners, so each table is asked as its owner, and what
 * was found is handed on as parameters.  cascade.c calls this.  Keeps no plans:
 * tables without a second key use keyquery.c's.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "engine/keyquery.h"
#include "engine/restorequery.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/lsyscache.h"

static bool
has_array_types(SdKeySet *set)
{
	for (int i = 0; i < set->key->n; i++)
		if (!OidIsValid(get_array_type(set->types[i])))
			return false;
	return true;
}

/* Append run keys of the set to the parameters: as arrays, or the one as it is. */
static int
append_params(SdKeySet *set, bool many, int first, int run, Oid *types, Datum *values,
			  int n)
{
	for (int i = 0; i < set->key->n; i++)
	{
		types[n] = many ? get_array_type(set->types[i]) : set->types[i];
		values[n++] = many ? sd_keys_array(set, i, first, run) : set->values[i][first];
	}
	return n;
}

/* Run it once, as the owner of the child. */
static void
execute(const char *text, int nargs, Oid *types, Datum *values, SdStatement *statement,
		Oid owner)
{
	SPIPlanPtr	plan = sd_prepare(text, nargs, types, owner, CURSOR_OPT_CUSTOM_PLAN);

	sd_execute(plan, values, statement, owner, false, SD_VIEW_LATEST, 0);
	SPI_freeplan(plan);
}

/* the condition that the row belongs to the deletion, parameter $n */
static void
append_of_deletion(StringInfo buf, SdTable *child, int n)
{
	/* no plain "=", see keyquery.c */
	appendStringInfo(buf, " AND (c.%s OPERATOR(pg_catalog.#) $%d) OPERATOR(pg_catalog.=) 0",
					 sd_column_name(child->relid, child->id), n);
}

/* "NOT (c.own key = c.fk1 ...)": a row that refers to itself holds nobody */
static void
append_not_itself(StringInfo buf, SdKey *other)
{
	appendStringInfoString(buf, " AND NOT (");
	for (int i = 0; i < other->n; i++)
	{
		if (i > 0)
			appendStringInfoString(buf, " AND ");
		sd_append_equal(buf, psprintf("c.%s", sd_column_name(other->parent, other->parent_atts[i])),
						get_atttype(other->parent, other->parent_atts[i]), other->operators[i],
						psprintf("c.%s", sd_column_name(other->child, other->child_atts[i])),
						get_atttype(other->child, other->child_atts[i]));
	}
	appendStringInfoChar(buf, ')');
}

/*
 * The keys by which the children of the set, of its deletion, refer to rows of
 * another table, in a set of their own.
 */
SdKeySet *
sd_other_parents(SdKeySet *set, SdKey *other, Oid owner)
{
	SdTable    *child = sd_table_by_oid(other->child);
	SdKeySet   *found = sd_key_set(other, false, true, 0);
	bool		many = has_array_types(set);
	int			n = set->key->n;
	StringInfoData buf;

	/* ----------
	 * SELECT c.b1 [, ...] FROM keys k, [ONLY] child c WHERE k.k1 = c.fk1 [AND ...]
	 *	AND c is deleted AND (c.deletion_id # $n) = 0 AND c.b1 IS NOT NULL [AND ...]
	 *	[AND NOT (c.pk1 = c.b1 ...)] AND $m IS NULL
	 * ----------
	 */
	initStringInfo(&buf);
	for (int i = 0; i < other->n; i++)
		appendStringInfo(&buf, "%s c.%s", i ? "," : "SELECT",
						 sd_column_name(other->child, other->child_atts[i]));
	appendStringInfoString(&buf, " FROM ");
	sd_append_keys(&buf, n, many);
	appendStringInfo(&buf, ", %s%s c WHERE ", sd_only(other->child),
					 sd_qualified_name(other->child));
	sd_append_match(&buf, set->key, "c", true, true, set->types);
	appendStringInfo(&buf, " AND %s", sd_table_predicate(child, false, "c"));
	append_of_deletion(&buf, child, n + 1);
	for (int i = 0; i < other->n; i++)
		appendStringInfo(&buf, " AND c.%s IS NOT NULL",
						 sd_column_name(other->child, other->child_atts[i]));
	if (other->child == other->parent)
		append_not_itself(&buf, other);
	appendStringInfo(&buf, " AND $%d IS NULL", n + 2);

	for (int first = 0, run; first < set->n; first += run)
	{
		SdStatement statement = {SD_TASK_READ};
		Oid			types[FUNC_MAX_ARGS];
		Datum		values[FUNC_MAX_ARGS];

		CHECK_FOR_INTERRUPTS();
		run = many ? sd_keys_per_run(set, first) : 1;
		append_params(set, many, first, run, types, values, 0);
		types[n] = INT8OID;
		values[n] = Int64GetDatum(set->id);
		execute(buf.data, n + 1, types, values, &statement, owner);
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			bool		isnull;

			for (int k = 0; k < other->n; k++)
				values[k] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
										  k + 1, &isnull);
			sd_key_set_add(found, values);
		}
		SPI_freetuptable(SPI_tuptable);
	}
	return found;
}

/*
 * The children of the set, of its deletion, that are deleted still: tableoid and
 * ctid of each in SPI_tuptable.
 */
void
sd_find_deleted_children(SdKeySet *set, Oid owner)
{
	SdTable    *child = sd_table_by_oid(set->key->child);
	SdStatement statement = {SD_TASK_READ};
	Oid			types[FUNC_MAX_ARGS];
	Datum		values[FUNC_MAX_ARGS];
	int			n = set->key->n;
	StringInfoData buf;

	/* ----------
	 * SELECT c.tableoid, c.ctid FROM keys k, [ONLY] child c WHERE k.k1 = c.fk1 [AND ...]
	 *	AND c is deleted AND (c.deletion_id # $n) = 0 AND $m IS NULL
	 * ----------
	 */
	SPI_processed = 0;
	if (!has_array_types(set))
		return;
	initStringInfo(&buf);
	appendStringInfoString(&buf, "SELECT c.tableoid, c.ctid FROM ");
	sd_append_keys(&buf, n, true);
	appendStringInfo(&buf, ", %s%s c WHERE ", sd_only(child->relid),
					 sd_qualified_name(child->relid));
	sd_append_match(&buf, set->key, "c", true, true, set->types);
	appendStringInfo(&buf, " AND %s", sd_table_predicate(child, false, "c"));
	append_of_deletion(&buf, child, n + 1);
	appendStringInfo(&buf, " AND $%d IS NULL", n + 2);
	append_params(set, true, 0, sd_keys_per_run(set, 0), types, values, 0);
	types[n] = INT8OID;
	values[n] = Int64GetDatum(set->id);
	execute(buf.data, n + 1, types, values, &statement, owner);
}

/*
 * Restore the children of the set that are of its deletion, but not those that
 * refer to one of the keys in "but", a list of sets.
 */
void
sd_restore_children_but(SdKeySet *set, List *but, SdStatement *statement, Oid owner)
{
	SdKey	   *key = set->key;
	SdTable    *child = sd_table_by_oid(key->child);
	bool		many = has_array_types(set);
	int			n = key->n + 1;
	StringInfoData buf;
	ListCell   *lc;
	List	   *used = NIL;

	/* ----------
	 * DELETE FROM [ONLY] child c USING keys k WHERE k.k1 = c.fk1 [AND ...]
	 *	AND (c.deletion_id # $n) = 0
	 *	AND NOT EXISTS (SELECT FROM held keys k WHERE k.k1 = c.b1 [AND ...]) [AND ...]
	 *	AND $m IS NULL
	 * ----------
	 */
	initStringInfo(&buf);
	appendStringInfo(&buf, "DELETE FROM %s%s c USING ", sd_only(key->child),
					 sd_qualified_name(key->child));
	sd_append_keys(&buf, key->n, many);
	appendStringInfoString(&buf, " WHERE ");
	sd_append_match(&buf, key, "c", true, true, set->types);
	append_of_deletion(&buf, child, n);
	foreach(lc, but)
	{
		SdKeySet   *held = lfirst(lc);

		/* the check at the end of the operation finds what is left out here */
		if (!has_array_types(held) || sd_keys_per_run(held, 0) < held->n ||
			n + held->key->n + 1 > FUNC_MAX_ARGS - 1)
			continue;
		used = lappend(used, held);
		appendStringInfoString(&buf, " AND NOT EXISTS (SELECT FROM ROWS FROM (");
		for (int i = 0; i < held->key->n; i++)
			appendStringInfo(&buf, "%spg_catalog.unnest($%d)", i ? ", " : "", ++n);
		appendStringInfoString(&buf, ") AS k(");
		for (int i = 0; i < held->key->n; i++)
			appendStringInfo(&buf, "%sk%d", i ? ", " : "", i + 1);
		appendStringInfoString(&buf, ") WHERE ");
		sd_append_match(&buf, held->key, "c", true, true, held->types);
		appendStringInfoChar(&buf, ')');
	}
	appendStringInfo(&buf, " AND $%d IS NULL", n + 1);

	for (int first = 0, run; first < set->n; first += run)
	{
		Oid			types[FUNC_MAX_ARGS];
		Datum		values[FUNC_MAX_ARGS];

		CHECK_FOR_INTERRUPTS();
		run = many ? sd_keys_per_run(set, first) : 1;
		n = append_params(set, many, first, run, types, values, 0);
		types[n] = INT8OID;
		values[n++] = Int64GetDatum(set->id);
		foreach(lc, used)
			n = append_params(lfirst(lc), true, 0, ((SdKeySet *) lfirst(lc))->n, types, values, n);
		execute(buf.data, n, types, values, statement, owner);
	}
}
