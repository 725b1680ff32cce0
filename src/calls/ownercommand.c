/*
 * ownercommand.c
 *		Running upkeep on a table as the table's owner.
 *
 * enable() and its like run for whoever has the owner's rights, a superuser
 * perhaps.  What they do to rows may call code that the owner has put on the
 * table; so it runs as the owner, as in PostgreSQL's own maintenance commands.
 */
#include "postgres.h"

#include "base/identity.h"
#include "base/spi.h"
#include "compat.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "tables/rights.h"
#include "utils/builtins.h"
#include "utils/guc.h"

PG_FUNCTION_INFO_V1(softdelete_as_owner);
PG_FUNCTION_INFO_V1(softdelete_run_as_owner);

/*
 * The table's owner.  The caller must have that role's rights and be able to become
 * it, so that running something as the owner gives nobody what he has not.
 */
static Oid
owner_to_become(Oid relid)
{
	Oid			owner;

	sd_check_owner(relid);
	owner = sd_owner_of(relid);
	if (!sd_may_become(owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be able to SET ROLE \"%s\"",
						GetUserNameFromId(owner, false))));
	return owner;
}

/*
 * as_owner(table, command) -> first column of the first row as text, NULL for
 * none; for a command that returns no rows, how many it processed.
 */
Datum
softdelete_as_owner(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *command = text_to_cstring(PG_GETARG_TEXT_PP(1));
	MemoryContext context = CurrentMemoryContext;
	SdIdentity	before;
	text	   *result = NULL;
	int			code;

	sd_spi_connect();
	sd_become(owner_to_become(relid), true, &before);
	code = SPI_execute(command, false, 0);
	if (code < 0)
		elog(ERROR, "SPI_execute failed for \"%s\": %s", command,
			 SPI_result_code_string(code));
	if (SPI_processed > 0 || SPI_tuptable == NULL)
	{
		char	   *value = SPI_tuptable == NULL ?
			psprintf(UINT64_FORMAT, SPI_processed) :
			SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);

		if (value != NULL)
		{
			MemoryContext old = MemoryContextSwitchTo(context);

			result = cstring_to_text(value);
			MemoryContextSwitchTo(old);
		}
	}
	sd_become_again(&before);
	sd_spi_finish();
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}

static void
set_for_now(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * run_as_owner(table, search_path, reason, command) -> rows processed, for policies:
 * under the search_path that the policy was written under.  Deletions are logged
 * with that reason; the caller's settings are back when it is done.
 */
Datum
softdelete_run_as_owner(PG_FUNCTION_ARGS)
{
	Oid			owner = owner_to_become(PG_GETARG_OID(0));
	char	   *command = text_to_cstring(PG_GETARG_TEXT_PP(3));
	int			nest_level = NewGUCNestLevel();
	SdIdentity	before;
	SPIPlanPtr	plan;
	int			code;
	uint64		processed;

	sd_spi_connect();
	sd_become(owner, true, &before);
	set_for_now("search_path", text_to_cstring(PG_GETARG_TEXT_PP(1)));
	set_for_now("softdelete.reason", text_to_cstring(PG_GETARG_TEXT_PP(2)));
	/* what it takes is what the application sees */
	set_for_now("softdelete.visibility", "live");
	plan = SPI_prepare(command, 0, NULL);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed for \"%s\": %s", command,
			 SPI_result_code_string(SPI_result));
	/* a condition that closes the statement and begins another is none */
	if (list_length(SPI_plan_get_plan_sources(plan)) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("it is more than one statement")));
	code = SPI_execute_plan(plan, NULL, NULL, false, 0);
	if (code < 0)
		elog(ERROR, "SPI_execute_plan failed for \"%s\": %s", command,
			 SPI_result_code_string(code));
	processed = SPI_processed;
	sd_become_again(&before);
	AtEOXact_GUC(false, nest_level);
	sd_spi_finish();
	PG_RETURN_INT64((int64) processed);
}
