/*
 * ctids.c
 *		A list of ctids that outlives transactions, in a temporary file.
 *
 * Six bytes a row there, one block in memory.  By the time that they are read, the
 * rows may be others.  Called by relation.c and maintenance.c.
 */
#include "postgres.h"

#include "purge/ctids.h"
#include "storage/buffile.h"

/* An empty list, in the current memory context.  To be ended by the caller. */
SdCtids *
sd_ctids_begin(void)
{
	return BufFileCreateTemp(true);
}

void
sd_ctids_add(SdCtids *list, ItemPointer tid)
{
	BufFileWrite(list, tid, sizeof(ItemPointerData));
}

/* What was added is to be read. */
void
sd_ctids_rewind(SdCtids *list)
{
	if (BufFileSeek(list, 0, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rewind a temporary file of a purge: %m")));
}

/* The number of ctids that were read, 0 at the end. */
int
sd_ctids_read(SdCtids *list, ItemPointer tids, int count)
{
	return BufFileRead(list, tids, sizeof(ItemPointerData) * count) / sizeof(ItemPointerData);
}

void
sd_ctids_end(SdCtids *list)
{
	BufFileClose(list);
}
