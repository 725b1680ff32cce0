/*
 * nothingdeleted.c
 *		Is nothing of a table deleted?
 *
 * Then no key of it is held by a deleted row, and no index needs to be searched for
 * one (keyprobe.c).  It is so where the index of deleted rows has no entry at all,
 * which one or two of its pages tell.  That is asked for every row, and so it is as
 * good as the search: whoever marks a row makes its entry in the same statement, before
 * the commit, and it stays as long as anybody could see the row deleted.  So a deletion
 * that was committed before, or is this transaction's own, is never missed; one that
 * commits later may as well have come after the new row, which then meets a row that is
 * still there, as it would in PostgreSQL.
 *
 * Entries of rows that are deleted no more go with a VACUUM; until then the search is
 * made for nothing.  Changes nothing.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "mark/nothingdeleted.h"
#include "storage/bufmgr.h"

void
sd_open_deleted_index(SdDeletedIndex *look, Oid index)
{
	look->index = index_open(index, AccessShareLock);
	look->meta = ReadBuffer(look->index, BTREE_METAPAGE);
}

void
sd_close_deleted_index(SdDeletedIndex *look)
{
	ReleaseBuffer(look->meta);
	index_close(look->index, NoLock);
	look->index = NULL;
}

/* Is the page all that there is on the lowest level, and has no entry? */
static bool
is_empty_tree(Page page)
{
	BTPageOpaque opaque = BTPageGetOpaque(page);

	return P_ISLEAF(opaque) && !P_IGNORE(opaque) &&
		P_LEFTMOST(opaque) && P_RIGHTMOST(opaque) &&
		PageGetMaxOffsetNumber(page) < P_FIRSTDATAKEY(opaque);
}

/* An answer of now.  Not sure is no. */
bool
sd_is_nothing_deleted(SdDeletedIndex *look)
{
	BlockNumber root;
	Buffer		buffer;
	bool		empty;

	LockBuffer(look->meta, BUFFER_LOCK_SHARE);
	root = BTPageGetMeta(BufferGetPage(look->meta))->btm_fastroot;
	LockBuffer(look->meta, BUFFER_LOCK_UNLOCK);
	if (root == P_NONE)
		return true;			/* it never had one */

	/* not kept pinned: a VACUUM would wait */
	buffer = ReadBuffer(look->index, root);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	empty = is_empty_tree(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
	return empty;
}
