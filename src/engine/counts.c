/*
 * counts.c
 *		How many rows were marked, restored and erased.
 *
 * Owns no state: the counts are the operation's or the statement's.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "engine/counts.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Add n to the count of a deletion id, and return it: it stays where it is. */
SdIdCount *
sd_count_by_id(HTAB **counts, MemoryContext context, int64 id, Oid relid, int64 n)
{
	int64		key[2] = {id, relid};
	SdIdCount  *count;
	bool		found;

	if (*counts == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(key);
		ctl.entrysize = sizeof(SdIdCount);
		ctl.hcxt = context;
		*counts = hash_create("softdelete counts", 16, &ctl,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	count = hash_search(*counts, key, HASH_ENTER, &found);
	if (!found)
		count->n = 0;
	count->n += n;
	return count;
}

/* Add counts to counts. */
void
sd_add_counts(HTAB **counts, MemoryContext context, HTAB *more)
{
	HASH_SEQ_STATUS scan;
	SdIdCount  *entry;

	if (more == NULL)
		return;
	hash_seq_init(&scan, more);
	while ((entry = hash_seq_search(&scan)) != NULL)
		sd_count_by_id(counts, context, entry->key.id, (Oid) entry->key.relid, entry->n);
}
