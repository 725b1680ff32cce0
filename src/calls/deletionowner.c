/*
 * deletionowner.c
 *		Who may say what is to become of a deletion: the owner of the table that it
 *		is logged for.
 *
 * Here, too, redact(): actor and reason leave the log.
 */
#include "postgres.h"

#include "base/own_sql.h"
#include "base/spi.h"
#include "calls/deletionowner.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "tables/rights.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(softdelete_redact);

/* Raise P0002 where there is no such deletion, 42501 unless the caller owns its table. */
void
sd_check_owns_deletion(int64 id)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(id)};
	bool		isnull;
	Oid			relid;

	sd_spi_connect();
	if (sd_own_sql("SELECT target FROM softdelete.deletion_log"
				   " WHERE id OPERATOR(pg_catalog.=) $1", 1, types, values) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no deletion " INT64_FORMAT, id),
				 errhint("SELECT id, target, deleted_at FROM softdelete.deletions lists them.")));
	relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
										   SPI_tuptable->tupdesc, 1, &isnull));
	sd_spi_finish();
	sd_check_owner(relid);
}

/*
 * redact(deletion id): who asked for the deletion, its restores and purges, and why,
 * may be personal data itself.  What was done, when and by which role stays.
 */
Datum
softdelete_redact(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {PG_GETARG_DATUM(0)};

	sd_check_owns_deletion(PG_GETARG_INT64(0));
	(void) sd_write_own("UPDATE softdelete.deletion_log SET actor = NULL, reason = NULL"
						" WHERE id OPERATOR(pg_catalog.=) $1", 1, types, values);
	(void) sd_write_own("UPDATE softdelete.event_log SET actor = NULL, reason = NULL"
						" WHERE deletion_id OPERATOR(pg_catalog.=) $1", 1, types, values);
	/* purges of many deletions, this one perhaps among them */
	(void) sd_write_own("UPDATE softdelete.event_log AS e SET actor = NULL, reason = NULL"
						" FROM softdelete.deletion_log AS l"
						" WHERE l.id OPERATOR(pg_catalog.=) $1 AND e.last_id OPERATOR(pg_catalog.>=) $1"
						" AND e.deletion_id OPERATOR(pg_catalog.<) $1 AND e.target OPERATOR(pg_catalog.=) l.target",
						1, types, values);
	PG_RETURN_VOID();
}
