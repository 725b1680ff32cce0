/*
 * restoring.c
 *		How a statement that restores is shown.
 *
 * The engine restores by a DELETE that is planned as the UPDATE which clears the
 * mark, since the privileges, policies and rules that it is held to are those of
 * DELETE.  Its text would tell whoever reads logs, audits statements or meets an
 * error that rows are being deleted.  So its plan carries the text of the UPDATE
 * that it is.  Keeps nothing.
 */
#include "postgres.h"

#include "engine/restoring.h"
#include "executor/spi.h"
#include "tables/names.h"
#include "tables/registry.h"
#include "tables/table.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

/* Where does the word stand in the text, not counting what is in double quotes? */
static const char *
find_word(const char *text, const char *word)
{
	bool		quoted = false;

	for (; *text; text++)
	{
		if (*text == '"')
			quoted = !quoted;
		else if (!quoted && strncmp(text, word, strlen(word)) == 0)
			return text;
	}
	return NULL;
}

/* "deleted_at = NULL" and the like */
static char *
assignment(SdTable *table)
{
	char	   *marker = sd_column_name(table->relid, table->marker);

	switch (table->kind)
	{
		case SD_TIMESTAMP:
			return psprintf("%s = NULL", marker);
		case SD_BOOLEAN:
			return psprintf("%s = %s", marker,
							strcmp(table->deleted_value, "true") == 0 ? "false" : "true");
		case SD_STATUS:
			return psprintf("%s = %s", marker, sd_column_name(table->relid, table->former));
	}
	return NULL;
}

/*
 * "DELETE FROM table alias [USING ...] WHERE ..." of a plan of sd_prepare()'s, on
 * the managed table relid, becomes "UPDATE table alias SET ... [FROM ...] WHERE
 * ...", to be shown only.  Once is enough for a plan that is kept.
 */
void
sd_show_as_update(SPIPlanPtr plan, Oid relid)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));
	const char *target = source->query_string + strlen("DELETE FROM ");
	SdTable    *table;
	const char *from;
	const char *where;
	const char *end;
	char	   *text;

	if (strncmp(source->query_string, "DELETE FROM ", strlen("DELETE FROM ")) != 0 ||
		(table = sd_table_by_oid(relid)) == NULL)
		return;
	where = find_word(target, " WHERE ");
	Assert(where != NULL);
	from = find_word(target, " USING ");
	if (from > where)
		from = NULL;			/* within the condition */
	end = from ? from : where;
	text = psprintf("UPDATE %.*s SET %s%s%s", (int) (end - target), target,
					assignment(table), from ? " FROM " : "",
					from ? from + strlen(" USING ") : where);
	source->query_string = MemoryContextStrdup(source->context, text);
}
