/*
 * shardrow.c
 *		Erasing one deleted row of a distributed table, with what goes along.
 *
 * Foreign keys would have the shards erase that by themselves, and nobody would know
 * how many rows of which deletion went.  So the rows that hang on it are erased
 * first, those at the ends of the keys before others, each by a statement that
 * returns them.  Called by purge.c.  Owns no state.
 */
#include "postgres.h"

#include "base/guc.h"
#include "catalog/pg_constraint.h"
#include "engine/counts.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "purge/expiry.h"
#include "purge/shards.h"
#include "tables/foreignkeys.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/referrers.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

typedef struct Erasure
{
	SdByKey    *key;
	SdStatement *statement;
	Oid			owner;
	char	   *root;			/* the row's key, of alias t */
} Erasure;

/*
 * The condition that a row under the alias hangs on the row by the keys of the path,
 * of which the first refers to the row itself.
 */
static void
append_hangs_on(StringInfo buf, Erasure *erasure, List *path, const char *alias)
{
	SdKey	   *key = llast(path);
	bool		first = list_length(path) == 1;
	char	   *parent = first ? "t" : psprintf("p%d", list_length(path));

	appendStringInfo(buf, "EXISTS (SELECT 1 FROM %s %s WHERE ", sd_qualified_name(key->parent), parent);
	sd_append_join(buf, key, parent, alias);
	appendStringInfoString(buf, " AND ");
	if (first)
		appendStringInfoString(buf, erasure->root);
	else
		append_hangs_on(buf, erasure, list_truncate(list_copy(path), list_length(path) - 1), parent);
	appendStringInfoChar(buf, ')');
}

/* Erase the deleted rows that hang on it by that path. */
static void
erase_path(Erasure *erasure, List *path)
{
	SdByKey    *key = erasure->key;
	SdTable    *table = sd_table_by_oid(((SdKey *) llast(path))->child);
	SdStatement statement = *erasure->statement;
	const char *id = sd_column_name(table->relid, table->id);
	StringInfoData text;

	/* ----------
	 * WITH gone(id) AS (DELETE FROM child c WHERE <deleted> AND EXISTS (...)
	 *	RETURNING c.deletion_id)
	 * SELECT g.id, count(*) FROM gone g WHERE $n IS NULL GROUP BY g.id
	 * ----------
	 */
	initStringInfo(&text);
	appendStringInfo(&text, "WITH gone(id) AS (DELETE FROM %s c WHERE %s AND ",
					 sd_qualified_name(table->relid), sd_table_predicate(table, false, "c"));
	append_hangs_on(&text, erasure, path, "c");
	appendStringInfo(&text, " RETURNING c.%s) SELECT g.id, pg_catalog.count(*) FROM gone g"
					 " WHERE $%d IS NULL GROUP BY g.id", id, key->n + 1);
	statement.relid = table->relid;
	sd_execute(sd_prepare(text.data, key->n, key->types, erasure->owner, 0), key->values,
			   &statement, erasure->owner, true, SD_VIEW_STATEMENT, 0);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		bool		no_id;
		bool		isnull;
		int64		deletion = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row],
														   SPI_tuptable->tupdesc, 1, &no_id));
		int64		rows = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row],
													   SPI_tuptable->tupdesc, 2, &isnull));

		erasure->statement->rows += rows;
		if (!no_id)
			sd_count_by_id(&erasure->statement->purged, CurrentMemoryContext, deletion,
						   table->root, rows);
	}
}

/* does the path come through the table? */
static bool
comes_through(Erasure *erasure, List *path, Oid relid)
{
	ListCell   *lc;

	foreach(lc, path)
		if (((SdKey *) lfirst(lc))->child == relid)
			return true;
	return relid == erasure->key->relid;
}

/* Follow the keys that refer to the table, to their ends; path led to it. */
static void
follow(Erasure *erasure, Oid relid, List *path)
{
	ListCell   *lc;

	foreach(lc, sd_table_by_oid(relid)->children)
	{
		SdKey	   *key = lfirst(lc);
		List	   *longer;

		if (key->on_delete != FKCONSTR_ACTION_CASCADE || sd_table_by_oid(key->child) == NULL)
			continue;
		if (comes_through(erasure, path, key->child))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("rows of distributed table \"%s\" that refer to one another cannot be erased by key",
							get_rel_name(key->child)),
					 errdetail("Foreign key \"%s\" leads back to it.", key->name),
					 errhint("SELECT * FROM softdelete.purge_expired(%s, older_than => '0') erases those that nothing refers to.",
							 quote_literal_cstr(sd_qualified_name(key->child)))));
		CHECK_FOR_INTERRUPTS();
		longer = lappend(list_copy(path), key);
		follow(erasure, key->child, longer);
		erase_path(erasure, longer);
	}
}

/*
 * Erase the deleted row with that key and what goes along; the statement's rows and purged
 * count them.  id: of the row's deletion, 0 for none.  Returns the rows of the table itself,
 * as sd_by_key_execute() does.  Raises 0A000 where the keys lead in a circle.
 */
int
sd_erase_in_shards(SdByKey *key, int64 id, SdStatement *statement, Oid owner)
{
	char	   *end = psprintf(" AND $%d IS NULL", key->n + 1);
	Erasure		erasure = {key, statement, owner};
	int			erased;

	if (sd_hangs_on_reference(key->table))
		sd_one_connection_each();
	erasure.root = pnstrdup(key->where, strlen(key->where) - strlen(end));
	follow(&erasure, key->relid, NIL);
	erased = sd_by_key_execute(key, statement, owner);
	statement->rows += erased;
	if (erased > 0 && id != 0)
		sd_count_by_id(&statement->purged, CurrentMemoryContext, id, key->table->root, erased);
	return erased;
}
