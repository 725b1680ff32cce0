/*
 * kept.c
 *		Expired rows that a purge had to leave: how many, and why.
 *
 * Called by the rest of this folder, calls nothing of it.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "purge/kept.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

/* Count rows as kept. */
void
sd_keep(SdKept *kept, const char *why, int64 rows)
{
	int			i = 0;

	if (rows == 0)
		return;
	kept->rows += rows;
	while (i < kept->n && strcmp(kept->reasons[i].why, why) != 0)
		i++;
	if (i == MAX_REASONS)
	{
		i = MAX_REASONS - 1;
		kept->reasons[i].why = "other reasons";
	}
	else if (i == kept->n)
	{
		kept->reasons[kept->n].why = MemoryContextStrdup(kept->context, why);
		kept->reasons[kept->n++].rows = 0;
	}
	kept->reasons[i].rows += rows;
}

/* Count those, too. */
void
sd_add_kept(SdKept *kept, const SdKept *more)
{
	for (int i = 0; i < more->n; i++)
		sd_keep(kept, more->reasons[i].why, more->reasons[i].rows);
}

/* "on hold (2), referred to by table "c" (1)" */
char *
sd_kept_text(const SdKept *kept)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < kept->n; i++)
		appendStringInfo(&buf, "%s%s (" INT64_FORMAT ")", i ? ", " : "",
						 kept->reasons[i].why, kept->reasons[i].rows);
	return buf.data;
}

/* {"on hold": 2, ...} */
Datum
sd_kept_jsonb(const SdKept *kept)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	for (int i = 0; i < kept->n; i++)
	{
		if (i > 0)
			appendStringInfoChar(&buf, ',');
		escape_json(&buf, kept->reasons[i].why);
		appendStringInfo(&buf, ":" INT64_FORMAT, kept->reasons[i].rows);
	}
	appendStringInfoChar(&buf, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data));
}
