/*
 * query.c
 *		The engine's own SQL: running it, and the kept plans for foreign keys.
 *
 * Every statement of the engine's own ends in "AND $n IS NULL", where $n has
 * type internal, is NULL, and yet carries a pointer to the SdStatement in its
 * value.  The planner hook knows by it that the statement is the engine's (and
 * takes the condition off again), the executor hooks find the SdStatement in
 * the parameter list.  No client can pass such a parameter, and a statement
 * that a user's trigger runs meanwhile does not have it.
 *
 * The plans are kept in a hash by constraint and kind, as ri_triggers.c does,
 * whose technique of discarding invalid ones is followed here.
 */
#include "postgres.h"

#include "query.h"
#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "keys.h"
#include "miscadmin.h"
#include "predicate.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#define MAX_PARAMS (INDEX_MAX_KEYS + 2)

typedef struct PlanKey
{
	Oid			constraint_oid;
	Oid			parent;			/* not only by OID: they are reused */
	Oid			child;
	SdQueryKind kind;
	bool		many;
} PlanKey;

typedef struct PlanEntry
{
	PlanKey		key;			/* hash key */
	SPIPlanPtr	plan;
} PlanEntry;

static HTAB *plans = NULL;

/* the statement that is about to be planned; NULL otherwise */
SdStatement *sd_pending_statement = NULL;

void
sd_query_init(void)
{
	HASHCTL		ctl = {0};

	ctl.keysize = sizeof(PlanKey);
	ctl.entrysize = sizeof(PlanEntry);
	plans = hash_create("softdelete plans", 32, &ctl, HASH_ELEM | HASH_BLOBS);
}

/* The engine's statement that this query is, or NULL for a user's. */
SdStatement *
sd_statement_of(QueryDesc *query)
{
	ParamListInfo params = query->params;
	ParamExternData *last;

	if (params == NULL || params->numParams == 0 || params->paramFetch != NULL)
		return NULL;
	last = &params->params[params->numParams - 1];
	if (last->ptype != INTERNALOID || !last->isnull)
		return NULL;
	return (SdStatement *) DatumGetPointer(last->value);
}

/* The same, as the statement starts: what is planned from now on is not it. */
SdStatement *
sd_take_statement(QueryDesc *query)
{
	SdStatement *statement = sd_statement_of(query);

	if (statement != NULL && statement == sd_pending_statement)
		sd_pending_statement = NULL;
	return statement;
}

typedef struct Identity
{
	Oid			role;
	int			context;
} Identity;

/* Become role, as RI becomes the owner of a table, RLS not forced. */
static void
become(Oid role, Identity *before)
{
	GetUserIdAndSecContext(&before->role, &before->context);
	if (OidIsValid(role))
		SetUserIdAndSecContext(role, before->context |
							   SECURITY_LOCAL_USERID_CHANGE |
							   SECURITY_NOFORCE_RLS);
}

static void
become_again(const Identity *before)
{
	SetUserIdAndSecContext(before->role, before->context);
}

/*
 * Prepare text, to be run as role, InvalidOid for the caller.  types has room
 * for nargs + 1: the internal parameter, which the text must name as the last
 * one, is appended here.
 */
