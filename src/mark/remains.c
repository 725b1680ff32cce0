/*
 * remains.c
 *		How many rows of a deletion are in the shards.
 *
 * Shards follow foreign keys by themselves and do not say how many rows that took.  So
 * the node that has the statement asks, for sending.c, as the current user: the rows
 * of tables that he may not read, or that row security keeps from him, are not
 * counted.  Where the statement is about one value of the column by which rows are spread,
 * one shard is asked.  Keeps nothing; SPI is connected.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/own_sql.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "engine/statement.h"
#include "executor/spi.h"
#include "mark/remains.h"
#include "miscadmin.h"
#include "tables/foreignkeys.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static bool
cascades(SdKey *key)
{
	return key->on_delete == FKCONSTR_ACTION_CASCADE && sd_table_by_oid(key->child) != NULL;
}

/* May a delete of the table's rows take others along? */
bool
sd_takes_along(Oid relid)
{
	ListCell   *lc;

	foreach(lc, sd_table_by_oid(relid)->children)
		if (cascades(lfirst(lc)))
			return true;
	return false;
}

static SdRemains *
find(List *list, Oid relid)
{
	ListCell   *lc;

	foreach(lc, list)
		if (((SdRemains *) lfirst(lc))->relid == relid)
			return lfirst(lc);
	return NULL;
}

static SdRemains *
make(Oid relid, const char *value)
{
	SdRemains  *remains = palloc0(sizeof(SdRemains));

	remains->relid = relid;
	remains->value = value ? pstrdup(value) : NULL;
	return remains;
}

/* does the key carry the column that spreads the parent's rows over to the child's? */
static bool
stays_in_shard(SdKey *key, SdTable *parent, SdTable *child)
{
	for (int i = 0; i < key->n; i++)
		if (key->parent_atts[i] == parent->dist_column && key->child_atts[i] == child->dist_column &&
			child->dist_column != InvalidAttrNumber)
			return true;
	return false;
}

/* SdRemains: the table, and those that deletes of its rows cascade to. */
static List *
tables_along(Oid relid, const char *value)
{
	List	   *list = list_make1(make(relid, value));
	ListCell   *lc;

	foreach(lc, list)			/* it grows meanwhile */
	{
		SdRemains  *remains = lfirst(lc);
		SdTable    *table = sd_table_by_oid(remains->relid);
		ListCell   *lk;

		foreach(lk, table->children)
		{
			SdKey	   *key = lfirst(lk);
			SdRemains  *known = find(list, key->child);
			bool		stays;

			if (!cascades(key))
				continue;
			stays = stays_in_shard(key, table, sd_table_by_oid(key->child));
			if (known == NULL)
				list = lappend(list, make(key->child, stays ? remains->value : NULL));
			else if (!stays)
				known->value = NULL;
		}
	}
	return list;
}

/* Count the table's rows of the deletion; now: marked by this very transaction. */
static int64
count_rows(SdRemains *remains, int64 id, bool now)
{
	SdStatement statement = {SD_TASK_READ};
	SdTable    *table = sd_find_table(remains->relid);
	Oid			types[3] = {INT8OID, TIMESTAMPTZOID};
	Datum		values[3] = {Int64GetDatum(id),
	TimestampTzGetDatum(GetCurrentTransactionStartTimestamp())};
	StringInfoData text;
	bool		isnull;

	if (table == NULL || pg_class_aclcheck(remains->relid, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		return 0;
	initStringInfo(&text);
	appendStringInfo(&text, "SELECT pg_catalog.count(*) FROM %s t WHERE t.%s OPERATOR(pg_catalog.=) $1 AND %s",
					 sd_qualified_name(remains->relid), sd_column_name(remains->relid, table->id),
					 sd_table_predicate(table, false, "t"));
	/* there is an index by time, and none by deletion */
	if (now && get_atttype(remains->relid, table->time) == TIMESTAMPTZOID)
		appendStringInfo(&text, " AND t.%s OPERATOR(pg_catalog.=) $2",
						 sd_column_name(remains->relid, table->time));
	if (remains->value != NULL && table->dist_column != InvalidAttrNumber)
		appendStringInfo(&text, " AND t.%s = %s::%s", sd_column_name(remains->relid, table->dist_column),
						 quote_literal_cstr(remains->value),
						 format_type_be_qualified(get_atttype(remains->relid, table->dist_column)));
	appendStringInfoString(&text, " AND $3 IS NULL");
	sd_execute(sd_prepare(text.data, 2, types, InvalidOid, 0), values, &statement, InvalidOid,
			   true, SD_VIEW_STATEMENT, 0);
	if (SPI_processed == 0)
		return 0;
	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/*
 * SdRemains: what the deletion has marked in the table and along the keys; now: in this
 * transaction, at its time.
 */
List *
sd_look_for_marked(Oid relid, int64 id, bool now, const char *value)
{
	List	   *list = tables_along(relid, value);
	ListCell   *lc;

	foreach(lc, list)
		((SdRemains *) lfirst(lc))->rows = count_rows(lfirst(lc), id, now);
	return list;
}

/*
 * SdRemains, in the context: what is left of the deletion in the tables that it took rows
 * from.  Its row in the log is locked, so that nobody else restores or purges it meanwhile.
 */
List *
sd_look_for_rest(MemoryContext context, Oid relid, int64 id, const char *value)
{
	Oid			types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(id)};
	MemoryContext old;
	List	   *along;
	List	   *list = NIL;
	Datum	   *tables = NULL;
	int			n = 0;
	ListCell   *lc;

	if (sd_own_sql("SELECT tables FROM softdelete.deletion_log WHERE id OPERATOR(pg_catalog.=) $1"
				   " FOR NO KEY UPDATE", 1, types, values) > 0)
	{
		bool		isnull;

		deconstruct_array(DatumGetArrayTypeP(SPI_getbinval(SPI_tuptable->vals[0],
														   SPI_tuptable->tupdesc, 1, &isnull)),
						  REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT, &tables, NULL, &n);
	}
	old = MemoryContextSwitchTo(context);
	along = tables_along(relid, value);
	if (n == 0)
		list = along;
	for (int i = 0; i < n; i++)
	{
		SdRemains  *known = find(along, DatumGetObjectId(tables[i]));

		list = lappend(list, known ? known : make(DatumGetObjectId(tables[i]), NULL));
	}
	MemoryContextSwitchTo(old);
	foreach(lc, list)
		((SdRemains *) lfirst(lc))->rows = count_rows(lfirst(lc), id, false);
	return list;
}

/* SdRemains: how many rows of it are no longer there that were there before. */
List *
sd_look_again(List *before, int64 id)
{
	List	   *list = NIL;
	ListCell   *lc;

	foreach(lc, before)
	{
		SdRemains  *then = lfirst(lc);
		SdRemains  *gone = make(then->relid, then->value);

		gone->rows = then->rows - count_rows(gone, id, false);
		list = lappend(list, gone);
	}
	return list;
}
