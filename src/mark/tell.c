/*
 * tell.c
 *		What a restore has to tell: rows that stay deleted.
 *
 * A notice for each table of which rows of the same deletion could not come back
 * along.  Called by settle.c; changes nothing.
 */
#include "postgres.h"

#include "engine/keyset.h"
#include "engine/restorequery.h"
#include "executor/spi.h"
#include "mark/tell.h"
#include "storage/itemptr.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"

/* a row, once, however many keys led to it */
typedef struct HeldRow
{
	Oid			relid;
	ItemPointerData tid;
} HeldRow;

/* of row i that SPI found */
static Datum
column(uint64 i, int n)
{
	bool		isnull;

	return SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, n, &isnull);
}

/*
 * Children that the restore left deleted since they need another deleted row as
 * well.  Some may have come back later on in the same restore.
 */
void
sd_tell_held(List *held)
{
	List	   *tables = NIL;
	ListCell   *lc;

	foreach(lc, held)
		tables = list_append_unique_oid(tables, ((SdKeySet *) lfirst(lc))->key->child);
	foreach(lc, tables)
	{
		Oid			relid = lfirst_oid(lc);
		HASHCTL		ctl = {.keysize = sizeof(HeldRow), .entrysize = sizeof(HeldRow),
		.hcxt = CurrentMemoryContext};
		HTAB	   *rows = hash_create("softdelete held rows", 16, &ctl,
									   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		ListCell   *ls;

		foreach(ls, held)
		{
			SdKeySet   *set = lfirst(ls);
			if (set->key->child != relid)
				continue;
			sd_find_deleted_children(set, sd_owner_of(relid));
			for (uint64 i = 0; i < SPI_processed; i++)
			{
				HeldRow		row;

				memset(&row, 0, sizeof(row));
				row.relid = DatumGetObjectId(column(i, 1));
				row.tid = *(ItemPointer) DatumGetPointer(column(i, 2));
				(void) hash_search(rows, &row, HASH_ENTER, NULL);
			}
		}
		if (hash_get_num_entries(rows) > 0)
			ereport(NOTICE,
					(errmsg_plural("%ld row of table \"%s\" stays deleted",
								   "%ld rows of table \"%s\" stay deleted",
								   hash_get_num_entries(rows),
								   hash_get_num_entries(rows), get_rel_name(relid)),
					 errdetail("Another deleted row holds each of them by a foreign key."),
					 errhint("Restore the other row first, then call softdelete.restore() or softdelete.undo() again.")));
		hash_destroy(rows);
	}
}
