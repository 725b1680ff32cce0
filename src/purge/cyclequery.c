/*
 * cyclequery.c
 *		The queries over tables that refer to one another in a circle.
 *
 * Text and plans for cycle.c; runs nothing.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "engine/statement.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "purge/cyclequery.h"
#include "purge/expiry.h"
#include "tables/foreignkeys.h"
#include "tables/names.h"
#include "tables/referrers.h"
#include "tables/registry.h"
#include "tables/table.h"

/* ----------
 * Append, for each key between tables of the cycle, what one step along it
 * from the row (<from>.t, <from>.c) leads to:
 *
 * SELECT <to>.tableoid, <to>.ctid FROM parent p, child c
 *	WHERE <from table>.tableoid = <from>.t AND ... .ctid = <from>.c AND <key> UNION ALL ...
 *
 * up: from children to those parents that may go; else to all children
 * ----------
 */
static void
append_step(StringInfo buf, SdCycle *cycle, const char *from, bool up)
{
	appendStringInfoString(buf, "SELECT NULL::pg_catalog.oid, NULL::pg_catalog.tid WHERE false");
	for (int parent = 0; parent < cycle->n_tables; parent++)
	{
		SdTable    *table = cycle->tables[parent].table;
		ListCell   *lc;

		foreach(lc, sd_all_children(table->relid))
		{
			SdKey	   *key = lfirst(lc);
			SdTable    *child = sd_table_by_oid(key->child);
			bool		inside = false;

			for (int i = 0; child != NULL && i < cycle->n_tables; i++)
				inside = inside || child->root == cycle->tables[i].root;
			if (!inside || !sd_key_needs_parent(key))
				continue;
			appendStringInfo(buf, " UNION ALL SELECT %s.tableoid, %s.ctid FROM %s p, %s c"
							 " WHERE %s.tableoid OPERATOR(pg_catalog.=) %s.t"
							 " AND %s.ctid OPERATOR(pg_catalog.=) %s.c AND ",
							 up ? "p" : "c", up ? "p" : "c",
							 sd_qualified_name(key->parent), sd_qualified_name(key->child),
							 up ? "c" : "p", from, up ? "c" : "p", from);
			sd_append_join(buf, key, "p", "c");
			if (up)
			{
				appendStringInfoString(buf, " AND ");
				sd_append_may_go(buf, table, "p", parent);
			}
		}
	}
}

/* ----------
 * WITH RECURSIVE candidate (t, c, id, at, why) AS MATERIALIZED (<of every leaf>),
 *	stuck (t, c) AS (SELECT t, c FROM candidate WHERE why IS NOT NULL
 *		UNION <what the stuck ones refer to>)
 * SELECT candidate.t, candidate.c, id, stuck.t IS NOT NULL, why, at
 *	FROM candidate LEFT JOIN stuck USING (t, c)
 * ----------
 */
char *
sd_cycle_candidates(SdCycle *cycle)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "WITH RECURSIVE candidate (t, c, id, at, why) AS MATERIALIZED (");
	for (int i = 0; i < cycle->n_leaves; i++)
	{
		SdLeaf	   *leaf = &cycle->leaves[i];

		appendStringInfo(&buf, "%sSELECT %u::pg_catalog.oid, t.ctid, t.%s, ",
						 i ? " UNION ALL " : "", leaf->run.relid,
						 sd_column_name(leaf->run.relid, leaf->run.table->id));
		sd_append_time(&buf, leaf->run.table, "t");
		appendStringInfoString(&buf, "::pg_catalog.timestamptz, ");
		sd_append_stays(&buf, leaf->run.table, cycle->tables, cycle->n_tables, leaf->which);
		sd_append_candidates(&buf, leaf->run.table, leaf->which);
	}
	appendStringInfoString(&buf, "), stuck (t, c) AS (SELECT k.t, k.c FROM candidate k WHERE k.why IS NOT NULL"
						   " UNION SELECT r.t, r.c FROM stuck s CROSS JOIN LATERAL (");
	append_step(&buf, cycle, "s", true);
	appendStringInfo(&buf, ") AS r(t, c))"
					 " SELECT k.t, k.c, k.id, s.t IS NOT NULL, k.why, k.at FROM candidate k LEFT JOIN stuck s"
					 " ON s.t OPERATOR(pg_catalog.=) k.t AND s.c OPERATOR(pg_catalog.=) k.c"
					 " WHERE $%d IS NULL", SD_EXPIRY_PARAMS(cycle->n_tables) + 1);
	return buf.data;
}

/* ----------
 * WITH RECURSIVE found (t, c) AS (SELECT t, c FROM unnest($1, $2)
 *		UNION <what refers to the found ones>)
 * SELECT t, c FROM found
 * ----------
 */
SPIPlanPtr
sd_prepare_referrers(SdCycle *cycle)
{
	Oid			types[3] = {OIDARRAYOID, TIDARRAYOID};
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "WITH RECURSIVE found (t, c) AS ("
						   "SELECT x.t, x.c FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS x(t, c)"
						   " UNION SELECT r.t, r.c FROM found f CROSS JOIN LATERAL (");
	append_step(&buf, cycle, "f", false);
	appendStringInfoString(&buf, ") AS r(t, c)) SELECT f.t, f.c FROM found f WHERE $3 IS NULL");
	/* a plan for each batch's ctids would scan the whole tables */
	return sd_prepare(buf.data, 2, types, cycle->tables[0].owner,
					  CURSOR_OPT_GENERIC_PLAN);
}
