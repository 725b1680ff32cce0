/*
 * guc.c
 *		The settings of the extension.
 *
 * Owns the variables and nothing else.  A change of what statements see, or
 * of what DELETE does, makes cached plans stale; plans.c says how they are
 * thrown away.
 */
#include "postgres.h"

#include "base/guc.h"
#include "mb/pg_wchar.h"
#include "base/plans.h"
#include "utils/guc.h"

int			sd_visibility = SD_VISIBLE_LIVE;
bool		sd_hard_delete = false;
char	   *sd_actor = NULL;
char	   *sd_reason = NULL;

static const struct config_enum_entry visibility_options[] = {
	{"live", SD_VISIBLE_LIVE, false},
	{"deleted", SD_VISIBLE_DELETED, false},
	{"all", SD_VISIBLE_ALL, false},
	{NULL, 0, false}
};

static void
assign_visibility(int newval, void *extra)
{
	if (newval != sd_visibility)
		sd_plans_forget();
}

/* what comes with a connection is in no encoding as yet */
static bool
check_text(char **newval, void **extra, GucSource source)
{
	if (pg_verifymbstr(*newval, strlen(*newval), true))
		return true;
	GUC_check_errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE);
	GUC_check_errdetail("The value is not valid in encoding %s.", GetDatabaseEncodingName());
	return false;
}

static void
assign_hard_delete(bool newval, void *extra)
{
	if (newval != sd_hard_delete)
		sd_plans_forget();
}

void
sd_guc_init(void)
{
	DefineCustomEnumVariable("softdelete.visibility",
							 "Which rows of managed tables statements see.",
							 "live hides deleted rows, deleted shows nothing else, all shows every row.",
							 &sd_visibility,
							 SD_VISIBLE_LIVE,
							 visibility_options,
							 PGC_USERSET,
							 0,
							 NULL, assign_visibility, NULL);

	DefineCustomBoolVariable("softdelete.hard_delete",
							 "DELETE and TRUNCATE erase the rows of managed tables for good.",
							 NULL,
							 &sd_hard_delete,
							 false,
							 PGC_SUSET,
							 0,
							 NULL, assign_hard_delete, NULL);

	DefineCustomStringVariable("softdelete.actor",
							   "The application's user on whose behalf rows are deleted.",
							   "Recorded with each deletion.",
							   &sd_actor,
							   "",
							   PGC_USERSET,
							   0,
							   check_text, NULL, NULL);

	DefineCustomStringVariable("softdelete.reason",
							   "Why rows are deleted.",
							   "Recorded with each deletion.",
							   &sd_reason,
							   "",
							   PGC_USERSET,
							   0,
							   check_text, NULL, NULL);

	MarkGUCPrefixReserved("softdelete");
}
