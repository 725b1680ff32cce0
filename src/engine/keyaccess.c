/*
 * keyaccess.c
 *		How the rows that refer to an array of keys are found best.
 *
 * By an index that leads with the key, by reading all of the table, or, where
 * neither can be said beforehand, as the planner will.  Reads catalogs and the
 * table's size, keeps nothing.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "engine/keyaccess.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/typcache.h"

/* so many rows are read, and passed over, in the time of one descent of an index */
#define ROWS_FOR_A_DESCENT 10

/* of a key in PostgreSQL's hash table for arrays, in bytes, and copies of the array */
#define HASH_ENTRY_SIZE 32
#define COPIES 4

Oid
sd_column_collation(Oid relid, AttrNumber attnum)
{
	Oid			type;
	int32		typmod;
	Oid			collation;

	get_atttypetypmodcoll(relid, attnum, &type, &typmod, &collation);
	return collation;
}

/*
 * Has the index all rows of the child that a query looks for?  A partial one
 * does, over live rows, for a query that looks at these.
 */
static bool
has_rows_for(Relation index, SdQueryKind kind, SdTable *child)
{
	List	   *predicate = RelationGetIndexPredicate(index);

	return predicate == NIL ||
		(kind == SD_QUERY_MARK && child != NULL &&
		 predicate_implied_by(predicate, list_make1(child->live), false));
}

/*
 * The operator that compares a child's column with an array of its parents' keys;
 * InvalidOid where there is no such, or the key has several columns.
 */
static Oid
array_operator(SdQueryKind kind, SdKey *key, Oid type)
{
	Oid			operator = get_commutator(key->operators[0]);
	Oid			left;
	Oid			right;

	if ((kind != SD_QUERY_MARK && kind != SD_QUERY_RESTORE && kind != SD_QUERY_LEFT) ||
		key->n > 1 || !OidIsValid(operator))
		return InvalidOid;
	op_input_types(operator, &left, &right);
	if (left != get_atttype(key->child, key->child_atts[0]) || right != type ||
		sd_column_collation(key->child, key->child_atts[0]) !=
		sd_column_collation(key->parent, key->parent_atts[0]))
		return InvalidOid;
	return operator;
}

/*
 * The operator by which an index of the child finds all keys of an array at
 * once, column first; InvalidOid where there is no such index.  Nor where the
 * child is larger than the cache: keys in order may then mean pages at random,
 * and the planner has to look at the number of keys.
 */
Oid
sd_key_index_operator(SdQueryKind kind, SdKeySet *set)
{
	SdKey	   *key = set->key;
	Oid			operator = array_operator(kind, key, set->types[0]);
	Relation	child;
	SdTable    *table;
	ListCell   *lc;
	bool		found = false;

	if (!OidIsValid(operator))
		return InvalidOid;
	child = relation_open(key->child, AccessShareLock);
	table = sd_table(child);
	if (child->rd_rel->relpages > effective_cache_size)
	{
		relation_close(child, NoLock);
		return InvalidOid;
	}
	foreach(lc, RelationGetIndexList(child))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		found = found ||
			(index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indisvalid &&
			 index->rd_index->indkey.values[0] == key->child_atts[0] &&
			 has_rows_for(index, kind, table) &&
			 op_in_opfamily(operator, index->rd_opfamily[0]) &&
			 index->rd_indcollation[0] ==
			 sd_column_collation(key->parent, key->parent_atts[0]));
		index_close(index, NoLock);
	}
	relation_close(child, NoLock);
	return found ? operator : InvalidOid;
}

/*
 * Do so many keys fit into the memory that a query may have for hashing?  The array,
 * the plan's copies of it, and the hash table.
 */
static bool
fit_into_memory(SdKeySet *set, int first, int n)
{
	double		size = (double) n * HASH_ENTRY_SIZE;

	for (int i = 0; i < n; i++)
		size += COPIES * sd_key_size(set, 0, first + i);
	return size <= get_hash_memory_limit();
}

/*
 * The operator with which reading all of the child, and looking up each row's
 * parent among the keys, is less work than n descents of an index; InvalidOid
 * where it is not.  PostgreSQL keeps the keys of an array in a hash table where the
 * operator can be hashed; without, each row would be compared with each key.
 */
Oid
sd_key_reading_operator(SdQueryKind kind, SdKeySet *set, int first, int n)
{
	Oid			operator = array_operator(kind, set->key, set->types[0]);
	Oid			left_hash;
	Oid			right_hash;
	Relation	child;
	BlockNumber pages;
	double		rows;
	double		allvisible;

	/* who reads all conflicts with all who write, where transactions are serializable */
	if (!OidIsValid(operator) || IsolationIsSerializable() ||
		get_atttype(set->key->child, set->key->child_atts[0]) != set->types[0] ||
		!op_hashjoinable(operator, set->types[0]) ||
		!get_op_hash_functions(operator, &left_hash, &right_hash) || left_hash != right_hash ||
		!fit_into_memory(set, first, n))
		return InvalidOid;
	child = relation_open(set->key->child, AccessShareLock);
	estimate_rel_size(child, NULL, &pages, &rows, &allvisible);
	relation_close(child, NoLock);
	return rows >= 0 && rows <= (double) n * ROWS_FOR_A_DESCENT ? operator : InvalidOid;
}

/*
 * The operator family in which the keys have an order, and the foreign key its
 * operator; InvalidOid where there is none, or one for each collation.
 */
Oid
sd_key_ordering(SdKeySet *set)
{
	SdKey	   *key = set->key;
	Oid			type = set->types[0];
	TypeCacheEntry *typcache = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY | TYPECACHE_CMP_PROC_FINFO);

	if (key->n > 1 || get_atttype(key->child, key->child_atts[0]) != type ||
		OidIsValid(get_typcollation(type)) || !OidIsValid(typcache->cmp_proc_finfo.fn_oid) ||
		!op_in_opfamily(key->operators[0], typcache->btree_opf))
		return InvalidOid;
	return typcache->btree_opf;
}
