/*
 * ddlcommand.c
 *		DDL of enable() and its like, under the search_path of whoever called.
 *
 * Those functions pin their search_path, as they run what others may have put
 * into schemas.  But an ALTER TABLE fires the database's event triggers, which
 * may name their tables without a schema, and must find what they find when the
 * user says ALTER TABLE himself.  The setting's stack knows what was set before
 * a function's SET clause.  The command itself is qualified throughout.  Reads
 * settings, owns nothing.
 */
#include "postgres.h"

#include "compat.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"

/* what our functions say in their SET clause */
#define PINNED "pg_catalog, pg_temp"

PG_FUNCTION_INFO_V1(softdelete_run_ddl);

/* The search_path before the SET clauses of our own functions. */
static const char *
callers_search_path(void)
{
	struct config_generic **settings;
	int			n;

	settings = sd_guc_variables(&n);
	for (int i = 0; i < n; i++)
	{
		const char *path;

		if (strcmp(settings[i]->name, "search_path") != 0)
			continue;
		path = *((struct config_string *) settings[i])->variable;
		for (GucStack *save = settings[i]->stack; save != NULL; save = save->prev)
		{
			if (strcmp(path, PINNED) != 0 || save->state != GUC_SAVE)
				break;
			path = save->prior.val.stringval;
		}
		return path;
	}
	return PINNED;
}

/* run_ddl(command) */
Datum
softdelete_run_ddl(PG_FUNCTION_ARGS)
{
	char	   *command = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			level = NewGUCNestLevel();
	int			code;

	(void) set_config_option("search_path", callers_search_path(), PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	code = SPI_execute(command, false, 0);
	if (code < 0)
		elog(ERROR, "SPI_execute failed for \"%s\": %s", command,
			 SPI_result_code_string(code));
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	AtEOXact_GUC(true, level);
	PG_RETURN_VOID();
}
