/*
 * planning.c
 *		The query that is being planned.
 *
 * State only: the planner hook (planner.c) sets it and sets it back around
 * nested planning, the others read it.
 */
#include "postgres.h"

#include "plan/planning.h"

SdPlanning	sd_planning = {false};

/* > 0 while ALTER TABLE looks at whole tables: nothing is hidden from it */
int			sd_bypass_depth = 0;

/*
 * What the query sees of the table.  Where deleted rows are not hidden, a
 * session that sees live rows sees all of them; the engine means what it says.
 */
SdVisibility
sd_visible_of(SdTable *table)
{
	if (sd_planning.visibility == SD_VISIBLE_LIVE && !table->hide && !sd_planning.own)
		return SD_VISIBLE_ALL;
	return sd_planning.visibility;
}
