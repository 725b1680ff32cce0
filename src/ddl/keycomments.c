/*
 * keycomments.c
 *		What a key of live rows was, by its columns' names of today.
 *
 * The comment of its index says what disable() puts back, as PostgreSQL deparses
 * it (sql/parts/67_keys.sql).  When a column is renamed, the index follows by
 * itself, and what the comment says is made to.  columns.c calls when the command is
 * done.  Keeps nothing.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/comment.h"
#include "ddl/keycomments.h"
#include "ddl/livekeys.h"
#include "lib/stringinfo.h"
#include "parser/scansup.h"
#include "utils/builtins.h"
#include "utils/rel.h"

static bool
begins_identifier(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || IS_HIGHBIT_SET(c);
}

/* the end of what begins with a quote, in which the quote stands twice for itself */
static const char *
after_quoted(const char *p)
{
	char		quote = *p++;

	while (*p && (*p != quote || p[1] == quote))
		p += *p == quote ? 2 : 1;
	return *p ? p + 1 : p;
}

static char *
unquoted(const char *from, const char *to)
{
	char	   *result = palloc(to - from);
	char	   *out = result;

	for (from++; from < to - 1; from++)
	{
		*out++ = *from;
		if (*from == '"')
			from++;
	}
	*out = '\0';
	return result;
}

/*
 * The text with one column called otherwise.  A name before "(" is a function's, one
 * beside "." is qualified, and after "::" comes a type's, maybe of several words:
 * none of them is a column.  After an empty line stands what the index's comment was.
 */
static char *
rename_column(const char *text, const char *old, const char *new)
{
	StringInfoData buf;
	bool		in_type = false;
	const char *p = text;

	initStringInfo(&buf);
	while (*p)
	{
		const char *from = p;
		const char *next;
		char	   *name;

		if (p[0] == '\n' && p[1] == '\n')
		{
			appendStringInfoString(&buf, p);
			break;
		}
		if (*p != '"' && !begins_identifier(*p))
		{
			in_type = p[0] == ':' && p[1] == ':' ? true : in_type && scanner_isspace(*p);
			p = *p == '\'' ? after_quoted(p) : p + (p[0] == ':' && p[1] == ':' ? 2 : 1);
			appendBinaryStringInfo(&buf, from, p - from);
			continue;
		}
		if (*p == '"')
		{
			p = after_quoted(p);
			name = unquoted(from, p);
		}
		else
		{
			while (begins_identifier(*p) || (*p >= '0' && *p <= '9') || *p == '$')
				p++;
			name = pnstrdup(from, p - from);
		}
		next = p;
		while (scanner_isspace(*next))
			next++;
		if (strcmp(name, old) == 0 && !in_type && *next != '(' && *p != '.' &&
			(from == text || from[-1] != '.'))
			appendStringInfoString(&buf, quote_identifier(new));
		else
			appendBinaryStringInfo(&buf, from, p - from);
	}
	return buf.data;
}

/* The column of the table, and of its partitions, is called otherwise now. */
void
sd_rename_in_key_comments(Oid relid, const char *old, const char *new)
{
	const int	begin = strlen(SD_LIVE_KEY_COMMENT);
	ListCell   *lc;
	ListCell   *lc2;

	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
	{
		Relation	rel = relation_open(lfirst_oid(lc), NoLock);

		foreach(lc2, RelationGetIndexList(rel))
		{
			char	   *comment = GetComment(lfirst_oid(lc2), RelationRelationId, 0);
			char	   *renamed;

			if (comment == NULL || strncmp(comment, SD_LIVE_KEY_COMMENT, begin) != 0)
				continue;
			renamed = psprintf(SD_LIVE_KEY_COMMENT "%s", rename_column(comment + begin, old, new));
			if (strcmp(renamed, comment) != 0)
				CreateComments(lfirst_oid(lc2), RelationRelationId, 0, renamed);
		}
		relation_close(rel, NoLock);
	}
}
