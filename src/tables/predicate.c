/*
 * predicate.c
 *		SQL text: the condition "is live", and names quoted for it.
 *
 * The one place that spells the condition.  The planner's filter, the helpers'
 * partial indexes, the triggers' WHEN and the engine's own queries all come
 * from here, and that is why they match.  Reads the catalogs for names only.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "tables/predicate.h"
#include "tables/table.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

static void
append_status(StringInfo buf, const char *column, const char *value,
			  bool notnull, bool live)
{
	if (!live)
		appendStringInfo(buf, "%s OPERATOR(pg_catalog.=) %s", column, value);
	else if (notnull)
		appendStringInfo(buf, "%s OPERATOR(pg_catalog.<>) %s", column, value);
	else
		appendStringInfo(buf, "(%s IS NULL OR %s OPERATOR(pg_catalog.<>) %s)",
						 column, column, value);
}

/*
 * The condition on a status column with $1 for the column and $2 for the
 * deleted value: for whoever has both at hand, and may not be allowed to look
 * up the name of an enum.
 */
char *
sd_status_predicate(Form_pg_attribute marker, bool live)
{
	StringInfoData buf;

	initStringInfo(&buf);
	append_status(&buf, "$1", "$2", marker->attnotnull, live);
	return buf.data;
}

/*
 * "col IS NULL" for a time; "NOT col" or "col IS NOT TRUE" for a flag;
 * "col <> 'deleted'" or "(col IS NULL OR col <> 'deleted')" for a status.  The
 * shorter forms stand where the column is NOT NULL: they are what people write
 * by hand, so existing partial indexes and conditions imply them.  A NULL mark
 * is live.  No operator is looked up in the search_path, since the text is
 * parsed under anybody's.  alias, when not NULL, qualifies the column.
 */
char *
sd_predicate(Form_pg_attribute marker, SdKind kind, const char *deleted_value,
			 bool live, const char *alias)
{
	StringInfoData buf;
	const char *column = quote_identifier(NameStr(marker->attname));
	bool		deleted_true;

	if (alias)
		column = psprintf("%s.%s", alias, column);

	initStringInfo(&buf);
	switch (kind)
	{
		case SD_TIMESTAMP:
			appendStringInfo(&buf, "%s IS %s", column, live ? "NULL" : "NOT NULL");
			break;

		case SD_BOOLEAN:
			deleted_true = strcmp(deleted_value, "true") == 0;
			if (marker->attnotnull)
				appendStringInfo(&buf, "%s%s",
								 deleted_true == live ? "NOT " : "", column);
			else
				appendStringInfo(&buf, "%s IS %s%s", column,
								 live ? "NOT " : "",
								 deleted_true ? "TRUE" : "FALSE");
			break;

		case SD_STATUS:
			{
				Oid			base = getBaseType(marker->atttypid);
				const char *value = quote_literal_cstr(deleted_value);

				/* an enum's literal must not depend on the search_path */
				if (get_typtype(base) == TYPTYPE_ENUM)
				{
					const char *type = format_type_be_qualified(base);

					if (base != marker->atttypid)
						column = psprintf("%s::%s", column, type);
					value = psprintf("%s::%s", value, type);
				}
				append_status(&buf, column, value, marker->attnotnull, live);
				break;
			}
	}
	return buf.data;
}

/* The condition of a managed table's row, its column qualified by alias. */
char *
sd_table_predicate(SdTable *table, bool live, const char *alias)
{
	Relation	rel = table_open(table->relid, AccessShareLock);
	char	   *text;

	text = sd_predicate(TupleDescAttr(RelationGetDescr(rel), table->marker - 1),
						table->kind, table->deleted_value, live, alias);
	table_close(rel, AccessShareLock);
	return text;
}

