/*
 * softdelete.c
 *		Makes DELETE recoverable.  Starts the parts; all else is in them.
 *
 *	planner		decides what a query may see and what its DELETE means
 *	rewrite		DELETE becomes an UPDATE that marks
 *	visibility	deleted rows are not scanned
 *	executor	a statement's operation begins and ends
 *	cascade		... and follows the foreign keys, integrity checks them
 *	deletions	... and is logged
 *	triggers	rows that an UPDATE marks; guard keeps them from being erased
 *	functions	delete, restore, undo by key or id
 *	purge		erases; cycle does, where tables refer to each other
 *	utility		commands that change tables; drops keeps their triggers
 *	registry	what is managed: everybody asks here
 */
#include "postgres.h"

#include "fk/deferred.h"
#include "mark/executor.h"
#include "fmgr.h"
#include "base/guc.h"
#include "engine/keyquery.h"
#include "base/own_objects.h"
#include "plan/planner.h"
#include "base/plans.h"
#include "tables/registry.h"
#include "ddl/utility.h"
#include "plan/visibility.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	sd_guc_init();
	sd_plans_init();
	sd_objects_init();
	sd_registry_init();
	sd_keyquery_init();
	sd_deferred_init();
	sd_visibility_init();
	sd_planner_init();
	sd_executor_init();
	sd_utility_init();
}
