/*
 * newkey.c
 *		The check of a foreign key that ALTER TABLE has added or validated.
 *
 * Owns no state.
 */
#include "postgres.h"

#include "base/spi.h"
#include "engine/keyquery.h"
#include "engine/keyset.h"
#include "engine/statement.h"
#include "executor/spi.h"
#include "fk/newkey.h"
#include "fk/orphan.h"
#include "miscadmin.h"
#include "tables/foreignkeys.h"
#include "tables/names.h"
#include "tables/predicate.h"
#include "tables/registry.h"
#include "tables/rights.h"
#include "tables/table.h"
#include "utils/rel.h"

/*
 * A foreign key was added or validated: PostgreSQL has seen to it that every
 * child has its parent; a live child of a deleted one is for us to find, whatever
 * a delete does along the key.  Needs memory for the keys of the deleted parents.
 */
void
sd_check_new_key(SdKey *key)
{
	SdStatement statement = {SD_TASK_READ};
	SdTable    *parent = sd_table_by_oid(key->parent);
	SdKeySet   *deleted;
	Oid			types[1];
	Datum		values[INDEX_MAX_KEYS];
	StringInfoData buf;

	/* each shard, with its own tables, sees to it by itself */
	if (parent == NULL || parent->distributed)
		return;
	sd_spi_connect();

	initStringInfo(&buf);
	for (int i = 0; i < key->n; i++)
		appendStringInfo(&buf, "%s p.%s", i ? "," : "SELECT",
						 sd_column_name(key->parent, key->parent_atts[i]));
	appendStringInfo(&buf, " FROM %s p WHERE %s AND $1 IS NULL",
					 sd_qualified_name(key->parent),
					 sd_table_predicate(parent, false, "p"));
	sd_execute(sd_prepare(buf.data, 0, types, sd_owner_of(key->parent), 0), values,
			   &statement, sd_owner_of(key->parent), false, SD_VIEW_LATEST, 0);

	deleted = sd_key_set(key, false, false, 0);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		bool		has_null = false;

		for (int i = 0; i < key->n; i++)
		{
			bool		isnull;

			values[i] = SPI_getbinval(SPI_tuptable->vals[row],
									  SPI_tuptable->tupdesc, i + 1, &isnull);
			has_null |= isnull;
		}
		if (!has_null)
			sd_key_set_add(deleted, values);
	}
	if (deleted->n > 0 &&
		sd_execute_key(SD_QUERY_CHILD, deleted, &statement, sd_owner_of(key->child),
					   SD_VIEW_LATEST, 1) > 0)
		sd_raise_missing(key, "The row that it refers to is deleted: restore it, or delete the one that refers to it.");
	sd_spi_finish();
}
