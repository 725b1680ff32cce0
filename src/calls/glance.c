/*
 * glance.c
 *		What can be told about a table at a glance.
 *
 * enable() has to think of inheritance, foreign keys, odd indexes and former
 * markers.  Most tables have none of them, and to find that out by queries takes
 * a session that has not planned them yet longer than all the rest.  So here a
 * few reads of catalogs say it; where they do not, the queries do.  Each answer
 * is the sure one: "no" (or NULL) may only mean that somebody has to look closer.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "base/own_objects.h"
#include "catalog/catalog.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_description.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "compat.h"
#include "miscadmin.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "tables/table.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(softdelete_is_plain_table);
PG_FUNCTION_INFO_V1(softdelete_has_foreign_keys);
PG_FUNCTION_INFO_V1(softdelete_only_primary_key);
PG_FUNCTION_INFO_V1(softdelete_marking_note);

/* Is there a cluster of Citus, whose tables need a closer look? */
static bool
in_cluster(void)
{
	return OidIsValid(get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE));
}

/*
 * is_plain_table(table): an ordinary table with no others above or below it, not
 * the system's nor one of a type, and the caller has its owner's rights.
 */
Datum
softdelete_is_plain_table(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class class;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		PG_RETURN_BOOL(false);
	class = (Form_pg_class) GETSTRUCT(tuple);
	result = class->relkind == RELKIND_RELATION && !class->relispartition &&
		!class->relhassubclass && !has_superclass(relid) &&
		!OidIsValid(class->reloftype) && relid >= FirstNormalObjectId &&
		!IsCatalogNamespace(class->relnamespace) &&
		class->relnamespace != sd_objects()->schema &&
		class->relnamespace != get_namespace_oid("information_schema", true) &&
		sd_owns_table(relid, GetUserId()) && !in_cluster();
	ReleaseSysCache(tuple);
	PG_RETURN_BOOL(result);
}

static bool
is_foreign_key(Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	bool		result = HeapTupleIsValid(tuple) &&
		((Form_pg_constraint) GETSTRUCT(tuple))->contype == CONSTRAINT_FOREIGN;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return result;
}

/*
 * has_foreign_keys(table): may it have some, in either direction?  A key depends on
 * the columns of both tables.  Partitions can have keys of their own.
 */
Datum
softdelete_has_foreign_keys(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Relation	depend;
	SysScanDesc scan;
	ScanKeyData key[2];
	HeapTuple	tuple;
	bool		found = false;

	if (get_rel_relkind(relid) != RELKIND_RELATION)
		PG_RETURN_BOOL(true);
	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&key[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(RelationRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		found = form->classid == ConstraintRelationId && is_foreign_key(form->objid);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	PG_RETURN_BOOL(found);
}

/*
 * Is the index a primary key of plain columns, none of which the mark needs?  Other
 * unique ones are made keys of live rows.
 */
static bool
is_plain_primary_key(Relation rel, SdTable *table, Form_pg_index index)
{
	if (!index->indisprimary || !index->indisvalid || index->indisexclusion)
		return false;
	for (int i = 0; i < index->indnkeyatts; i++)
	{
		AttrNumber	attnum = index->indkey.values[i];

		if (attnum == table->marker || attnum == table->time || attnum == table->id ||
			TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attgenerated)
			return false;
	}
	return true;
}

/*
 * only_primary_key(table): of a managed table, is the primary key the one thing that
 * has to be unique?
 */
Datum
softdelete_only_primary_key(PG_FUNCTION_ARGS)
{
	Relation	rel;
	SdTable    *table;
	bool		result = false;
	ListCell   *lc;

	(void) sd_relation_name(PG_GETARG_OID(0));
	rel = relation_open(PG_GETARG_OID(0), AccessShareLock);
	table = sd_table(rel);
	if (table != NULL && rel->rd_rel->relkind == RELKIND_RELATION && !in_cluster())
		foreach(lc, RelationGetIndexList(rel))
		{
			HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
			Form_pg_index index;

			if (!HeapTupleIsValid(tuple))
				continue;
			index = (Form_pg_index) GETSTRUCT(tuple);
			if (index->indisunique || index->indisexclusion)
			{
				result = is_plain_primary_key(rel, table, index);
				ReleaseSysCache(tuple);
				if (!result)
					break;
			}
			else
				ReleaseSysCache(tuple);
		}
	relation_close(rel, AccessShareLock);
	PG_RETURN_BOOL(result);
}

/*
 * marking_note(table): the comment in which disable() says how a table was marked;
 * NULL where no column has it.
 */
Datum
softdelete_marking_note(PG_FUNCTION_ARGS)
{
	static const char *const begins = "softdelete: the deletion ";
	Relation	comments = table_open(DescriptionRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key[2];
	HeapTuple	tuple;
	char	   *note = NULL;

	ScanKeyInit(&key[0], Anum_pg_description_objoid, BTEqualStrategyNumber,
				F_OIDEQ, PG_GETARG_DATUM(0));
	ScanKeyInit(&key[1], Anum_pg_description_classoid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(RelationRelationId));
	scan = systable_beginscan(comments, DescriptionObjIndexId, true, NULL, 2, key);
	while (note == NULL && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		value = heap_getattr(tuple, Anum_pg_description_description,
										 RelationGetDescr(comments), &isnull);

		if (((Form_pg_description) GETSTRUCT(tuple))->objsubid == 0 || isnull)
			continue;
		note = TextDatumGetCString(value);
		if (strncmp(note, begins, strlen(begins)) != 0 || strchr(note, '{') == NULL)
			note = NULL;
	}
	systable_endscan(scan);
	table_close(comments, AccessShareLock);
	if (note == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(note));
}
