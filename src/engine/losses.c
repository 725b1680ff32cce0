/*
 * losses.c
 *		What a restore misses, since it was purged.
 *
 * A child whose retention is shorter than its parent's may be gone by the time the
 * parent comes back.  A notice says so.  The log counts purged rows for the
 * deletion as a whole; by table it is known when all that was left comes back at
 * once, as a rule.  Called by log.c, when the restore has been noted.
 */
#include "postgres.h"

#include "base/own_sql.h"
#include "catalog/pg_type.h"
#include "engine/counts.h"
#include "engine/losses.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* one table of a deletion that has lost rows, as the query below finds them */
typedef struct Loss
{
	int64		id;
	Oid			relid;
	int64		marked;			/* in the table */
	int64		purged;			/* in all tables */
	int64		restored;		/* in all tables; -1: rows are left */
} Loss;

static Datum
ids_array(HTAB *restored)
{
	int			n = hash_get_num_entries(restored);
	Datum	   *ids = palloc(sizeof(Datum) * n);
	HASH_SEQ_STATUS scan;
	SdIdCount  *count;
	int			i = 0;

	hash_seq_init(&scan, restored);
	while ((count = hash_seq_search(&scan)) != NULL)
		ids[i++] = Int64GetDatum(count->key.id);
	return PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* How many rows were restored just now, of the table or, without one, of all. */
static int64
restored_now(HTAB *restored, int64 id, Oid relid)
{
	HASH_SEQ_STATUS scan;
	SdIdCount  *count;
	int64		n = 0;

	hash_seq_init(&scan, restored);
	while ((count = hash_seq_search(&scan)) != NULL)
		if (count->key.id == id && (relid == InvalidOid || count->key.relid == relid))
			n += count->n;
	return n;
}

static void
tell_table(HTAB *restored, Loss *loss)
{
	int64		lost = loss->marked - restored_now(restored, loss->id, loss->relid);
	char	   *name = get_rel_name(loss->relid);

	if (lost > 0 && name != NULL)
		ereport(NOTICE,
				(errmsg_plural("%lld row of table \"%s\" was purged and does not come back",
							   "%lld rows of table \"%s\" were purged and do not come back",
							   (unsigned long) lost, (long long) lost, name)));
}

/*
 * Tell what the deletions have lost of which rows were restored, by deletion and
 * table in restored.  SPI is connected.
 */
void
sd_tell_losses(HTAB *restored)
{
	Oid			types[] = {INT8ARRAYOID};
	Datum		values[1];
	int			n;
	Loss	   *losses;

	if (restored == NULL || hash_get_num_entries(restored) == 0)
		return;
	values[0] = ids_array(restored);
	n = sd_own_sql("SELECT l.id, t.t, t.n, l.purged,"
				   " CASE WHEN l.restored OPERATOR(pg_catalog.+) l.purged OPERATOR(pg_catalog.>=)"
				   " (SELECT pg_catalog.sum(m) FROM pg_catalog.unnest(l.marked) AS m)"
				   " THEN l.restored ELSE (-1)::pg_catalog.int8 END"
				   " FROM softdelete.deletion_log AS l,"
				   " ROWS FROM (pg_catalog.unnest(l.tables), pg_catalog.unnest(l.marked)) AS t(t, n)"
				   " WHERE l.id OPERATOR(pg_catalog.=) ANY ($1) AND l.purged OPERATOR(pg_catalog.>) 0"
				   " ORDER BY l.id", 1, types, values);
	losses = palloc(sizeof(Loss) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		int64		column[5];
		bool		isnull;

		for (int c = 0; c < 5; c++)
		{
			Datum		value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
											  c + 1, &isnull);

			column[c] = c == 1 ? (int64) DatumGetObjectId(value) : DatumGetInt64(value);
		}
		losses[i] = (Loss) {column[0], (Oid) column[1], column[2], column[3], column[4]};
	}
	for (int i = 0; i < n; i++)
	{
		Loss	   *loss = &losses[i];

		if (loss->restored >= 0 &&
			loss->restored == restored_now(restored, loss->id, InvalidOid))
			tell_table(restored, loss);
		else if (i == 0 || losses[i - 1].id != loss->id)
			ereport(NOTICE,
					(errmsg_plural("%lld row that this deletion took was purged",
								   "%lld rows that this deletion took were purged",
								   (unsigned long) loss->purged, (long long) loss->purged),
					 errdetail("What comes back may miss them.")));
	}
}
