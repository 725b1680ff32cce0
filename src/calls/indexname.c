/*
 * indexname.c
 *		Names for indexes that are made for a table.
 *
 * Reads catalogs only.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "mb/pg_wchar.h"
#include "tables/rights.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(softdelete_index_name);

/*
 * index_name(table, suffix, VARIADIC columns): "table_columns_suffix", cut to the
 * length of a name, with a number where it is taken, as PostgreSQL does itself.
 */
Datum
softdelete_index_name(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *suffix = text_to_cstring(PG_GETARG_TEXT_PP(1));
	StringInfoData base;
	Datum	   *columns;
	int			n;
	Name		result = palloc0(NAMEDATALEN);

	initStringInfo(&base);
	appendStringInfoString(&base, sd_relation_name(relid));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), NAMEOID, NAMEDATALEN, false,
					  TYPALIGN_CHAR, &columns, NULL, &n);
	for (int i = 0; i < n; i++)
		appendStringInfo(&base, "_%s", NameStr(*DatumGetName(columns[i])));
	/* leaves room for the rest */
	suffix[pg_mbcliplen(suffix, strlen(suffix), NAMEDATALEN / 2)] = '\0';
	namestrcpy(result, ChooseRelationName(base.data, NULL, suffix,
										  get_rel_namespace(relid), false));
	PG_RETURN_NAME(result);
}
