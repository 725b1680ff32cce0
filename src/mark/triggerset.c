/*
 * triggerset.c
 *		Which of our triggers a statement needs.
 *
 * Row triggers cost time even where their WHEN is false: BEFORE makes the
 * executor fetch and lock every old row, AFTER fetch it.  So where it can be
 * seen beforehand that the extension's own triggers would have nothing to do,
 * they are switched off in the statement's private copy of the trigger
 * descriptor.  Foreign-key checks are never touched; users' triggers are
 * usertriggers.c's, which goes first.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "base/own_objects.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "compat.h"
#include "engine/statement.h"
#include "executor/executor.h"
#include "mark/heldkey.h"
#include "mark/newkeys.h"
#include "mark/triggerset.h"
#include "mark/watch.h"
#include "tables/registry.h"
#include "tables/table.h"

static ResultRelInfo *
root_of(ResultRelInfo *rel)
{
	return rel->ri_RootResultRelInfo ? rel->ri_RootResultRelInfo : rel;
}

/*
 * Was this a DELETE that the planner turned into a stamped UPDATE?  Such a
 * relation still asks for the DELETE privilege alone, and has deletion_id
 * among the updated columns.
 */
bool
sd_is_converted(EState *estate, ResultRelInfo *rel, SdTable *table)
{
	SdPerms    *perms = sd_estate_perms(estate, root_of(rel)->ri_RangeTableIndex);

	return perms != NULL &&
		(perms->requiredPerms & (ACL_DELETE | ACL_UPDATE)) == ACL_DELETE &&
		bms_is_member(table->id - FirstLowInvalidHeapAttributeNumber,
					  ExecGetUpdatedCols(rel, estate));
}

/* does anybody else have such a row trigger on the event? */
static bool
has_other_trigger(TriggerDesc *desc, int16 timing, int16 event)
{
	for (int i = 0; i < desc->numtriggers; i++)
	{
		Trigger    *trigger = &desc->triggers[i];

		if (TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW,
								 timing, event) &&
			!sd_is_own_trigger(trigger))
			return true;
	}
	return false;
}

/* Switch our own row trigger on UPDATE of that timing off, for this statement. */
static void
switch_off(TriggerDesc *desc, int16 timing)
{
	Oid			room_trigger = sd_objects()->room_trigger;
	bool		others = has_other_trigger(desc, timing, TRIGGER_TYPE_UPDATE);

	for (int i = 0; i < desc->numtriggers; i++)
	{
		Trigger    *trigger = &desc->triggers[i];

		if (TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW,
								 timing, TRIGGER_TYPE_UPDATE) &&
			sd_is_own_trigger(trigger))
		{
			/* that one has been seen to, see newkeys.c */
			if (trigger->tgfoid == room_trigger)
				others = true;
			else
				trigger->tgenabled = TRIGGER_DISABLED;
		}
	}
	if (timing == TRIGGER_TYPE_BEFORE)
		desc->trig_update_before_row = others;
	else
		desc->trig_update_after_row = others;
}

/* The purge's own condition has said what the guard would say. */
static void
switch_off_guard(TriggerDesc *desc)
{
	for (int i = 0; i < desc->numtriggers; i++)
		if (desc->triggers[i].tgfoid == sd_objects()->guard_trigger)
			desc->triggers[i].tgenabled = TRIGGER_DISABLED;
	desc->trig_delete_before_row = false;
}

/*
 * An INSERT that leaves the marker to its default, which is live, has no row for
 * the born trigger, unless somebody's BEFORE trigger sets the mark.
 */
static void
switch_off_born(TriggerDesc *desc)
{
	bool		others = false;

	for (int i = 0; i < desc->numtriggers; i++)
	{
		Trigger    *trigger = &desc->triggers[i];

		if (trigger->tgfoid == sd_objects()->born_trigger)
			trigger->tgenabled = TRIGGER_DISABLED;
		else if (TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW,
									  TRIGGER_TYPE_AFTER, TRIGGER_TYPE_INSERT))
			others = true;
	}
	desc->trig_insert_after_row = others;
}

/*
 * The user's BEFORE trigger may set the mark in an UPDATE that does not name
 * it; our triggers must then look at every row, not only OF their columns.
 */
static void
fire_always(TriggerDesc *desc)
{
	for (int i = 0; i < desc->numtriggers; i++)
		if (sd_is_own_trigger(&desc->triggers[i]))
			desc->triggers[i].tgnattr = 0;
}

/*
 * Is every row that the statement writes to the relation marked, or restored, so
 * that watch.c notes them?  Not where a row may leave its partition: that is a
 * DELETE and an INSERT, which triggers follow (see note_move).  But these do not
 * fire on a replica.  Nor where the old row has to say which deletion it was of.
 */
static bool
is_watched(EState *estate, ResultRelInfo *rel, SdTable *table, SdStatement *statement)
{
	return sd_is_converted(estate, rel, table) &&
		!(statement != NULL && statement->each) &&
		(!table->moves || SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA);
}

/* Is the relation what the engine's own statement is about?  A rule may add others. */
static bool
is_restored(ResultRelInfo *rel, SdStatement *statement)
{
	return statement != NULL && statement->task == SD_TASK_RESTORE &&
		RelationGetRelid(root_of(rel)->ri_RelationDesc) == statement->relid;
}

/*
 * Is it an UPDATE of one table, unmanaged or such that none of our triggers has
 * anything to do?  Then they are switched off, the quick way: most statements that
 * come here are of that kind.
 */
