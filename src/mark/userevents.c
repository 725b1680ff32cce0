/*
 * userevents.c
 *		Users' triggers in a trigger descriptor: when they fire, and no more.
 *
 * Reads descriptors, and changes those that are a statement's own copy.
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "mark/userevents.h"
#include "tables/table.h"

/* Is it neither ours nor a constraint's own? */
bool
sd_is_users_trigger(const Trigger *trigger)
{
	return !trigger->tgisinternal && !sd_is_own_trigger(trigger);
}

/* At which moments do users' triggers for an event (TRIGGER_TYPE_xxx) fire? */
int
sd_trigger_moments(TriggerDesc *desc, int16 event)
{
	int			result = 0;

	for (int i = 0; desc && i < desc->numtriggers; i++)
	{
		Trigger    *trigger = &desc->triggers[i];
		bool		before = TRIGGER_FOR_BEFORE(trigger->tgtype);

		if (!(trigger->tgtype & event) || trigger->tgenabled == TRIGGER_DISABLED ||
			!sd_is_users_trigger(trigger))
			continue;
		if (TRIGGER_FOR_ROW(trigger->tgtype))
			result |= before ? BEFORE_ROW : AFTER_ROW;
		else
			result |= before ? BEFORE_STATEMENT : AFTER_STATEMENT;
	}
	return result;
}

/* Could a BEFORE DELETE trigger keep a row of the table? */
bool
sd_user_trigger_may_keep(SdTable *table, TriggerDesc *desc)
{
	return table->trigger_mode != SD_TRIGGERS_UPDATE &&
		(sd_trigger_moments(desc, TRIGGER_TYPE_DELETE) & BEFORE_ROW) != 0;
}

/*
 * From now on users' triggers do not fire at this event; with before_only, those
 * that fire after it do.
 */
void
sd_take_event(ResultRelInfo *rel, int16 event, bool before_only)
{
	TriggerDesc *desc = rel->ri_TrigDesc;

	for (int i = 0; desc && i < desc->numtriggers; i++)
	{
		Trigger    *trigger = &desc->triggers[i];

		if (sd_is_users_trigger(trigger) &&
			(!before_only || TRIGGER_FOR_BEFORE(trigger->tgtype)))
			trigger->tgtype &= ~event;
	}
	/* only users have statement triggers for UPDATE */
	if (desc && event == TRIGGER_TYPE_UPDATE)
		desc->trig_update_before_statement = desc->trig_update_after_statement = false;
}
