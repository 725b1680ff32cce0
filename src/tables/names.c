/*
 * names.c
 *		Names of tables, columns, types and operators for SQL text.
 *
 * Always quoted and with their schema, so that no text of ours depends on a
 * search_path.  Reads catalogs only.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "tables/names.h"
#include "tables/rights.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

char *
sd_qualified_name(Oid relid)
{
	char	   *name = sd_relation_name(relid);

	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  name);
}

char *
sd_column_name(Oid relid, AttrNumber attnum)
{
	return pstrdup(quote_identifier(get_attname(relid, attnum, false)));
}

/* the column's type as a cast may name it, schema and length included */
char *
sd_column_type(Oid relid, AttrNumber attnum)
{
	Oid			type;
	int32		typmod;
	Oid			collation;

	get_atttypetypmodcoll(relid, attnum, &type, &typmod, &collation);
	return format_type_extended(type, typmod,
								FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

/* Append "left OPERATOR(schema.op) right", with casts where it needs them. */
void
sd_append_equal(StringInfo buf, const char *left, Oid left_type,
				Oid operator_oid, const char *right, Oid right_type)
{
	generate_operator_clause(buf, left, left_type, operator_oid,
							 right, right_type);
}

/* An operator as it stands within OPERATOR(): "pg_catalog.=". */
char *
sd_operator_name(Oid operator)
{
	HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Form_pg_operator form;
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	form = (Form_pg_operator) GETSTRUCT(tuple);
	name = psprintf("%s.%s", quote_identifier(get_namespace_name(form->oprnamespace)),
					NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return name;
}