bool
sd_is_quiet_update(QueryDesc *query)
{
	List	   *rels = query->estate->es_opened_result_relations;
	ResultRelInfo *rel = linitial(rels);
	TriggerDesc *desc = rel->ri_TrigDesc;
	SdTable    *table;

	if (query->operation != CMD_UPDATE || list_length(rels) != 1 || desc == NULL ||
		rel->ri_RelationDesc->rd_rel->relkind != RELKIND_RELATION ||
		rel->ri_RelationDesc->rd_rel->relispartition)
		return false;
	table = sd_table(rel->ri_RelationDesc);
	if (table == NULL)
		return true;
	if (!table->quiet ||
		bms_overlap(table->loud_columns, ExecGetUpdatedCols(rel, query->estate)))
		return false;
	desc->trig_update_before_row = false;
	if (table->others_after)
		desc->triggers[table->mark_trigger].tgenabled = TRIGGER_DISABLED;
	else
		rel->ri_TrigDesc = NULL;
	return true;
}

/*
 * Does a row that the INSERT leaves to its defaults come live?  ALTER DOMAIN can set
 * a default without our hearing of it.
 */
static bool
leaves_mark(EState *estate, ResultRelInfo *rel, SdTable *table)
{
	return !table->of_domain &&
		!TupleDescAttr(RelationGetDescr(rel->ri_RelationDesc), table->marker - 1)->atthasdef &&
		!bms_is_member(table->marker - FirstLowInvalidHeapAttributeNumber,
					   ExecGetInsertedCols(rel, estate));
}

/*
 * Is it an INSERT into one table that says nothing of the mark, for which nobody has
 * a trigger that could?  Then all there is to see to is whether a deleted row holds
 * a key, and what is not needed for it is switched off, the quick way.
 */
bool
sd_is_quiet_insert(QueryDesc *query)
{
	List	   *rels = query->estate->es_opened_result_relations;
	ResultRelInfo *rel = linitial(rels);
	TriggerDesc *desc = rel->ri_TrigDesc;
	ModifyTable *modify;
	SdTable    *table;
	bool		room;

	if (query->operation != CMD_INSERT || list_length(rels) != 1 || desc == NULL ||
		rel->ri_RelationDesc->rd_rel->relkind != RELKIND_RELATION ||
		rel->ri_RelationDesc->rd_rel->relispartition ||
		!IsA(query->planstate, ModifyTableState))
		return false;
	table = sd_table(rel->ri_RelationDesc);
	if (table == NULL)
		return true;
	modify = castNode(ModifyTable, query->planstate->plan);
	if (!table->quiet_insert || modify->onConflictAction == ONCONFLICT_UPDATE ||
		!leaves_mark(query->estate, rel, table))
		return false;

	room = table->room_trigger >= 0 && sd_insert_needs_room(modify, table);
	if (!room && !table->others_after_insert)
	{
		rel->ri_TrigDesc = NULL;
		return true;
	}
	desc->trig_insert_before_row = room;
	desc->trig_insert_after_row = table->others_after_insert;
	if (table->born_trigger >= 0)
		desc->triggers[table->born_trigger].tgenabled = TRIGGER_DISABLED;
	return true;
}

/* Decide for every result relation which of our triggers are needed. */
void
sd_choose_triggers(QueryDesc *query, SdStatement *statement)
{
	EState	   *estate = query->estate;
	ListCell   *lc;

	foreach(lc, estate->es_opened_result_relations)
	{
		ResultRelInfo *rel = lfirst(lc);
		TriggerDesc *desc = rel->ri_TrigDesc;
		SdTable    *table;
		Bitmapset  *updated;
		bool		watched;

		if (desc == NULL || !desc->trig_update_after_row ||
			(table = sd_table(rel->ri_RelationDesc)) == NULL)
			continue;
		sd_choose_room_trigger(query, rel, table);
		if (statement == NULL)
			sd_watch_held(estate, rel, table, query->operation);

		if (desc->trig_insert_after_row &&
			!has_other_trigger(desc, TRIGGER_TYPE_BEFORE, TRIGGER_TYPE_INSERT) &&
			leaves_mark(estate, rel, table))
			switch_off_born(desc);

		if (statement && statement->task == SD_TASK_PURGE && !statement->guarded &&
			!has_other_trigger(desc, TRIGGER_TYPE_BEFORE, TRIGGER_TYPE_DELETE))
		{
			switch_off_guard(desc);
			statement->unguarded = true;
			continue;
		}

		watched = is_watched(estate, rel, table, statement);
		if (watched)
		{
			sd_watch_rows(estate, rel, table,
						  is_restored(rel, statement) ? statement : NULL);
			switch_off(desc, TRIGGER_TYPE_AFTER);
		}
		updated = ExecGetUpdatedCols(rel, estate);
		if (has_other_trigger(desc, TRIGGER_TYPE_BEFORE, TRIGGER_TYPE_UPDATE))
			fire_always(desc);
		else if (watched)
			switch_off(desc, TRIGGER_TYPE_BEFORE);
		else if (!bms_is_member(table->marker - FirstLowInvalidHeapAttributeNumber, updated) &&
				 !bms_is_member(table->id - FirstLowInvalidHeapAttributeNumber, updated))
		{
			switch_off(desc, TRIGGER_TYPE_BEFORE);
			switch_off(desc, TRIGGER_TYPE_AFTER);
		}
	}
}
