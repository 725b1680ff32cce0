/*
 * trace.c
 *		Telling at DEBUG1 what an operation did.
 *
 * For whoever wonders why a row is, or is not, deleted: which keys were followed
 * and checked, and what came of it.  Costs nothing where nobody listens.  Keeps
 * nothing.
 */
#include "postgres.h"

#include "engine/counts.h"
#include "engine/keyset.h"
#include "engine/operation.h"
#include "engine/trace.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"

static void
tell(const char *text)
{
	ereport(DEBUG1,
			(errmsg_internal("softdelete: %s", text), errhidestmt(true), errhidecontext(true)));
}

static void
append_table(StringInfo buf, Oid relid, int64 rows)
{
	char	   *name = get_rel_name(relid);

	appendStringInfo(buf, " %s " INT64_FORMAT, name ? name : "?", rows);
}

/* The operation is about to be logged: what has it marked, restored, seen erased? */
void
sd_trace_op(SdOp *op)
{
	struct
	{
		HTAB	   *counts;
		const char *what;
	}			by_id[] = {{op->restored, "restored"}, {op->purged, "erased"}};
	StringInfoData buf;
	ListCell   *lc;

	if (!message_level_is_interesting(DEBUG1))
		return;
	initStringInfo(&buf);
	if (op->counts != NIL)
	{
		appendStringInfo(&buf, "deletion " INT64_FORMAT " marked", op->id);
		foreach(lc, op->counts)
			append_table(&buf, ((SdCount *) lfirst(lc))->relid, ((SdCount *) lfirst(lc))->n);
		tell(buf.data);
	}
	for (size_t i = 0; i < lengthof(by_id); i++)
	{
		HASH_SEQ_STATUS scan;
		SdIdCount  *count;

		if (by_id[i].counts == NULL)
			continue;
		hash_seq_init(&scan, by_id[i].counts);
		while ((count = hash_seq_search(&scan)) != NULL)
		{
			resetStringInfo(&buf);
			appendStringInfo(&buf, "of deletion " INT64_FORMAT " %s", count->key.id,
							 by_id[i].what);
			append_table(&buf, (Oid) count->key.relid, count->n);
			tell(buf.data);
		}
	}
	pfree(buf.data);
}

/* The keys of the set are about to be followed or checked. */
void
sd_trace_keys(const char *what, SdKeySet *set)
{
	const char *name;

	if (!message_level_is_interesting(DEBUG1))
		return;
	name = get_rel_name(set->of_parents ? set->key->child : set->key->parent);
	tell(psprintf("%s foreign key \"%s\": %d of %s", what, set->key->name, set->n,
				  name ? name : "?"));
}
