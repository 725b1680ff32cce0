/*
 * preload.c
 *		Is the library loaded in every session, and how does one see to it?
 *
 * Reads settings and catalogs only.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_db_role_setting.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(softdelete_preloaded);
PG_FUNCTION_INFO_V1(softdelete_preload_command);

/* does a list of libraries name ours? */
static bool
names_us(const char *list)
{
	List	   *files = NIL;
	ListCell   *lc;

	if (list == NULL || !SplitDirectoriesString(pstrdup(list), ',', &files))
		return false;
	foreach(lc, files)
	{
		char	   *name = last_dir_separator(lfirst(lc)) ?
			last_dir_separator(lfirst(lc)) + 1 : lfirst(lc);

		if (strcmp(name, "softdelete") == 0 || strcmp(name, "softdelete.so") == 0)
			return true;
	}
	return false;
}

/* ALTER DATABASE or ALTER ROLE ALL ... SET, not yet in force in this session */
static bool
named_for_database(void)
{
	Relation	settings = table_open(DbRoleSettingRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key[1];
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key[0], Anum_pg_db_role_setting_setrole, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(InvalidOid));
	scan = systable_beginscan(settings, InvalidOid, false, NULL, 1, key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			database = ((Form_pg_db_role_setting) GETSTRUCT(tuple))->setdatabase;
		bool		isnull;
		Datum		config = heap_getattr(tuple, Anum_pg_db_role_setting_setconfig,
										  RelationGetDescr(settings), &isnull);
		Datum	   *items;
		int			n;

		if (isnull || (database != MyDatabaseId && database != InvalidOid))
			continue;
		deconstruct_array(DatumGetArrayTypeP(config), TEXTOID, -1, false,
						  TYPALIGN_INT, &items, NULL, &n);
		for (int i = 0; i < n && !found; i++)
		{
			char	   *item = TextDatumGetCString(items[i]);
			const char *name = "session_preload_libraries=";

			found = strncmp(item, name, strlen(name)) == 0 &&
				names_us(item + strlen(name));
		}
	}
	systable_endscan(scan);
	table_close(settings, AccessShareLock);
	return found;
}

Datum
softdelete_preloaded(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(names_us(shared_preload_libraries_string) ||
				   names_us(session_preload_libraries_string) ||
				   named_for_database());
}

/*
 * The setting is for superusers to read, and the command for one to run, but
 * whoever is told the command must not be told to drop what is loaded already.
 */
Datum
softdelete_preload_command(PG_FUNCTION_ARGS)
{
	const char *list = session_preload_libraries_string;
	const char *database = quote_identifier(get_database_name(MyDatabaseId));

	PG_RETURN_TEXT_P(cstring_to_text(list && list[0] ?
									 psprintf("ALTER DATABASE %s SET session_preload_libraries = %s, softdelete",
											  database, list) :
									 psprintf("ALTER DATABASE %s SET session_preload_libraries = softdelete",
											  database)));
}
