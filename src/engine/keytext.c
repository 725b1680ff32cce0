/*
 * keytext.c
 *		The text of the engine's queries along a foreign key.
 *
 * Each query's shape stands in a comment above the code that spells it.  Reads
 * catalogs, runs nothing, keeps nothing: keyquery.c does.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "engine/keytext.h"
#include "tables/foreignkeys.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* "ONLY " unless the table is partitioned: RI does not reach down inheritance */
const char *
sd_only(Oid relid)
{
	return get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ";
}

static void
append_collation(StringInfo buf, Oid relid, AttrNumber attnum)
{
	Oid			collation = sd_column_collation(relid, attnum);
	HeapTuple	tuple;
	Form_pg_collation form;

	if (!OidIsValid(collation) || collation == DEFAULT_COLLATION_OID)
		return;
	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for collation %u", collation);
	form = (Form_pg_collation) GETSTRUCT(tuple);
	appendStringInfo(buf, " COLLATE %s",
					 quote_qualified_identifier(get_namespace_name(form->collnamespace),
												NameStr(form->collname)));
	ReleaseSysCache(tuple);
}

/* "k.k1 = alias.column AND ..." for one side of the key, or "$1 = ..." */
void
sd_append_match(StringInfo buf, SdKey *key, const char *alias, bool child,
				bool many, const Oid *types)
{
	Oid			relid = child ? key->child : key->parent;
	AttrNumber *atts = child ? key->child_atts : key->parent_atts;

	for (int i = 0; i < key->n; i++)
	{
		StringInfoData value;
		char	   *column = psprintf("%s.%s", alias,
									  sd_column_name(relid, atts[i]));
		Oid			type = get_atttype(relid, atts[i]);

		initStringInfo(&value);
		appendStringInfo(&value, many ? "k.k%d" : "$%d", i + 1);
		append_collation(&value, key->parent, key->parent_atts[i]);
		if (i > 0)
			appendStringInfoString(buf, " AND ");

		/* the constraint's operator takes the parent's column on the left */
		if (child)
			sd_append_equal(buf, value.data, types[i], key->operators[i],
							column, type);
		else
			sd_append_equal(buf, column, type, key->operators[i],
							value.data, types[i]);
	}
}

/* "ROWS FROM (unnest($1), ...) AS k(k1, ...)", or "(VALUES ($1, ...)) AS ..." */
void
sd_append_keys(StringInfo buf, int n, bool many)
{
	appendStringInfoString(buf, many ? "ROWS FROM (" : "(VALUES (");
	for (int i = 0; i < n; i++)
		appendStringInfo(buf, many ? "%spg_catalog.unnest($%d)" : "%s$%d",
						 i ? ", " : "", i + 1);
	appendStringInfoString(buf, many ? ") AS k(" : ")) AS k(");
	for (int i = 0; i < n; i++)
		appendStringInfo(buf, "%sk%d", i ? ", " : "", i + 1);
	appendStringInfoString(buf, ")");
}

/* "c.fk1 >= $n", or <= */
static void
append_bound(StringInfo buf, SdKeySet *set, int16 strategy, int n)
{
	SdKey	   *key = set->key;
	Oid			type = set->types[0];

	appendStringInfo(buf, "c.%s OPERATOR(%s) $%d",
					 sd_column_name(key->child, key->child_atts[0]),
					 sd_operator_name(get_opfamily_member(sd_key_ordering(set), type, type, strategy)),
					 n);
}

/*
 * "c.fk1 = ANY ($1)", or, where no index is to be used, "COALESCE(c.fk1 = ANY ($1),
 * false)": the planner neither takes that to an index nor estimates it key by key.
 */
static void
append_any(StringInfo buf, SdKey *key, SdKeyWay way, Oid operator)
{
	appendStringInfo(buf, way == SD_BY_READING ? "COALESCE(c.%s OPERATOR(%s) ANY ($1), false)" :
					 "c.%s OPERATOR(%s) ANY ($1)",
					 sd_column_name(key->child, key->child_atts[0]),
					 sd_operator_name(operator));
}

