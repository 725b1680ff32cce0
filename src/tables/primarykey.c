/*
 * primarykey.c
 *		The primary key of a table.
 *
 * Reads catalogs only.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/pg_index.h"
#include "tables/primarykey.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

/*
 * The index of the primary key, InvalidOid without one.  The relcache's own
 * leaves out those that are DEFERRABLE.
 */
Oid
sd_primary_key(Relation rel)
{
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
		bool		found = HeapTupleIsValid(tuple) &&
			((Form_pg_index) GETSTRUCT(tuple))->indisprimary &&
			((Form_pg_index) GETSTRUCT(tuple))->indisvalid;

		if (HeapTupleIsValid(tuple))
			ReleaseSysCache(tuple);
		if (found)
			return lfirst_oid(lc);
	}
	return InvalidOid;
}
