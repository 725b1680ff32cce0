/*
 * lognote.c
 *		What became of the rows of earlier deletions, in the log: restored, purged.
 *
 * Adds to the deletions' rows and writes an event for each.  Keeps nothing.
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/guc.h"
#include "base/own_sql.h"
#include "catalog/pg_type.h"
#include "engine/counts.h"
#include "engine/lognote.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* a role's name, as the log keeps it */
Datum
sd_log_role(Oid role)
{
	return DirectFunctionCall1(namein,
							   CStringGetDatum(GetUserNameFromId(role, false)));
}

/* a setting as the log keeps it, which has no empty ones */
Datum
sd_log_text(const char *value, bool *isnull)
{
	*isnull = value == NULL || value[0] == '\0';
	return *isnull ? (Datum) 0 : CStringGetTextDatum(value);
}

/* add the operation's counts to those of the arrays, which may be 0 */
/* ids, tables and counts as arrays */
static void
count_arrays(HTAB *counts, Datum *ids, Datum *tables, Datum *rows)
{
	int			n = hash_get_num_entries(counts);
	Datum	   *id = palloc(sizeof(Datum) * n);
	Datum	   *table = palloc(sizeof(Datum) * n);
	Datum	   *row = palloc(sizeof(Datum) * n);
	HASH_SEQ_STATUS scan;
	SdIdCount  *entry;
	int			i = 0;

	hash_seq_init(&scan, counts);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		id[i] = Int64GetDatum(entry->key.id);
		table[i] = ObjectIdGetDatum((Oid) entry->key.relid);
		row[i++] = Int64GetDatum(entry->n);
	}
	*ids = PointerGetDatum(construct_array(id, n, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	*tables = PointerGetDatum(construct_array(table, n, OIDOID, sizeof(Oid), true,
											  TYPALIGN_INT));
	*rows = PointerGetDatum(construct_array(row, n, INT8OID, sizeof(int64),
											FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/*
 * Add to the log rows of earlier deletions how many of their rows were
 * restored or purged, when and by whom, and an event for each of them.  Raises
 * where a purged one turns out to be on hold.  locked: the caller has locked the
 * rows.  SPI is connected.
 *
 * What a row says in deletion_id is not proof: whoever may INSERT can write any
 * number there.  So count only rows of tables that the deletion took rows from.
 */
static void
note(HTAB *counts, Oid role, bool purged, bool locked)
{
	Oid			types[] = {INT8ARRAYOID, OIDARRAYOID, INT8ARRAYOID, NAMEOID,
		NAMEOID, TEXTOID, TEXTOID};
	Datum		values[7];
	char		nulls[] = "       ";
	bool		isnull;
	const char *what;
	int			n;

	if (counts == NULL || hash_get_num_entries(counts) == 0)
		return;
	count_arrays(counts, &values[0], &values[1], &values[2]);
	values[3] = sd_log_role(role);
	/* in one order, lest two sessions wait for each other */
	if (!locked && hash_get_num_entries(counts) > 1)
		sd_own_sql("SELECT FROM softdelete.deletion_log"
				   " WHERE id OPERATOR(pg_catalog.=) ANY ($1)"
				   " ORDER BY id FOR NO KEY UPDATE", 1, types, values);
	values[4] = sd_log_role(GetSessionUserId());
	values[5] = sd_log_text(sd_actor, &isnull);
	nulls[5] = isnull ? 'n' : ' ';
	values[6] = sd_log_text(sd_reason, &isnull);
	nulls[6] = isnull ? 'n' : ' ';
	what = purged ? "purged" : "restored";
	n = sd_own_sql_nulls(psprintf("WITH done AS (UPDATE softdelete.deletion_log AS l"
								  " SET %s = l.%s OPERATOR(pg_catalog.+) k.n,"
								  " %s_at = pg_catalog.now(), %s_by = $4"
								  " FROM (SELECT d.id, pg_catalog.sum(u.n)::pg_catalog.int8"
								  " FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) AS u(id, t, n),"
								  " softdelete.deletion_log AS d"
								  " WHERE d.id OPERATOR(pg_catalog.=) u.id AND u.t OPERATOR(pg_catalog.=) ANY (d.tables)"
								  " GROUP BY d.id) AS k(id, n)"
								  " WHERE l.id OPERATOR(pg_catalog.=) k.id RETURNING l.held_at, l.id, l.target, k.n),"
								  " noted AS (INSERT INTO softdelete.event_log"
								  " (at, what, deletion_id, target, rows, role, session_role, actor, reason, txid)"
								  " SELECT pg_catalog.now(), '%s', id, target, n, $4, $5, $6, $7, pg_catalog.txid_current() FROM done)"
								  " SELECT held_at, id FROM done",
								  what, what, what, what, what),
						 7, types, values, nulls);

	/* a hold that was committed while the purge was on its way */
	for (int row = 0; purged && row < n; row++)
	{
		(void) SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &isnull);
		if (!isnull)
			ereport(ERROR,
					(errcode(SD_ERRCODE_ON_HOLD),
					 errmsg("deletion %s is on hold",
							SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 2)),
					 errhint("SELECT softdelete.release(%s) first.",
							 SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 2))));
	}
}

void
sd_log_note(HTAB *counts, Oid role, bool purged)
{
	note(counts, role, purged, false);
}

/* What was purged of deletions whose rows the caller has locked. */
void
sd_log_note_locked(HTAB *counts, Oid role)
{
	note(counts, role, true, true);
}
