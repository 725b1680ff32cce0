/*
 * context.c
 *		The CONTEXT of errors, without what is the extension's own.
 *
 * An error that a function of ours raises would be followed by the functions and
 * statements through which it was reached, down to the one that was called: lines
 * that say nothing to whoever called it, and hide where he did.  They are cut off
 * as the error is reported; exception handlers have seen the whole.  With messages
 * of level debug1 they stay.
 *
 * PostgreSQL promises only that output_to_server may be changed there.  What is done
 * to the text leaves its memory as it is.  Owns the hook.
 */
#include "postgres.h"

#include "base/context.h"
#include "utils/guc.h"

static emit_log_hook_type next_hook = NULL;

/* the line's end */
static char *
end_of_line(char *line)
{
	char	   *end = strchr(line, '\n');

	return end ? end : line + strlen(line);
}

/* Does the line name something of our schema? */
static bool
names_ours(const char *line, const char *end)
{
	static const char ours[] = "softdelete.";
	const char *found = line;

	while ((found = strstr(found, ours)) != NULL && found < end)
	{
		if (found > line && strchr(" \"(", found[-1]) != NULL)
			return true;
		found += sizeof(ours) - 1;
	}
	return false;
}

/*
 * The first line was added by what raised the error.  Cut off the lines down to the
 * last that is ours, before one of somebody else's functions.
 */
static void
cut_context(char *context)
{
	char	   *rest = context;

	if (!names_ours(context, end_of_line(context)))
		return;
	for (char *line = context; *line != '\0';)
	{
		char	   *end = end_of_line(line);
		bool		is_ours = names_ours(line, end);

		/* a function's line begins so in every language */
		if (!is_ours && strncmp(line, "PL/", 3) == 0)
			break;
		line = *end == '\n' ? end + 1 : end;
		if (is_ours)
			rest = line;
	}
	memmove(context, rest, strlen(rest) + 1);
}

static void
report(ErrorData *error)
{
	if (error->elevel == ERROR && error->context != NULL &&
		client_min_messages > DEBUG1 && log_min_messages > DEBUG1)
	{
		cut_context(error->context);
		if (error->context[0] == '\0')
		{
			pfree(error->context);
			error->context = NULL;
		}
	}
	if (next_hook)
		next_hook(error);
}

void
sd_context_init(void)
{
	next_hook = emit_log_hook;
	emit_log_hook = report;
}
