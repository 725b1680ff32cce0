/*
 * own_objects.c
 *		The extension's own objects in this database.
 *
 * Their OIDs are looked up once, and again after a function or schema or the
 * log table has changed.  Reads catalogs only.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "base/own_objects.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(softdelete_engine_in);
PG_FUNCTION_INFO_V1(softdelete_engine_out);

static SdObjects objects;
static bool objects_known = false;
static uint64 changes = 0;		/* messages so far that may have changed them */

static void
relation_changed(Datum arg, Oid relid)
{
	/* while they are not known, the log may be any relation */
	if (!objects_known || !OidIsValid(relid) || relid == objects.log)
	{
		objects_known = false;
		changes++;
	}
}

static void
catalog_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	objects_known = false;
	changes++;
}

void
sd_objects_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, catalog_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, catalog_changed, (Datum) 0);
}

/* Raise because the library and the SQL objects are of two versions. */
void
sd_raise_other_version(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("library and installed version of softdelete differ"),
			 errdetail("The server's files are of another version than the extension in this database, or than this session's library."),
			 errhint("Run ALTER EXTENSION softdelete UPDATE; in this database, and connect again.")));
}

/*
 * Is softdelete.interface() the one that the library was built with?  An upgrade
 * may do its work before it changes that, and so may pg_upgrade.
 */
static bool
is_same_version(Oid schema)
{
	HeapTuple	tuple;
	bool		same;
	bool		isnull;

	if (creating_extension || IsBinaryUpgrade)
		return true;
	tuple = SearchSysCache3(PROCNAMEARGSNSP, CStringGetDatum("interface"),
							PointerGetDatum(buildoidvector(NULL, 0)), ObjectIdGetDatum(schema));
	if (!HeapTupleIsValid(tuple))
		return false;
	same = strcmp(TextDatumGetCString(SysCacheGetAttr(PROCNAMEARGSNSP, tuple, Anum_pg_proc_prosrc, &isnull)),
				  "SELECT '" SD_INTERFACE "'") == 0;
	ReleaseSysCache(tuple);
	return same;
}

static Oid
function_oid(Oid schema, const char *name, int nargs, const Oid *args)
{
	oidvector  *types = buildoidvector(args, nargs);

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(name),
						   PointerGetDatum(types),
						   ObjectIdGetDatum(schema));
}

static void
look_up(void)
{
	SdObjects	o = {0};
	uint64		before = changes;

	o.schema = get_namespace_oid("softdelete", true);
	if (OidIsValid(o.schema) &&
		OidIsValid(get_extension_oid("softdelete", true)))
	{
		HeapTuple	tuple;
		Oid			args[6];

		o.other_version = !is_same_version(o.schema);
		o.stamp_trigger = function_oid(o.schema, "stamp_trigger", 0, NULL);
		o.mark_trigger = function_oid(o.schema, "mark", 0, NULL);
		o.guard_trigger = function_oid(o.schema, "guard", 0, NULL);
		o.truncate_trigger = function_oid(o.schema, "refuse_truncate", 0, NULL);
		o.born_trigger = function_oid(o.schema, "born", 0, NULL);
		o.room_trigger = function_oid(o.schema, "make_room", 0, NULL);
		o.engine = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
								   CStringGetDatum("engine"),
								   ObjectIdGetDatum(o.schema));
		args[0] = o.engine;
		o.stamp = function_oid(o.schema, "stamp", 1, args);
		args[1] = TIDOID;
		args[2] = OIDOID;
		o.stamp_locked = function_oid(o.schema, "stamp", 3, args);
		args[1] = OIDOID;
		args[2] = ANYELEMENTOID;
		o.former_unknown = function_oid(o.schema, "former_unknown", 3, args);
		args[2] = INT2VECTOROID;
		args[3] = ANYOID;
		o.raise_deleted_row = function_oid(o.schema, "raise_deleted_row", 4, args);
		args[3] = TIDOID;
		args[4] = OIDOID;
		args[5] = ANYOID;
		o.deleted_parent_ok = function_oid(o.schema, "deleted_parent_ok", 6, args);
		args[0] = REGCLASSOID;
		o.trash = function_oid(o.schema, "trash", 1, args);
		args[0] = INT8OID;
		args[1] = TEXTOID;
		o.remote = function_oid(o.schema, "remote", 2, args);
		args[0] = o.engine;
		o.stamped_at = function_oid(o.schema, "stamped_at", 1, args);
		args[1] = OIDOID;
		args[2] = args[3] = TEXTOID;
		o.remote_order = function_oid(o.schema, "remote_order", 4, args);
		o.citus = get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE);
		o.local_group = get_relname_relid("pg_dist_local_group", PG_CATALOG_NAMESPACE);
		o.log = get_relname_relid("deletion_log", o.schema);
		o.log_ids = get_relname_relid("deletion_log_id_seq", o.schema);

		tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(o.log));
		if (HeapTupleIsValid(tuple))
		{
			o.owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
			ReleaseSysCache(tuple);
		}
		else
			o.mark_trigger = InvalidOid;
	}

	/*
	 * Only now, since a look-up may be cancelled.  Where a message arrived
	 * meanwhile, what was found is for this once.
	 */
	objects = o;
	objects_known = changes == before;
}

/*
 * The extension's objects.  All are InvalidOid where CREATE EXTENSION was not
 * run (or is running just now), and then nothing is managed.
 */
const SdObjects *
sd_objects(void)
{
	if (!objects_known)
		look_up();
	return &objects;
}

/*
 * The first argument of our functions in a query.  SQL has no way to make a
 * value of its type, so a call that has one comes from the planner hook.
 */
Expr *
sd_engine_arg(void)
{
	return (Expr *) makeConst(sd_objects()->engine, -1, InvalidOid,
							  sizeof(int32), Int32GetDatum(1), false, true);
}

/* Raise unless the function was called so. */
void
sd_check_engine_arg(FunctionCallInfo fcinfo)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("this function is for statements that softdelete has planned")));
}

/* The type engine has values in query trees only. */
Datum
softdelete_engine_in(PG_FUNCTION_ARGS)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("cannot accept a value of type softdelete.engine")));
	PG_RETURN_VOID();
}

Datum
softdelete_engine_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(pstrdup("engine"));
}
