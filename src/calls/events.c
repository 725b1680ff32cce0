/*
 * events.c
 *		What the log keeps of rows that a call names by their keys, and
 *		history(), which reads it.
 *
 * Deletions, restores and purges are logged as a whole, without keys: that costs
 * nothing per row.  A restore or a purge of one row by its key is an event about
 * that row, and so its event has the key.
 */
#include "postgres.h"

#include "base/own_sql.h"
#include "base/spi.h"
#include "calls/events.h"
#include "calls/rowbykey.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "tables/trashquery.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

PG_FUNCTION_INFO_V1(softdelete_history);

/* The key's values as texts that do not depend on the session's settings. */
static Datum
key_texts(SdByKey *key)
{
	Datum	   *texts = palloc(sizeof(Datum) * key->n);
	int			nest_level = NewGUCNestLevel();
	static const char *const settings[][2] = {
		{"DateStyle", "ISO"}, {"IntervalStyle", "postgres"}, {"TimeZone", "UTC"},
		{"extra_float_digits", "3"}, {"bytea_output", "hex"}
	};

	for (size_t i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	for (int i = 0; i < key->n; i++)
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(key->types[i], &output, &varlena);
		texts[i] = CStringGetTextDatum(OidOutputFunctionCall(output, key->values[i]));
	}
	AtEOXact_GUC(true, nest_level);
	return PointerGetDatum(construct_array(texts, key->n, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * The call has restored or purged the row, which belonged to that deletion: the
 * event that was logged last is about it.  SPI is connected.
 */
void
sd_name_event(SdByKey *key, int64 id, const char *what)
{
	Oid			types[] = {REGCLASSOID, TEXTARRAYOID, INT8OID, TEXTOID};
	Datum		values[4];

	values[0] = ObjectIdGetDatum(key->table->root);
	values[1] = key_texts(key);
	values[2] = Int64GetDatum(id);
	values[3] = CStringGetTextDatum(what);
	(void) sd_own_sql("UPDATE softdelete.event_log SET key_of = $1, key = $2"
					  " WHERE ctid OPERATOR(pg_catalog.=)"
					  " (SELECT pg_catalog.max(e.ctid) FROM softdelete.event_log e"
					  " WHERE e.deletion_id OPERATOR(pg_catalog.=) $3 AND e.what OPERATOR(pg_catalog.=) $4"
					  " AND e.txid OPERATOR(pg_catalog.=) pg_catalog.txid_current())",
					  4, types, values);
}

/*
 * $1 table, $2 the key's texts, $3 the deletion that the row belongs to now:
 *
 *	named	events that name the row
 *	moved	deleted rows that made room for others with their key (%s: their table)
 *	ids		all deletions that took it
 *	holds	of those, or of the row
 */
static const char *const history_query =
"WITH named AS (SELECT e.*, pg_catalog.row_number() OVER (ORDER BY e.ctid) AS n FROM softdelete.event_log e"
" WHERE e.key_of OPERATOR(pg_catalog.=) $1 AND e.key OPERATOR(pg_catalog.=) $2),"
" moved AS (SELECT * FROM %s p"
" WHERE p.target OPERATOR(pg_catalog.=) $1"
" AND (SELECT pg_catalog.array_agg(e.value ORDER BY e.value)"
" FROM pg_catalog.jsonb_each_text(p.key) e)"
" OPERATOR(pg_catalog.=)"
" (SELECT pg_catalog.array_agg(k ORDER BY k) FROM pg_catalog.unnest($2) k)),"
" ids AS (SELECT $3 AS id UNION SELECT deletion_id FROM named"
" UNION SELECT deletion_id FROM moved),"
" holds AS (SELECT * FROM softdelete.hold_log h"
" WHERE h.deletion_id OPERATOR(pg_catalog.=) ANY (SELECT id FROM ids)"
" OR h.key IS NOT NULL AND h.target OPERATOR(pg_catalog.=) $1"
" AND (SELECT pg_catalog.array_agg(e.value ORDER BY e.value)"
" FROM pg_catalog.jsonb_each_text(h.key) e)"
" OPERATOR(pg_catalog.=)"
" (SELECT pg_catalog.array_agg(k ORDER BY k) FROM pg_catalog.unnest($2) k))"
" SELECT h.at, h.what, h.id, h.role::pg_catalog.name, h.actor, h.reason FROM ("
"SELECT l.deleted_at AS at, 'deleted'::pg_catalog.text AS what, l.id, l.deleted_by AS role,"
" l.actor, l.reason, 0::pg_catalog.int8 AS n"
" FROM softdelete.deletion_log l WHERE l.id OPERATOR(pg_catalog.=) ANY (SELECT id FROM ids)"
" AND $1 OPERATOR(pg_catalog.=) ANY (l.tables)"
" UNION ALL SELECT h.since, 'held', h.deletion_id, h.held_by, NULL, h.why, 0 FROM holds h"
" UNION ALL SELECT h.released_at, 'released', h.deletion_id, h.released_by, NULL, NULL, 0"
" FROM holds h WHERE h.released_at IS NOT NULL"
" UNION ALL SELECT m.replaced_at, 'replaced', m.deletion_id, NULL, NULL, NULL, 0 FROM moved m"
" UNION ALL SELECT n.at, n.what, n.deletion_id, n.role, n.actor, n.reason, n.n FROM named n"
") h ORDER BY h.at, h.n, h.id, h.what";

/* in the place of the table of replaced rows, where nothing of this table's is */
static const char *const nothing_replaced =
"(SELECT $1 AS target, '{}'::pg_catalog.jsonb AS key, NULL::pg_catalog.timestamptz AS replaced_at,"
" NULL::pg_catalog.int8 AS deletion_id WHERE false)";

/*
 * history(table, VARIADIC key) -> what is known of the row, in order of time.  The
 * caller has to be able to SELECT it; of a row that is gone, from the table, unless
 * policies could have hidden it.
 */
Datum
softdelete_history(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	SdByKey    *key = sd_by_key(fcinfo);
	SdRowState	state = {false, 0};
	Oid			types[] = {REGCLASSOID, TEXTARRAYOID, INT8OID};
	Datum		values[3];
	bool		found;

	InitMaterializedSRF(fcinfo, 0);
	if (key->has_null)
		return (Datum) 0;
	sd_spi_connect();
	found = sd_probe(key, &state);
	if (found || check_enable_rls(key->relid, InvalidOid, true) != RLS_ENABLED)
	{
		values[0] = ObjectIdGetDatum(key->table->root);
		values[1] = key_texts(key);
		values[2] = Int64GetDatum(state.deleted ? state.id : 0);
		(void) sd_own_sql(psprintf(history_query,
								   sd_has_replaced(key->table->root) ?
								   "softdelete.replaced_rows" : nothing_replaced),
						  3, types, values);
		for (uint64 i = 0; i < SPI_processed; i++)
			tuplestore_puttuple(rsinfo->setResult, SPI_tuptable->vals[i]);
	}
	sd_spi_finish();
	return (Datum) 0;
}
