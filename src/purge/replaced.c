/*
 * replaced.c
 *		Erasing replaced rows for good.
 *
 * Deleted rows whose key was inserted again (mark/makeroom.c) are kept as long
 * as they would have been in their table, by its retention and by holds, and
 * count in the log as purged when they go.  Nothing refers to them.  Owns no
 * state.
 */
#include "postgres.h"

#include "base/own_sql.h"
#include "base/spi.h"
#include "calls/bringback.h"
#include "catalog/pg_type.h"
#include "engine/counts.h"
#include "engine/lognote.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "purge/replaced.h"
#include "tables/rights.h"
#include "tables/table.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(softdelete_count_replaced);

/*
 * Erase the replaced rows of the table under the condition, but for those on
 * hold.  SPI is connected.  Returns their number.
 */
static int64
erase(Oid root, const char *condition, int nargs, Oid *types, Datum *values)
{
	HTAB	   *counts = NULL;
	int64		erased = 0;
	int			n;

	n = sd_own_sql(psprintf("WITH gone AS (DELETE FROM softdelete.replaced_rows r"
							" WHERE r.target OPERATOR(pg_catalog.=) $1 AND %s"
							" AND NOT EXISTS (SELECT FROM softdelete.deletion_log l"
							" WHERE l.id OPERATOR(pg_catalog.=) r.deletion_id AND l.held_at IS NOT NULL)"
							" AND NOT EXISTS (SELECT FROM softdelete.hold_log h"
							" WHERE h.target OPERATOR(pg_catalog.=) r.target"
							" AND h.key OPERATOR(pg_catalog.=) r.key AND h.released_at IS NULL)"
							" RETURNING r.deletion_id)"
							" SELECT deletion_id, pg_catalog.count(*) FROM gone GROUP BY deletion_id",
							condition),
				   nargs, types, values);
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		bool		no_id;
		int64		id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
													 SPI_tuptable->tupdesc, 1, &no_id));
		int64		rows = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
													   SPI_tuptable->tupdesc, 2, &isnull));

		if (!no_id)
			sd_count_by_id(&counts, CurrentMemoryContext, id, root, rows);
		erased += rows;
	}
	sd_log_note(counts, GetUserId(), true);
	return erased;
}

/* Those of the table that were deleted so long before now. */
int64
sd_purge_replaced(Oid root, Interval *retention, TimestampTz now)
{
	Oid			types[] = {OIDOID, INTERVALOID, TIMESTAMPTZOID};
	Datum		values[3];

	values[0] = ObjectIdGetDatum(root);
	values[1] = IntervalPGetDatum(retention);
	values[2] = TimestampTzGetDatum(now);
	return erase(root, "r.deleted_at OPERATOR(pg_catalog.+) $2 OPERATOR(pg_catalog.<=) $3",
				 3, types, values);
}

/* Those with the key. */
int64
sd_purge_replaced_key(SdByKey *key)
{
	Oid			types[] = {OIDOID, JSONBOID};
	Datum		values[2];
	Jsonb	   *json = sd_key_as_json(key);

	if (json == NULL)
		return 0;
	values[0] = ObjectIdGetDatum(key->table->root);
	values[1] = JsonbPGetDatum(json);
	return erase(key->table->root, "r.key OPERATOR(pg_catalog.=) $2", 2, types, values);
}

/* count_replaced(table): for disable(), of the table's owner */
Datum
softdelete_count_replaced(PG_FUNCTION_ARGS)
{
	Oid			types[1] = {REGCLASSOID};
	Datum		values[1] = {PG_GETARG_DATUM(0)};
	int			n;

	sd_check_owner(PG_GETARG_OID(0));
	sd_spi_connect();
	n = sd_own_sql("SELECT FROM softdelete.replaced_rows WHERE target OPERATOR(pg_catalog.=) $1",
				   1, types, values);
	sd_spi_finish();
	PG_RETURN_INT64(n);
}
