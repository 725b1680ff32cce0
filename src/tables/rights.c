/*
 * rights.c
 *		Who owns a table, and what the user may do to it or see of it.
 *
 * Reads catalogs only.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "compat.h"
#include "miscadmin.h"
#include "tables/rights.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/syscache.h"

Oid
sd_owner_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* May the user be told the key's values?  As ri_ReportViolation() decides. */
bool
sd_may_see(Oid relid)
{
	return check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED &&
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

/* The name of a relation that some caller gave by OID; raises where it is none. */
char *
sd_relation_name(Oid relid)
{
	char	   *name = get_rel_name(relid);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	return name;
}

/* Raise unless there is such a table and the user owns it. */
void
sd_check_owner(Oid relid)
{
	char	   *name = sd_relation_name(relid);

	if (!sd_owns_table(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, name);
}
