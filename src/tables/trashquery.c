/*
 * trashquery.c
 *		SQL text: the deleted rows of one table, as softdelete.trash() has them.
 *
 * The planner puts the query in the place of a call (plan/trash.c), so that
 * conditions and orders reach the table's indexes; where it cannot, the
 * function runs it (calls/trash.c).  Reads the catalogs only.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "base/own_objects.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/primarykey.h"
#include "tables/trashquery.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/*
 * Can values of the type be made JSON by no casts but those of superusers?
 * Others' types could bring a cast to json of their own, which would run with
 * the rights of whoever looks into the trash.
 */
static bool
is_plain_type(Oid type)
{
	while (OidIsValid(type))
	{
		HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
		Form_pg_type form;
		bool		plain;

		if (!HeapTupleIsValid(tuple))
			return false;
		form = (Form_pg_type) GETSTRUCT(tuple);
		plain = form->typtype == TYPTYPE_DOMAIN ||
			(form->typtype != TYPTYPE_COMPOSITE && superuser_arg(form->typowner));
		type = form->typtype == TYPTYPE_DOMAIN ? form->typbasetype :
			form->typsubscript == F_ARRAY_SUBSCRIPT_HANDLER ? form->typelem : InvalidOid;
		ReleaseSysCache(tuple);
		if (!plain)
			return false;
	}
	return true;
}

/*
 * The row as JSON.  Columns of other types than plain ones come as their text,
 * under their names: for those it takes a sub-select.
 */
static void
append_row_data(StringInfo buf, TupleDesc desc)
{
	StringInfoData columns;
	bool		plain = true;

	initStringInfo(&columns);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const char *name = quote_identifier(NameStr(att->attname));
		const char *comma = columns.len > 0 ? ", " : "";

		if (att->attisdropped)
			continue;
		if (is_plain_type(att->atttypid))
			appendStringInfo(&columns, "%st.%s", comma, name);
		else
		{
			plain = false;
			appendStringInfo(&columns, "%sCASE WHEN pg_catalog.num_nulls(t.%s) OPERATOR(pg_catalog.=) 0"
							 " THEN pg_catalog.format('%%s', t.%s) END AS %s",
							 comma, name, name, name);
		}
	}
	if (plain)
		appendStringInfoString(buf, "pg_catalog.to_jsonb(t.*)");
	else
		appendStringInfo(buf, "(SELECT pg_catalog.to_jsonb(j.*) FROM (SELECT %s) j)", columns.data);
}

/*
 * The key column's value in the JSON object $1, NULL where there is none that
 * the column can hold: something that no row has is not an error.  NULL for
 * types that JSON cannot give back exactly.
 */
static char *
key_value(Form_pg_attribute att)
{
	char	   *field = quote_literal_cstr(NameStr(att->attname));
	char	   *text = psprintf("($1 OPERATOR(pg_catalog.->>) %s)", field);
	char	   *number = psprintf("CASE WHEN pg_catalog.jsonb_typeof($1 OPERATOR(pg_catalog.->) %s) OPERATOR(pg_catalog.=) 'number'"
								  " THEN %s::pg_catalog.numeric END", field, text);

	switch (att->atttypid)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return psprintf("CASE WHEN %s BETWEEN -9223372036854775808 AND 9223372036854775807"
							" AND pg_catalog.trunc(%s) OPERATOR(pg_catalog.=) %s THEN (%s)::pg_catalog.int8 END",
							number, number, number, number);
		case NUMERICOID:
			return number;
		case UUIDOID:
			return psprintf("CASE WHEN %s OPERATOR(pg_catalog.~)"
							" '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'"
							" THEN %s::pg_catalog.uuid END", text, text);
		case TEXTOID:
		case VARCHAROID:
			{
				HeapTuple	tuple;
				Form_pg_collation form;
				char	   *schema;
				char	   *result;

				tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(att->attcollation));
				if (!HeapTupleIsValid(tuple))
					return NULL;
				form = (Form_pg_collation) GETSTRUCT(tuple);
				schema = get_namespace_name(form->collnamespace);
				result = psprintf("(%s COLLATE %s)", text,
								  quote_qualified_identifier(schema, NameStr(form->collname)));
				ReleaseSysCache(tuple);
				return result;
			}
		default:
			return NULL;
	}
}

/*
 * The key as a JSON object into *object; into *equal, the columns' equality with
 * the object $1: conditions that follow from "key = $1" and that the primary
 * key's index knows.
 */
static void
append_key(StringInfo object, StringInfo equal, Relation rel)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(sd_primary_key(rel)));
	Form_pg_index form;

	if (!HeapTupleIsValid(tuple))
	{
		appendStringInfoString(object, "NULL::pg_catalog.jsonb");
		return;
	}
	form = (Form_pg_index) GETSTRUCT(tuple);
	appendStringInfoString(object, "pg_catalog.jsonb_build_object(");
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), form->indkey.values[i] - 1);
		const char *name = quote_identifier(NameStr(att->attname));
		char	   *value = key_value(att);

		appendStringInfo(object, is_plain_type(att->atttypid) ?
						 "%s%s, t.%s" : "%s%s, pg_catalog.format('%%s', t.%s)",
						 i ? ", " : "", quote_literal_cstr(NameStr(att->attname)), name);
		if (value != NULL)
			appendStringInfo(equal, " AND t.%s OPERATOR(pg_catalog.=) %s", name, value);
	}
	appendStringInfoChar(object, ')');
	ReleaseSysCache(tuple);
}

