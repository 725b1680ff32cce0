/*
 * deletedindex.c
 *		An index in which every deleted row of a table has an entry.
 *
 * enable() makes one, which purges look into; any other that is as good is taken as
 * well.  Where it is empty, nothing of the table is deleted (mark/nothingdeleted.c).
 * Reads catalogs only; kept with the table's entry (registry.c), which goes stale when
 * an index comes, goes or stops being valid.
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/pg_am.h"
#include "optimizer/optimizer.h"
#include "tables/deletedindex.h"

/* deleted: the condition, for varno 1.  InvalidOid where there is none. */
Oid
sd_index_of_deleted(Relation rel, Node *deleted)
{
	ListCell   *lc;
	Oid			found = InvalidOid;

	foreach(lc, RelationGetIndexList(rel))
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		List	   *predicate = RelationGetIndexPredicate(index);

		if (index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indisvalid &&
			!index->rd_index->indcheckxmin && predicate != NIL &&
			predicate_implied_by(predicate, list_make1(deleted), false))
			found = lfirst_oid(lc);
		index_close(index, NoLock);
		if (OidIsValid(found))
			break;
	}
	return found;
}
