/*
 * heldkeys.c
 *		The unique keys of a table that its deleted rows hold.
 *
 * enable() makes unique keys again over live rows where it can.  What stays are
 * primary keys and keys that foreign keys refer to.  Reads catalogs only; the
 * list is kept with the table's entry (registry.c), which goes stale when an
 * index comes or goes.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "tables/heldkeys.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

static bool
is_btree(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	bool		result = HeapTupleIsValid(tuple) &&
		((Form_pg_class) GETSTRUCT(tuple))->relam == BTREE_AM_OID;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return result;
}

/* the functions by which the columns of a btree index are equal */
static Oid *
equal_functions(HeapTuple tuple, int n)
{
	bool		isnull;
	oidvector  *classes = (oidvector *)
		DatumGetPointer(SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indclass, &isnull));
	Oid		   *result = palloc(sizeof(Oid) * n);

	for (int i = 0; i < n; i++)
	{
		Oid			type = get_opclass_input_type(classes->values[i]);
		Oid			equal = get_opfamily_member(get_opclass_family(classes->values[i]),
												type, type, BTEqualStrategyNumber);

		result[i] = get_opcode(equal);
	}
	return result;
}

/*
 * The key of the index, NULL where it is none of those.  Keys with expressions
 * or generated columns cannot be looked up by a row that is only about to be
 * inserted.
 */
static SdHeldKey *
read_key(Relation rel, Oid indexoid)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(indexoid));
	Form_pg_index index;
	SdHeldKey  *key = NULL;
	bool		usable;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	index = (Form_pg_index) GETSTRUCT(tuple);
	usable = index->indisunique && index->indisvalid && index->indislive &&
		!index->indisexclusion &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	for (int i = 0; usable && i < index->indnkeyatts; i++)
	{
		AttrNumber	attnum = index->indkey.values[i];

		usable = attnum > 0 &&
			!TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attgenerated;
	}
	if (usable && is_btree(indexoid))
	{
		key = palloc0(sizeof(SdHeldKey));
		key->index = indexoid;
		key->primary = index->indisprimary;
		key->nulls_equal = index->indnullsnotdistinct;
		key->n = index->indnkeyatts;
		key->atts = palloc(sizeof(AttrNumber) * key->n);
		memcpy(key->atts, index->indkey.values, sizeof(AttrNumber) * key->n);
		key->equal = equal_functions(tuple, key->n);
	}
	ReleaseSysCache(tuple);
	return key;
}

/* Those of the relation, as SdHeldKeys in the current memory context. */
List *
sd_held_keys(Relation rel)
{
	List	   *keys = NIL;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		SdHeldKey  *key = read_key(rel, lfirst_oid(lc));

		if (key != NULL)
			keys = lappend(keys, key);
	}
	return keys;
}
