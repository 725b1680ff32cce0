/*
 * order.c
 *		What a shard is told with a statement.
 *
 * The node that has a statement sends its shards what they cannot know: what is
 * visible, the deletion that rows are marked by and when, on whose behalf and why,
 * and for what the engine does itself, what for.  The text is a list of letter=value
 * pairs.  Anything but visibility, which everybody may choose, is sealed, together
 * with the role that it is for.  Keeps nothing.
 */
#include "postgres.h"

#include "engine/deletion.h"
#include "engine/order.h"
#include "engine/seal.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

/* the value, with the characters that have a meaning as %XX */
static void
append_text(StringInfo buf, char letter, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	appendStringInfo(buf, ";%c=", letter);
	for (; *value; value++)
		if (*value == ';' || *value == '%')
			appendStringInfo(buf, "%%%02X", (unsigned char) *value);
		else
			appendStringInfoChar(buf, *value);
}

static char *
decoded(const char *value)
{
	char	   *result = pstrdup(value);
	char	   *to = result;

	for (const char *from = value; *from; from++)
	{
		unsigned int code;

		if (*from == '%' && sscanf(from + 1, "%2X", &code) == 1)
		{
			*to++ = (char) code;
			from += 2;
		}
		else
			*to++ = *from;
	}
	*to = '\0';
	return result;
}

/* The order that says what is visible, and no more. */
char *
sd_visibility_order(SdVisibility visibility)
{
	return psprintf("v=%d", (int) visibility);
}

/* All of it, not sealed yet: for this session alone. */
char *
sd_unsealed_order(const SdOrder *order)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "v=%d;i=" INT64_FORMAT ";w=" INT64_FORMAT, (int) order->visibility,
					 order->id, order->at);
	if (order->hard_delete)
		appendStringInfoString(&buf, ";h=1");
	if (order->task != SD_TASK_NONE)
		appendStringInfo(&buf, ";t=%d", (int) order->task);
	if (order->each)
		appendStringInfoString(&buf, ";e=1");
	if (order->now != 0)
		appendStringInfo(&buf, ";n=" INT64_FORMAT, order->now);
	if (order->retention)
		appendStringInfo(&buf, ";p=%d,%d," INT64_FORMAT, order->retention->month,
						 order->retention->day, (int64) order->retention->time);
	for (int i = 0; i < order->n_held; i++)
		appendStringInfo(&buf, "%s" INT64_FORMAT, i ? "," : ";k=", DatumGetInt64(order->held[i]));
	append_text(&buf, 'a', order->actor);
	append_text(&buf, 'r', order->reason);
	return buf.data;
}

char *
sd_sealed_order(const SdOrder *order)
{
	StringInfoData buf;
	char		seal[SD_SEAL_LENGTH + 1];

	initStringInfo(&buf);
	appendStringInfoString(&buf, sd_unsealed_order(order));
	append_text(&buf, 'u', GetUserNameFromId(GetUserId(), false));
	sd_seal(buf.data, buf.len, seal);
	appendStringInfo(&buf, ";s=%s", seal);
	return buf.data;
}

static void
read_held(SdOrder *order, char *list)
{
	int			n = 1;
	char	   *rest = NULL;

	for (char *c = list; *c; c++)
		n += *c == ',';
	order->held = palloc(sizeof(Datum) * n);
	for (char *id = strtok_r(list, ",", &rest); id; id = strtok_r(NULL, ",", &rest))
		order->held[order->n_held++] = Int64GetDatum(strtoll(id, NULL, 10));
}

static void
refuse(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("order to a shard was not sent by this cluster"),
			 errdetail("Its seal does not match softdelete.cluster_key of this node, or it is for another role."),
			 errhint("Statements are to be sent to the table, not to its shards; softdelete.cluster_key has to be the same on every node.")));
}

/*
 * Read an order.  Raises insufficient_privilege where it says more than what is
 * visible and has no seal for this role, unless it is trusted.
 */
SdOrder *
sd_read_order(const char *text, bool trusted)
{
	SdOrder    *order = palloc0(sizeof(SdOrder));
	char	   *copy = pstrdup(text);
	char	   *rest = NULL;
	const char *seal = strstr(text, ";s=");
	const char *role = NULL;
	bool		more = false;

	for (char *pair = strtok_r(copy, ";", &rest); pair; pair = strtok_r(NULL, ";", &rest))
	{
		char	   *value = pair + 2;

		if (pair[0] == '\0' || pair[1] != '=')
			refuse();
		more |= pair[0] != 'v';
		switch (pair[0])
		{
			case 'v':
				order->visibility = atoi(value) == SD_VISIBLE_DELETED ? SD_VISIBLE_DELETED :
					atoi(value) == SD_VISIBLE_ALL ? SD_VISIBLE_ALL : SD_VISIBLE_LIVE;
				break;
			case 'h':
				order->hard_delete = atoi(value) != 0;
				break;
			case 't':
				order->task = (SdTask) atoi(value);
				break;
			case 'e':
				order->each = atoi(value) != 0;
				break;
			case 'i':
				order->id = strtoll(value, NULL, 10);
				break;
			case 'w':
				order->at = strtoll(value, NULL, 10);
				break;
			case 'n':
				order->now = strtoll(value, NULL, 10);
				break;
			case 'p':
				{
					long long	time;

					order->retention = palloc0(sizeof(Interval));
					if (sscanf(value, "%d,%d,%lld", &order->retention->month,
							   &order->retention->day, &time) != 3)
						refuse();
					order->retention->time = time;
					break;
				}
			case 'k':
				read_held(order, value);
				break;
			case 'a':
				order->actor = decoded(value);
				break;
			case 'r':
				order->reason = decoded(value);
				break;
			case 'u':
				role = decoded(value);
				break;
			case 's':
				break;
			default:
				refuse();
		}
	}
	if (more && !trusted &&
		(seal == NULL || role == NULL || !sd_is_sealed(text, seal - text, seal + 3) ||
		 strcmp(role, GetUserNameFromId(GetUserId(), false)) != 0))
		refuse();
	return order;
}

/* The statement of the engine's that the order makes of one on the relation; NULL: a user's. */
SdStatement *
sd_ordered_statement(const SdOrder *order, Oid relid)
{
	SdStatement *statement;

	if (order->task == SD_TASK_NONE)
		return NULL;
	statement = palloc0(sizeof(SdStatement));
	statement->task = order->task;
	statement->relid = relid;
	statement->each = order->each;
	statement->id = order->task == SD_TASK_RESTORE ? order->id : 0;
	statement->purge_table = relid;
	statement->retention = order->retention;
	statement->now = order->now;
	statement->held = order->held;
	statement->n_held = order->n_held;
	statement->context = CurrentMemoryContext;
	return statement;
}
