/*
 * check.c
 *		The checks at the end of an operation.
 *
 * Rows that were marked must have no live row that refers to them, rows that
 * were restored must have their parents.  What a deferred key may still put
 * right is left to deferred.c.  Owns no state.
 */
#include "postgres.h"

#include "engine/keyquery.h"
#include "engine/keyset.h"
#include "engine/statement.h"
#include "engine/trace.h"
#include "fk/check.h"
#include "fk/deferred.h"
#include "fk/orphan.h"
#include "miscadmin.h"
#include "tables/foreignkeys.h"
#include "tables/rights.h"
#include "utils/rel.h"

/*
 * The rows of the set were marked: no live row may refer to them.  A deferred
 * key may still be put right before the commit.
 */
void
sd_check_children(SdKeySet *set)
{
	bool		deferred = set->key->on_delete == FKCONSTR_ACTION_NOACTION &&
		sd_is_deferred(set->key);

	sd_trace_keys("no live row may refer by", set);
	if (sd_find_orphan(set, !deferred))
		sd_defer(set);
}

/*
 * The rows of the set were restored: what they refer to must be there and, unless
 * the key is SET NULL or SET DEFAULT, be live, when a deferred key is checked at
 * the latest.
 */
void
sd_check_parent(SdKeySet *set)
{
	SdStatement statement = {SD_TASK_READ};
	SdKey	   *key = set->key;
	bool		deleted;

	sd_trace_keys("parents must be live by", set);
	/* locks the parents that are there */
	deleted = sd_execute_key(SD_QUERY_PARENT, set, &statement, sd_owner_of(key->parent),
							 SD_VIEW_LATEST, 1) > 0;
	/* a reference that the delete let stand comes back as it was */
	deleted = deleted && sd_key_needs_parent(key);
	if (!deleted && sd_missing_parents(set)->n == 0)
		return;
	if (sd_key_needs_parent(key) && sd_is_deferred(key))
		sd_defer(set);
	else if (deleted)
		sd_raise_parent(key);
	else
		sd_raise_missing(key, "Bring the row back that it refers to, or insert one with its key.");
}
