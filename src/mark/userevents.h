/*
 * userevents.h
 *		Users' triggers in a trigger descriptor: when they fire, and no more.
 */
#ifndef SOFTDELETE_USEREVENTS_H
#define SOFTDELETE_USEREVENTS_H

#include "postgres.h"

#include "commands/trigger.h"
#include "nodes/execnodes.h"
#include "tables/table.h"

/* moments at which triggers fire, as bits */
#define BEFORE_STATEMENT	0x01
#define BEFORE_ROW			0x02
#define AFTER_ROW			0x04
#define AFTER_STATEMENT		0x08
#define ANY_ROW				(BEFORE_ROW | AFTER_ROW)
#define ANY_STATEMENT		(BEFORE_STATEMENT | AFTER_STATEMENT)

extern bool sd_is_users_trigger(const Trigger *trigger);
extern int	sd_trigger_moments(TriggerDesc *desc, int16 event);
extern bool sd_user_trigger_may_keep(SdTable *table, TriggerDesc *desc);
extern void sd_take_event(ResultRelInfo *rel, int16 event, bool before_only);

#endif							/* SOFTDELETE_USEREVENTS_H */
