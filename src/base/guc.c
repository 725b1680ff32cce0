/*
 * guc.c
 *		The settings of the extension.
 *
 * Owns the variables and application_name's assign hook.  A change of what statements see, or
 * of what DELETE does, makes cached plans stale; plans.c says how they are
 * thrown away.
 */
#include "postgres.h"

#include "base/guc.h"
#include "base/plans.h"
#include "compat.h"
#include "mb/pg_wchar.h"
#include "replication/walsender.h"
#include "utils/guc_tables.h"
#include "utils/rls.h"
#include "utils/varlena.h"

int			sd_visibility = SD_VISIBLE_LIVE;
int			sd_deletion_scope = SD_SCOPE_TRANSACTION;
bool		sd_hard_delete = false;
char	   *sd_actor = NULL;
char	   *sd_reason = NULL;
bool		sd_unfiltered = false;
char	   *sd_cluster_key = NULL;
bool		sd_citus_loaded = false;
int			sd_tool_depth = 0;

static char *unfiltered_applications = NULL;
static const char *unfiltered_names = NULL; /* the same, see its check hook */
static GucStringAssignHook prev_application_name_assign = NULL;

static const struct config_enum_entry visibility_options[] = {
	{"live", SD_VISIBLE_LIVE, false},
	{"with_deleted", SD_VISIBLE_ALL, false},
	{"only_deleted", SD_VISIBLE_DELETED, false},
	{"all", SD_VISIBLE_ALL, true},	/* a key word: SET takes it quoted only */
	{"deleted", SD_VISIBLE_DELETED, true},
	{NULL, 0, false}
};

static const struct config_enum_entry deletion_scope_options[] = {
	{"transaction", SD_SCOPE_TRANSACTION, false},
	{"statement", SD_SCOPE_STATEMENT, false},
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

/* does the application's name begin with one of the list? */
static void
set_unfiltered(const char *names, const char *application)
{
	bool		unfiltered = false;

	for (const char *name = names; name && application && *name != '\0'; name += strlen(name) + 1)
		unfiltered = unfiltered || strncmp(application, name, strlen(name)) == 0;
	if (unfiltered != sd_unfiltered)
		sd_plans_forget();
	sd_unfiltered = unfiltered;
}

/* *extra: the names one after the other, then an empty string */
static bool
check_unfiltered_applications(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval);
	List	   *names = NIL;
	bool		valid = SplitGUCList(copy, ',', &names);
	char	   *end = valid ? guc_malloc(LOG, strlen(*newval) + 2) : NULL;
	ListCell   *lc;

	*extra = end;
	if (!valid)
		GUC_check_errdetail("List syntax is invalid.");
	else if (end != NULL)
	{
		foreach(lc, names)
			if (((char *) lfirst(lc))[0] != '\0')
				end = stpcpy(end, lfirst(lc)) + 1;
		*end = '\0';
	}
	list_free(names);
	pfree(copy);
	return *extra != NULL;
}

static void
assign_unfiltered_applications(const char *newval, void *extra)
{
	unfiltered_names = extra;
	set_unfiltered(unfiltered_names, application_name);
}

static void
assign_application_name(const char *newval, void *extra)
{
	if (prev_application_name_assign)
		prev_application_name_assign(newval, extra);
	set_unfiltered(unfiltered_names, newval);
}

/* A core setting; chain to its assign hook. */
static void
follow_application_name(void)
{
	int			nvars;
	struct config_generic **vars = sd_guc_variables(&nvars);

	for (int i = 0; i < nvars; i++)
		if (strcmp(vars[i]->name, "application_name") == 0 &&
			vars[i]->vartype == PGC_STRING)
		{
			struct config_string *conf = (struct config_string *) vars[i];

			prev_application_name_assign = conf->assign_hook;
			conf->assign_hook = assign_application_name;
			break;
		}
}

static void
assign_hard_delete(bool newval, void *extra)
{
	if (newval != sd_hard_delete)
		sd_plans_forget();
}

/*
 * Does the session copy whole tables?  A dump does (row_security = off), a
 * replication connection, by queries, too, the tools that are known by their
 * application_name, and those of Citus (mark/tools.c).
 */
bool
sd_sees_whole_tables(void)
{
	return !row_security || am_walsender || sd_unfiltered || sd_tool_depth > 0;
}

/*
 * For the rest of the transaction let Citus use one connection to each node.  Where
 * distributed tables refer to one that every node has, several connections could not
 * see what the others did, and Citus refuses that.
 */
void
sd_one_connection_each(void)
{
	(void) set_config_option("citus.multi_shard_modify_mode", "sequential", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/* What the session's statements see. */
SdVisibility
sd_visible(void)
{
	return sd_sees_whole_tables() ? SD_VISIBLE_ALL : sd_visibility;
}

void
sd_guc_init(void)
{
	DefineCustomEnumVariable("softdelete.visibility",
							 "Which rows of managed tables statements see.",
							 "live hides deleted rows, only_deleted shows nothing else, with_deleted shows every row.",
							 &sd_visibility,
							 SD_VISIBLE_LIVE,
							 visibility_options,
							 PGC_USERSET,
							 0,
							 NULL, assign_visibility, NULL);

	DefineCustomEnumVariable("softdelete.deletion_scope",
							 "What belongs to one deletion.",
							 "transaction: all that a transaction deletes under one role, actor and reason; statement: what one statement deletes.",
							 &sd_deletion_scope,
							 SD_SCOPE_TRANSACTION,
							 deletion_scope_options,
							 PGC_USERSET,
							 0,
							 NULL, NULL, NULL);

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

	DefineCustomStringVariable("softdelete.unfiltered_applications",
							   "Applications from which no deleted row is hidden.",
							   "Names of tools that copy whole tables; an application_name that begins with one of them counts, too.",
							   &unfiltered_applications,
							   "pg_repack,vacuumlo",
							   PGC_SUSET,
							   GUC_LIST_INPUT,
							   check_unfiltered_applications,
							   assign_unfiltered_applications, NULL);

	DefineCustomStringVariable("softdelete.cluster_key",
							   "Secret by which the nodes of a cluster know each other's orders.",
							   "The same on every node; without one, tables that are distributed cannot be managed.",
							   &sd_cluster_key,
							   "",
							   PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY | GUC_NOT_IN_SAMPLE,
							   NULL, NULL, NULL);

	/* it has to come first in shared_preload_libraries, and has this setting */
	sd_citus_loaded = GetConfigOption("citus.shard_count", true, false) != NULL;

	MarkGUCPrefixReserved("softdelete");
	follow_application_name();
}
