/*
 * own_sql.c
 *		SQL on the extension's own tables, run as their owner.
 *
 * The tables are closed to everybody else, and so what may be done to them is
 * what the callers let be done: they check rights beforehand.  Keeps nothing.
 */
#include "postgres.h"

#include "base/own_objects.h"
#include "base/own_sql.h"
#include "base/spi.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"

/*
 * Run a statement on the extension's own tables, as their owner and, since
 * that is a superuser as a rule, under no search_path but the catalog's.
 * nulls says which values are NULL, as SPI has it.  SPI is connected.  Returns
 * the rows processed.
 */
int
sd_own_sql_nulls(const char *text, int nargs, Oid *types, Datum *values,
				 const char *nulls)
{
	Oid			save_role;
	int			save_context;
	int			nest_level = NewGUCNestLevel();
	int			result;

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	GetUserIdAndSecContext(&save_role, &save_context);
	SetUserIdAndSecContext(sd_objects()->owner,
						   save_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	result = SPI_execute_with_args(text, nargs, types, values, nulls, false, 0);
	SetUserIdAndSecContext(save_role, save_context);
	AtEOXact_GUC(true, nest_level);
	if (result < 0)
		elog(ERROR, "SPI_execute_with_args failed: %s",
			 SPI_result_code_string(result));
	return SPI_processed;
}

/* The same without NULLs. */
int
sd_own_sql(const char *text, int nargs, Oid *types, Datum *values)
{
	return sd_own_sql_nulls(text, nargs, types, values, NULL);
}

/* The same, where SPI is not connected; what the statement returns is lost. */
int
sd_write_own(const char *text, int nargs, Oid *types, Datum *values)
{
	int			processed;

	sd_spi_connect();
	processed = sd_own_sql(text, nargs, types, values);
	sd_spi_finish();
	return processed;
}