/*
 * Were rows of the table moved to softdelete.replaced_rows, as their keys were
 * inserted again?  Whether they are there still, and who sees them, is asked by
 * the query; here it is enough that there were some, at any time.
 */
bool
sd_has_replaced(Oid relid)
{
	Oid			schema = sd_objects()->schema;
	Oid			rows = get_relname_relid("replaced_rows", schema);
	Oid			index = get_relname_relid("replaced_rows_target_idx", schema);
	Relation	rel;
	ScanKeyData key[1];
	SysScanDesc scan;
	bool		result;

	if (!OidIsValid(rows) || !OidIsValid(index))
		return false;
	rel = table_open(rows, AccessShareLock);
	ScanKeyInit(&key[0], get_attnum(rows, "target"), BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, index, true, SnapshotAny, 1, key);
	result = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * When the row was deleted.  No time zone may lead a finite time out of
 * timestamptz, whatever somebody has written there.
 */
static void
append_time(StringInfo buf, SdTable *table)
{
	const char *time = sd_column_name(table->relid, table->time);

	if (getBaseType(get_atttype(table->relid, table->time)) == TIMESTAMPTZOID)
		appendStringInfo(buf, "t.%s::pg_catalog.timestamptz", time);
	else
		appendStringInfo(buf, "(CASE WHEN pg_catalog.isfinite(t.%s::pg_catalog.timestamp)"
						 " THEN GREATEST(LEAST(t.%s::pg_catalog.timestamp,"
						 " '294276-12-30'::pg_catalog.timestamp), '0001-01-01'::pg_catalog.timestamp)"
						 " ELSE t.%s::pg_catalog.timestamp END)::pg_catalog.timestamptz",
						 time, time, time);
}

/*
 * SELECT id, time, key, row as JSON FROM table t
 *	WHERE true [AND it is deleted] [AND it has the key $1]
 *	[UNION ALL the same of replaced rows]
 */
char *
sd_trash_rows(SdTable *table, bool by_key, bool filter)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	StringInfoData buf;
	StringInfoData key;
	StringInfoData equal;

	initStringInfo(&buf);
	initStringInfo(&key);
	initStringInfo(&equal);
	append_key(&key, &equal, rel);
	appendStringInfo(&buf, "SELECT t.%s::pg_catalog.int8 AS id, ",
					 sd_column_name(table->relid, table->id));
	append_time(&buf, table);
	appendStringInfo(&buf, " AS at, %s AS key, ", key.data);
	append_row_data(&buf, RelationGetDescr(rel));
	appendStringInfo(&buf, " AS row_data FROM %s t", sd_qualified_name(table->relid));
	if (filter || by_key)
		appendStringInfo(&buf, " WHERE %s%s", filter ? sd_table_predicate(table, false, "t") : "true",
						 by_key ? equal.data : "");
	if (sd_has_replaced(table->relid))
		appendStringInfo(&buf, " UNION ALL SELECT p.deletion_id, p.deleted_at, p.key, p.row_data FROM softdelete.replaced p"
						 " WHERE p.target OPERATOR(pg_catalog.=) '%u'::pg_catalog.regclass", table->relid);
	table_close(rel, NoLock);
	return buf.data;
}

/*
 * SELECT the ten columns of trash() FROM (the rows) x
 *	LEFT JOIN trash_retention r ON it is the table's
 *	LEFT JOIN LATERAL (SELECT who, why FROM trash_log) l ON true
 *
 * Each member of the rows' union has one table and, where the planner sees to it that
 * the rows are deleted (!filter), no condition: so they can be merged in the order
 * of an index.  The lookup in the log has a LIMIT, so that it stays one
 * for each row: a join would read the whole log.
 *
 * Shards know nothing of the log.  There the rows, which sd_trash_rows() fetches, come
 * as four arrays, the parameters.
 */
char *
sd_trash_query(SdTable *table, bool by_key, bool filter)
{
	char	   *target = psprintf("'%u'::pg_catalog.regclass", table->relid);
	const char *expires = "CASE WHEN x.at OPERATOR(pg_catalog.<) '9999-12-31'::pg_catalog.timestamptz"
		" THEN x.at OPERATOR(pg_catalog.+) r.retention END";
	char	   *rows = table->distributed ?
		"ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4)) AS x(id, at, key, row_data)" :
		psprintf("(%s) x", sd_trash_rows(table, by_key, filter));
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "SELECT %s AS target, x.key, x.at AS deleted_at, l.deleted_by, l.actor, l.reason,"
					 " x.id AS deletion_id, %s AS expires_at,", target, expires);
	appendStringInfo(&buf, " CASE WHEN %s OPERATOR(pg_catalog.>) pg_catalog.now()"
					 " THEN pg_catalog.ceil(EXTRACT(epoch FROM %s OPERATOR(pg_catalog.-) pg_catalog.now()) OPERATOR(pg_catalog./) 86400)::pg_catalog.int4"
					 " WHEN %s IS NOT NULL THEN 0 END AS days_left, x.row_data", expires, expires, expires);
	appendStringInfo(&buf, " FROM %s LEFT JOIN softdelete.trash_retention r ON r.target OPERATOR(pg_catalog.=) %s"
					 " LEFT JOIN LATERAL (SELECT d.deleted_by, d.actor, d.reason FROM softdelete.trash_log d"
					 " WHERE d.id OPERATOR(pg_catalog.=) x.id AND %s::pg_catalog.oid OPERATOR(pg_catalog.=) ANY (d.tables) LIMIT 1) l ON true",
					 rows, target, target);
	return buf.data;
}
