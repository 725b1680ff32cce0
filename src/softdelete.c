/*
 * softdelete.c
 *		Makes DELETE recoverable.  Starts the parts; all else is in them.
 *
 * A statement passes through these folders; each may use those above it only,
 * and the README.md in it says what it is for.
 *
 *	base	settings, our own objects, whom SQL is run as
 *	tables	what is known of a managed table: everybody asks here
 *	engine	an operation in progress, the SQL that it runs, the log
 *	fk		no live row refers to a deleted one: checks, now or at commit
 *	plan	what a query may see, and what its DELETE means
 *	mark	rows are stamped, counted and followed along foreign keys
 *	calls	delete(), restore(), undo() and what enable() needs of C
 *	purge	erases for good what has expired
 *	ddl		utility commands that managed tables have a say in
 */
#include "postgres.h"

#include "base/context.h"
#include "base/guc.h"
#include "base/own_objects.h"
#include "base/plans.h"
#include "ddl/converted.h"
#include "ddl/utility.h"
#include "engine/deletion.h"
#include "engine/holds.h"
#include "engine/keyquery.h"
#include "fk/deferred.h"
#include "fmgr.h"
#include "mark/executor.h"
#include "plan/planner.h"
#include "plan/statistics.h"
#include "plan/visibility.h"
#include "tables/registry.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	sd_guc_init();
	sd_context_init();
	sd_plans_init();
	sd_objects_init();
	sd_registry_init();
	sd_deletion_init();
	sd_keyquery_init();
	sd_holds_init();
	sd_deferred_init();
	sd_visibility_init();
	sd_statistics_init();
	sd_planner_init();
	sd_executor_init();
	sd_utility_init();
	sd_converted_init();
}
