/*
 * heldabove.c
 *		Rows that went along with a row that is on hold by itself.
 *
 * A held post has to come back with its images, so those that its deletion took
 * along stay, too, whatever their own retention says.  Followed upwards along
 * cascading keys, through tables of the same owner: the statement runs as that
 * one.  Called by batch.c.
 */
#include "postgres.h"

#include "base/own_sql.h"
#include "catalog/pg_type.h"
#include "engine/holds.h"
#include "engine/statement.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "purge/erase.h"
#include "purge/expiry.h"
#include "purge/heldabove.h"
#include "tables/foreignkeys.h"
#include "tables/names.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* Append " OR " and what the row under alias is held by; false for no hold. */
static bool
append_held(StringInfo buf, SdTable *table, const char *alias)
{
	Oid			types[1] = {REGCLASSOID};
	Datum		values[1] = {ObjectIdGetDatum(table->root)};
	char	   *last = "";
	int			n;

	if (!sd_has_row_holds(table->root))
		return false;
	n = sd_own_sql("SELECT h.id::pg_catalog.text, k.key, k.value FROM softdelete.hold_log h"
				   " CROSS JOIN LATERAL pg_catalog.jsonb_each_text(h.key) k"
				   " WHERE h.target OPERATOR(pg_catalog.=) $1"
				   " AND h.key IS NOT NULL AND h.released_at IS NULL"
				   " ORDER BY h.id", 1, types, values);
	for (int i = 0; i < n; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		char	   *hold = SPI_getvalue(row, SPI_tuptable->tupdesc, 1);
		AttrNumber	attnum = get_attnum(table->relid, SPI_getvalue(row, SPI_tuptable->tupdesc, 2));
		Oid			type = attnum > 0 ? get_atttype(table->relid, attnum) : InvalidOid;

		appendStringInfoString(buf, strcmp(hold, last) == 0 ? " AND " : " OR ");
		last = hold;
		if (attnum > 0)
			sd_append_equal(buf, psprintf("%s.%s", alias, sd_column_name(table->relid, attnum)), type,
							lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr,
							psprintf("%s::%s", quote_literal_cstr(SPI_getvalue(row, SPI_tuptable->tupdesc, 3)),
									 sd_column_type(table->relid, attnum)), type);
		else
			appendStringInfoString(buf, "false");
	}
	return n > 0;
}

/* ----------
 * Append, for each cascading key of the table whose row is under alias,
 *
 * OR EXISTS (SELECT FROM parent p WHERE <p.key = alias.key> AND
 *	p.deletion_id = alias.deletion_id AND (false <OR p is held> <OR the same of p>))
 *
 * and return whether there was any; nothing where no row above is on hold.
 * ----------
 */
static bool
append_above(StringInfo buf, SdTable *table, Oid owner, const char *alias, List *path)
{
	bool		any = false;
	ListCell   *lc;

	check_stack_depth();
	path = lappend_oid(list_copy(path), table->root);
	foreach(lc, table->parents)
	{
		SdKey	   *key = lfirst(lc);
		SdTable    *parent = sd_table_by_oid(key->parent);
		char	   *p = psprintf("p%d", list_length(path));
		StringInfoData held;
		bool		some;

		if (key->on_delete != FKCONSTR_ACTION_CASCADE || parent == NULL ||
			list_member_oid(path, parent->root) || sd_owner_of(parent->root) != owner)
			continue;
		initStringInfo(&held);
		some = append_held(&held, parent, p);
		some |= append_above(&held, parent, owner, p, path);
		if (!some)
			continue;
		any = true;
		appendStringInfo(buf, " OR EXISTS (SELECT FROM %s %s WHERE ", sd_qualified_name(parent->root), p);
		sd_append_join(buf, key, p, alias);
		appendStringInfo(buf, " AND %s.%s OPERATOR(pg_catalog.=) %s.%s AND (false%s))",
						 p, sd_column_name(parent->relid, parent->id),
						 alias, sd_column_name(table->relid, table->id), held.data);
	}
	return any;
}

static SPIPlanPtr
prepare(PurgeRun *run)
{
	Oid			types[2] = {TIDARRAYOID};
	StringInfoData text;
	StringInfoData above;

	initStringInfo(&above);
	if (!append_above(&above, run->table, run->owner, "t", NIL))
		return NULL;
	initStringInfo(&text);
	appendStringInfo(&text, "SELECT t.ctid FROM ONLY %s t WHERE t.ctid OPERATOR(pg_catalog.=) ANY ($1)"
					 " AND (false%s) AND $2 IS NULL",
					 sd_qualified_name(run->relid), above.data);
	return sd_prepare(text.data, 1, types, run->owner, CURSOR_OPT_GENERIC_PLAN);
}

/* Take them out of the batch, and count them as kept.  SPI is connected. */
void
sd_leave_held_above(PurgeRun *run, PurgeRows *batch)
{
	SdStatement reading = {SD_TASK_READ, .restricted = true};
	Datum		values[2];
	Datum	   *tids;
	int			n = 0;
	uint64		found = 0;

	if (batch->n == 0)
		return;
	if (!run->above_known)
	{
		run->above = prepare(run);
		if (run->above != NULL)
			SPI_keepplan(run->above);
		run->above_known = true;
	}
	if (run->above == NULL)
		return;
	/* both come in the order of the heap */
	sd_sort_rows(batch);
	tids = palloc(sizeof(Datum) * batch->n);
	for (int i = 0; i < batch->n; i++)
		tids[i] = PointerGetDatum(&batch->rows[i].tid);
	values[0] = PointerGetDatum(construct_array(tids, batch->n, TIDOID, sizeof(ItemPointerData),
												false, TYPALIGN_SHORT));
	sd_execute(run->above, values, &reading, run->owner, true, SD_VIEW_STATEMENT, 0);
	for (int i = 0; i < batch->n; i++)
	{
		bool		isnull;

		if (found < SPI_processed &&
			ItemPointerEquals(&batch->rows[i].tid,
							  (ItemPointer) DatumGetPointer(SPI_getbinval(SPI_tuptable->vals[found],
																		  SPI_tuptable->tupdesc, 1, &isnull))))
			found++;
		else
			batch->rows[n++] = batch->rows[i];
	}
	sd_keep(&run->kept, sd_why_stays(run->table, SD_STAYS_HELD), batch->n - n);
	SPI_freetuptable(SPI_tuptable);
	batch->n = n;
}