/*
 * The text of a query; its last parameter is the internal one, see statement.c.
 * operator: keyaccess.c's, where that is the way; InvalidOid for a join.
 */
char *
sd_key_query_text(SdQueryKind kind, SdKeySet *set, bool many, SdKeyWay way, Oid operator)
{
	SdKey	   *key = set->key;
	SdTable    *table;
	StringInfoData buf;

	initStringInfo(&buf);
	switch (kind)
	{
		case SD_QUERY_MARK:
		case SD_QUERY_RESTORE:
			/* ----------
			 * DELETE FROM [ONLY] child c [USING keys k]
			 *	WHERE k.k1 = c.fk1 [AND ...]
			 *	[AND (c.deletion_id # $n) = 0] AND $m IS NULL
			 * or, where an index serves, WHERE c.fk1 = ANY ($1) [AND ...]
			 * or, where all is read, WHERE COALESCE(c.fk1 = ANY ($1), false)
			 *	[AND c.deletion_id = $n] AND $m IS NULL
			 * ----------
			 */
			appendStringInfo(&buf, "DELETE FROM %s%s c", sd_only(key->child),
							 sd_qualified_name(key->child));
			if (many && !OidIsValid(operator))
			{
				appendStringInfoString(&buf, " USING ");
				sd_append_keys(&buf, key->n, many);
			}
			appendStringInfoString(&buf, " WHERE ");
			if (OidIsValid(operator))
				append_any(&buf, key, way, operator);
			else
				sd_append_match(&buf, key, "c", true, many, set->types);
			if (kind == SD_QUERY_RESTORE)
			{
				table = sd_table_by_oid(key->child);

				/*
				 * No plain "=" where the foreign key's index is the one to use.  Nor
				 * anything that overflows: the child's owner is not the only one
				 * who may write there.
				 */
				appendStringInfo(&buf, way == SD_BY_READING ?
								 " AND c.%s OPERATOR(pg_catalog.=) $%d" :
								 " AND (c.%s OPERATOR(pg_catalog.#) $%d) OPERATOR(pg_catalog.=) 0",
								 sd_column_name(key->child, table->id),
								 key->n + 1);
			}
			break;

		case SD_QUERY_BETWEEN:
			/* ----------
			 * SELECT FROM [ONLY] child c WHERE c.fk1 >= $1 AND c.fk1 <= $2 AND $3 IS NULL
			 * ----------
			 */
			appendStringInfo(&buf, "SELECT FROM %s%s c WHERE ", sd_only(key->child),
							 sd_qualified_name(key->child));
			append_bound(&buf, set, BTGreaterEqualStrategyNumber, 1);
			appendStringInfoString(&buf, " AND ");
			append_bound(&buf, set, BTLessEqualStrategyNumber, 2);
			break;

		case SD_QUERY_CHILD:
		case SD_QUERY_REFERRER:
		case SD_QUERY_COUNT:
			/* ----------
			 * SELECT k.* FROM keys k, child c WHERE k.k1 = c.fk1 [AND ...]
			 *	 [AND c is live | deleted] AND $m IS NULL
			 *	FOR SHARE OF c
			 * FOR SHARE waits for whoever is deleting that child just now.
			 * The others take deleted children, too, and no lock; SD_QUERY_COUNT
			 * has count(*).  SD_QUERY_REFERRER takes these only, but for keys
			 * that keep their links (SET NULL, SET DEFAULT).
			 * ----------
			 */
			appendStringInfo(&buf, "SELECT %s FROM ",
							 kind == SD_QUERY_COUNT ? "pg_catalog.count(*)" : "k.*");
			sd_append_keys(&buf, key->n, many);
			appendStringInfo(&buf, ", %s%s c WHERE ", sd_only(key->child),
							 sd_qualified_name(key->child));
			sd_append_match(&buf, key, "c", true, true, set->types);
			table = kind == SD_QUERY_CHILD ||
				(kind == SD_QUERY_REFERRER && sd_key_needs_parent(key)) ?
				sd_table_by_oid(key->child) : NULL;
			if (table)
				appendStringInfo(&buf, " AND %s",
								 sd_table_predicate(table, kind == SD_QUERY_CHILD, "c"));
			break;

		case SD_QUERY_DELETED:
		case SD_QUERY_LIVE:
			/* ----------
			 * SELECT k.* FROM keys k JOIN parent p ON p.pk1 = k.k1 [AND ...]
			 *	WHERE p is deleted, or live, AND $m IS NULL
			 * ----------
			 */
			appendStringInfoString(&buf, "SELECT k.* FROM ");
			sd_append_keys(&buf, key->n, many);
			appendStringInfo(&buf, " JOIN %s%s p ON ", sd_only(key->parent),
							 sd_qualified_name(key->parent));
			sd_append_match(&buf, key, "p", false, true, set->types);
			appendStringInfo(&buf, " WHERE %s",
							 sd_table_predicate(sd_table_by_oid(key->parent),
												kind == SD_QUERY_LIVE, "p"));
			break;

		case SD_QUERY_PARENT:
			/* ----------
			 * SELECT k.* FROM keys k JOIN parent p ON p.pk1 = k.k1 [AND ...]
			 *	WHERE p is deleted
			 * over a sub-select that takes FOR KEY SHARE OF p, the lock that
			 * RI takes for a new child: nobody deletes the parent meanwhile.
			 * ----------
			 */
			appendStringInfoString(&buf, "SELECT s.* FROM (SELECT k.*, ");
			table = sd_table_by_oid(key->parent);
			appendStringInfo(&buf, "%s AS deleted FROM ",
							 table ? sd_table_predicate(table, false, "p") : "false");
			sd_append_keys(&buf, key->n, many);
			appendStringInfo(&buf, " JOIN %s%s p ON ", sd_only(key->parent),
							 sd_qualified_name(key->parent));
			sd_append_match(&buf, key, "p", false, true, set->types);
			/* OFFSET 0: the condition must not be pushed below the lock */
			appendStringInfoString(&buf, " OFFSET 0 FOR KEY SHARE OF p) s WHERE s.deleted");
			break;

		case SD_QUERY_MISSING:
			/* ----------
			 * SELECT k.* FROM keys k WHERE NOT EXISTS (
			 *	SELECT FROM parent p WHERE p.pk1 = k.k1 [AND ...]) AND $m IS NULL
			 * ----------
			 */
			appendStringInfoString(&buf, "SELECT k.* FROM ");
			sd_append_keys(&buf, key->n, many);
			appendStringInfo(&buf, " WHERE NOT EXISTS (SELECT FROM %s%s p WHERE ",
							 sd_only(key->parent), sd_qualified_name(key->parent));
			sd_append_match(&buf, key, "p", false, true, set->types);
			appendStringInfoChar(&buf, ')');
			break;

		case SD_QUERY_LEFT:
			/* ----------
			 * SELECT FROM keys k, child c WHERE k.k1 = c.fk1 [AND ...] AND $m IS NULL
			 * or, where an index serves,
			 * SELECT FROM child c WHERE c.fk1 = ANY ($1) AND $2 IS NULL
			 * ----------
			 */
			appendStringInfoString(&buf, "SELECT FROM ");
			if (!OidIsValid(operator))
			{
				sd_append_keys(&buf, key->n, many);
				appendStringInfoString(&buf, ", ");
			}
			appendStringInfo(&buf, "%s%s c WHERE ", sd_only(key->child),
							 sd_qualified_name(key->child));
			if (OidIsValid(operator))
				append_any(&buf, key, way, operator);
			else
				sd_append_match(&buf, key, "c", true, true, set->types);
			break;
	}
	appendStringInfo(&buf, " AND $%d IS NULL%s",
					 key->n + (kind == SD_QUERY_RESTORE || kind == SD_QUERY_BETWEEN) + 1,
					 kind == SD_QUERY_CHILD ? " FOR SHARE OF c" : "");
	return buf.data;
}
