/*
 * refusal.c
 *		What the strict calls say when they do not do it.
 */
#include "postgres.h"

#include "base/errors.h"
#include "calls/refusal.h"
#include "calls/rowbykey.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "tables/names.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* The row is what the call was to make of it. */
void
sd_raise_already(SdByKey *key, bool deleted, int64 id)
{
	char	   *table = quote_literal_cstr(sd_qualified_name(key->relid));

	if (deleted)
		ereport(ERROR,
				(errcode(SD_ERRCODE_ALREADY_DELETED),
				 errmsg("row of table \"%s\" is already deleted", get_rel_name(key->relid)),
				 id != 0 ?
				 errdetail("The row with key %s was deleted by deletion " INT64_FORMAT ".",
						   key->text, id) :
				 errdetail("The row with key %s was inserted with the mark, and belongs to no deletion.",
						   key->text),
				 errhint("SELECT softdelete.restore(%s, %s) brings it back.",
						 table, key->literals)));
	ereport(ERROR,
			(errcode(SD_ERRCODE_NOT_DELETED),
			 errmsg("row of table \"%s\" is not deleted", get_rel_name(key->relid)),
			 errdetail("The row with key %s is live.", key->text)));
}

/* Nothing was changed, though the row was there to be changed. */
void
sd_raise_refused(SdByKey *key, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s of a row of table \"%s\" was refused", what, get_rel_name(key->relid)),
			 errdetail("Row-level security, a trigger or a rule kept the row with key %s as it is.",
					   key->text)));
}

/*
 * Callback for error_context_stack, of a restore into the table named arg: tell
 * what to do about a live row that has taken the key meanwhile.
 */
void
sd_clash_hint(void *arg)
{
	if (geterrcode() == ERRCODE_UNIQUE_VIOLATION ||
		geterrcode() == ERRCODE_EXCLUSION_VIOLATION)
		errhint("A live row has taken the key of the deleted one: delete or change that row of table \"%s\" first.",
				(char *) arg);
}