SPIPlanPtr
sd_prepare(const char *text, int nargs, Oid *types, Oid role, int options)
{
	SPIPlanPtr	plan;
	Identity	before;

	types[nargs] = INTERNALOID;
	become(role, &before);
	plan = SPI_prepare_cursor(text, nargs + 1, types, options);
	become_again(&before);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed for \"%s\": %s",
			 text, SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * Run a plan of sd_prepare()'s.  values has room for the internal parameter
 * after the others, none of which is NULL.
 *
 * role: as for sd_prepare().  triggers_now: fire AFTER triggers at its
 * end, else leave them to the query level that surrounds it.
 */
int
sd_execute(SPIPlanPtr plan, Datum *values, SdStatement *statement,
		   Oid role, bool triggers_now, SdView view, long limit)
{
	SdStatement *save_pending = sd_pending_statement;
	int			nargs = SPI_getargcount(plan);
	char		nulls[FUNC_MAX_ARGS];
	Snapshot	snapshot = InvalidSnapshot;
	Snapshot	crosscheck = InvalidSnapshot;
	Identity	before;
	int			result;

	memset(nulls, ' ', nargs);
	nulls[nargs - 1] = 'n';
	values[nargs - 1] = PointerGetDatum(statement);

	if (view == SD_VIEW_LATEST && IsolationUsesXactSnapshot())
	{
		CommandCounterIncrement();
		snapshot = GetLatestSnapshot();
		crosscheck = GetTransactionSnapshot();
	}
	else if (view == SD_VIEW_BEFORE)
	{
		/* what commands of our own did shows from their number on */
		snapshot = RegisterSnapshot(GetLatestSnapshot());
		snapshot->curcid = FirstCommandId;
	}

	become(role, &before);
	sd_pending_statement = statement;
	PG_TRY();
	{
		result = SPI_execute_snapshot(plan, values, nulls, snapshot, crosscheck,
									  view == SD_VIEW_BEFORE, triggers_now, limit);
	}
	PG_FINALLY();
	{
		sd_pending_statement = save_pending;
	}
	PG_END_TRY();

	become_again(&before);
	if (view == SD_VIEW_BEFORE)
		UnregisterSnapshot(snapshot);
	if (result < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s",
			 SPI_result_code_string(result));
	return result;
}

/* "ONLY " unless the table is partitioned: RI does not reach down inheritance */
static const char *
only(Oid relid)
{
	return get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ";
}

static void
append_collation(StringInfo buf, Oid relid, AttrNumber attnum)
{
	Oid			type;
	int32		typmod;
	Oid			collation;
	HeapTuple	tuple;
	Form_pg_collation form;

	get_atttypetypmodcoll(relid, attnum, &type, &typmod, &collation);
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
static void
append_match(StringInfo buf, SdKey *key, const char *alias, bool child,
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
static void
append_keys(StringInfo buf, int n, bool many)
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

static char *
query_text(SdQueryKind kind, SdKeySet *set, bool many)
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
			 *	[AND c.deletion_id - $n = 0] AND $m IS NULL
			 * ----------
			 */
			appendStringInfo(&buf, "DELETE FROM %s%s c ", only(key->child),
							 sd_qualified_name(key->child));
			if (many)
			{
				appendStringInfoString(&buf, "USING ");
				append_keys(&buf, key->n, many);
			}
			appendStringInfoString(&buf, " WHERE ");
			append_match(&buf, key, "c", true, many, set->types);
			if (kind == SD_QUERY_RESTORE)
			{
				table = sd_table_by_oid(key->child);

				/* no plain "=": the foreign key's index is the one to use */
				appendStringInfo(&buf, " AND c.%s OPERATOR(pg_catalog.-) $%d OPERATOR(pg_catalog.=) 0",
								 sd_column_name(key->child, table->id),
								 key->n + 1);
			}
			break;

		case SD_QUERY_CHILD:
		case SD_QUERY_COUNT:
			/* ----------
			 * SELECT k.* FROM keys k, child c WHERE k.k1 = c.fk1 [AND ...]
			 *	 [AND c is live] AND $m IS NULL
			 *	FOR SHARE OF c
			 * FOR SHARE waits for whoever is deleting that child just now.
			 * The other one has count(*) and no lock.
			 * ----------
			 */
			appendStringInfo(&buf, "SELECT %s FROM ",
							 kind == SD_QUERY_CHILD ? "k.*" : "pg_catalog.count(*)");
			append_keys(&buf, key->n, many);
			appendStringInfo(&buf, ", %s%s c WHERE ", only(key->child),
							 sd_qualified_name(key->child));
			append_match(&buf, key, "c", true, true, set->types);
			table = sd_table_by_oid(key->child);
			if (table)
				appendStringInfo(&buf, " AND %s",
								 sd_table_predicate(table, true, "c"));
			break;

		case SD_QUERY_DEAD:
			/* ----------
			 * SELECT k.* FROM keys k JOIN parent p ON p.pk1 = k.k1 [AND ...]
			 *	WHERE p is deleted AND $m IS NULL
			 * ----------
			 */
			appendStringInfoString(&buf, "SELECT k.* FROM ");
			append_keys(&buf, key->n, many);
			appendStringInfo(&buf, " JOIN %s%s p ON ", only(key->parent),
							 sd_qualified_name(key->parent));
			append_match(&buf, key, "p", false, true, set->types);
			appendStringInfo(&buf, " WHERE %s",
							 sd_table_predicate(sd_table_by_oid(key->parent), false, "p"));
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
			appendStringInfo(&buf, "%s AS dead FROM ",
							 sd_table_predicate(sd_table_by_oid(key->parent), false, "p"));
			append_keys(&buf, key->n, many);
			appendStringInfo(&buf, " JOIN %s%s p ON ", only(key->parent),
							 sd_qualified_name(key->parent));
			append_match(&buf, key, "p", false, true, set->types);
			/* OFFSET 0: the condition must not be pushed below the lock */
			appendStringInfoString(&buf, " OFFSET 0 FOR KEY SHARE OF p) s WHERE s.dead");
			break;
	}
	appendStringInfo(&buf, " AND $%d IS NULL%s",
					 key->n + (kind == SD_QUERY_RESTORE) + 1,
					 kind == SD_QUERY_CHILD ? " FOR SHARE OF c" : "");
	return buf.data;
}

/* the kept plan; SPI is connected */
static SPIPlanPtr
fetch_plan(SdQueryKind kind, SdKeySet *set, bool many, Oid role)
{
	PlanKey		key;
	PlanEntry  *entry;
	bool		found;
	Oid			types[MAX_PARAMS];
	int			nargs = set->key->n;
	SPIPlanPtr	plan;

	memset(&key, 0, sizeof(key));
	key.constraint_oid = set->key->oid;
	key.parent = set->key->parent;
	key.child = set->key->child;
	key.kind = kind;
	key.many = many;
	entry = hash_search(plans, &key, HASH_ENTER, &found);
	if (!found)
		entry->plan = NULL;
	if (entry->plan && SPI_plan_is_valid(entry->plan))
		return entry->plan;
	plan = entry->plan;
	entry->plan = NULL;
	if (plan)
		SPI_freeplan(plan);

	for (int i = 0; i < nargs; i++)
		types[i] = many ? get_array_type(set->types[i]) : set->types[i];
	if (kind == SD_QUERY_RESTORE)
		types[nargs++] = INT8OID;

	/* an array's length decides how to join with it, so plan for each */
	plan = sd_prepare(query_text(kind, set, many), nargs, types, role,
					  many ? CURSOR_OPT_CUSTOM_PLAN : 0);
	SPI_keepplan(plan);
	entry = hash_search(plans, &key, HASH_ENTER, &found);
	entry->plan = plan;
	return plan;
}

static Datum
keys_array(SdKeySet *set, int column)
{
	int16		len;
	bool		byval;
	char		align;

	get_typlenbyvalalign(set->types[column], &len, &byval, &align);
	return PointerGetDatum(construct_array(set->values[column], set->n,
										   set->types[column],
										   len, byval, align));
}

/*
 * Run one of the queries above for all keys of the set: at once if that can
 * be, key by key where the type has no array type.  Returns the rows that were
 * processed; for the SELECTs, SPI_tuptable holds those of the last run.
 * Needs SPI to be connected.
 */
int
sd_execute_key(SdQueryKind kind, SdKeySet *set, SdStatement *statement,
			   Oid role, SdView view, long limit)
{
	Datum		values[MAX_PARAMS];
	int			n = set->key->n;
	bool		select = kind != SD_QUERY_MARK && kind != SD_QUERY_RESTORE;
	bool		many = set->n > 1;
	int			processed = 0;

	for (int i = 0; i < n; i++)
		if (!OidIsValid(get_array_type(set->types[i])))
			many = false;

	if (many)
	{
		for (int i = 0; i < n; i++)
			values[i] = keys_array(set, i);
		values[n] = Int64GetDatum(set->id);
		sd_execute(fetch_plan(kind, set, true, role), values, statement, role,
				   false, view, limit);
		return SPI_processed;
	}

	for (int row = 0; row < set->n; row++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			values[i] = set->values[i][row];
		values[n] = Int64GetDatum(set->id);
		sd_execute(fetch_plan(kind, set, false, role), values, statement, role,
				   false, view, limit);
		processed += SPI_processed;
		if (select && processed > 0)
			break;
	}
	return processed;
}
