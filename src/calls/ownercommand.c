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

PG_FUNCTION_INFO_V1(softdelete_as_owner);

/*
 * as_owner(table, command) -> first column of the first row as text, NULL for
 * none.  The caller must have the rights of the table's owner and be able to
 * become him, so it gives him nothing that he has not.
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

	sd_check_owner(relid);
	if (!sd_may_become(sd_owner_of(relid)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be able to SET ROLE \"%s\"",
						GetUserNameFromId(sd_owner_of(relid), false))));
	sd_spi_connect();
	sd_become(sd_owner_of(relid), true, &before);
	code = SPI_execute(command, false, 0);
	if (code < 0)
		elog(ERROR, "SPI_execute failed for \"%s\": %s", command,
			 SPI_result_code_string(code));
	if (SPI_processed > 0 && SPI_tuptable != NULL)
	{
		char	   *value = SPI_getvalue(SPI_tuptable->vals[0],
										 SPI_tuptable->tupdesc, 1);

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
