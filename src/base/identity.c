/*
 * identity.c
 *		Whom the engine runs SQL as.
 *
 * The current role is set and set back here and nowhere else.  An error needs
 * no care: the end of the (sub)transaction sets both the role and the settings
 * back.  Keeps nothing.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/identity.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/portal.h"

/*
 * Become role, as RI becomes the owner of a table, RLS not forced; InvalidOid
 * stays the caller.
 *
 * restricted: for what is upkeep rather than the caller's own statement.  Code
 * that another role has put on its tables can then leave nothing behind that
 * would run as the caller later on: neither deferred triggers nor settings nor
 * cursors, as with PostgreSQL's own maintenance commands.
 */
void
sd_become(Oid role, bool restricted, SdIdentity *before)
{
	GetUserIdAndSecContext(&before->role, &before->context);
	before->guc_level = 0;
	if (!OidIsValid(role))
		return;
	restricted = restricted && role != before->role;
	SetUserIdAndSecContext(role, before->context |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS |
						   (restricted ? SECURITY_RESTRICTED_OPERATION : 0));
	if (restricted)
	{
		before->guc_level = NewGUCNestLevel();
		(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
}

void
sd_become_again(const SdIdentity *before)
{
	if (before->guc_level > 0)
		AtEOXact_GUC(false, before->guc_level);
	SetUserIdAndSecContext(before->role, before->context);
}
