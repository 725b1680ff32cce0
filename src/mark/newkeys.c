/*
 * newkeys.c
 *		Which statements bring keys that a deleted row may hold.
 *
 * The trigger that makes room for them (makeroom.c) is switched off, in the
 * statement's own copy of the trigger descriptor, for an INSERT that leaves the
 * keys to a sequence or to a random UUID, and for an UPDATE that sets no key
 * column.  Looks at plans and keeps nothing.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "base/own_objects.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "mark/newkeys.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "parser/parsetree.h"
#include "tables/heldkeys.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* does the value come from a sequence, or is it a UUID made just now? */
static bool
is_generated_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, NextValueExpr))
		return true;
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *function = (FuncExpr *) node;

		if (function->funcid == F_NEXTVAL ||
			(function->funcresulttype == UUIDOID &&
			 func_volatile(function->funcid) == PROVOLATILE_VOLATILE))
			return true;
	}
	return expression_tree_walker(node, is_generated_walker, context);
}

/* the column's values of an INSERT whose rows come from plan */
static bool
is_generated(Plan *plan, AttrNumber attnum)
{
	TargetEntry *entry = get_tle_by_resno(plan->targetlist, attnum);
	Var		   *var;
	ListCell   *lc;

	if (entry == NULL)
		return false;
	var = (Var *) entry->expr;
	if (IsA(var, Var) && var->varattno > 0)
	{
		/* a column of the plan below */
		if (IsA(plan, SubqueryScan) &&
			var->varno == (int) ((SubqueryScan *) plan)->scan.scanrelid)
			return is_generated(((SubqueryScan *) plan)->subplan, var->varattno);
		if (var->varno == OUTER_VAR && outerPlan(plan) != NULL)
			return is_generated(outerPlan(plan), var->varattno);
	}
	if (!IsA(var, Var) || !IsA(plan, ValuesScan) ||
		var->varno != (int) ((ValuesScan *) plan)->scan.scanrelid)
		return is_generated_walker((Node *) var, NULL);

	/* of several rows in VALUES each has its own */
	foreach(lc, ((ValuesScan *) plan)->values_lists)
		if (!is_generated_walker(list_nth(lfirst(lc), var->varattno - 1), NULL))
			return false;
	return true;
}

/* every key has a column whose values no deleted row has */
static bool
are_generated(Plan *plan, SdTable *table)
{
	ListCell   *lc;

	foreach(lc, table->held)
	{
		SdHeldKey  *key = lfirst(lc);
		bool		generated = false;

		for (int i = 0; i < key->n && !generated; i++)
			generated = is_generated(plan, key->atts[i]);
		if (!generated)
			return false;
	}
	return true;
}

/* Is a key of the new rows one that a deleted row may hold? */
bool
sd_insert_needs_room(ModifyTable *modify, SdTable *table)
{
	return table->held != NIL && !are_generated(outerPlan(modify), table);
}

/* DO UPDATE that sets the mark knows of the deleted row, and is to meet it */
static bool
updates_mark(ModifyTable *modify, SdTable *table)
{
	return modify->onConflictAction == ONCONFLICT_UPDATE &&
		list_member_int(modify->onConflictCols, table->marker);
}

/* the statement's node that writes rel, NULL if it is not to be seen */
static ModifyTableState *
writer_of(QueryDesc *query, ResultRelInfo *rel)
{
	List	   *nodes = list_concat(list_make1(query->planstate),
									query->estate->es_auxmodifytables);
	ListCell   *lc;

	foreach(lc, nodes)
	{
		ModifyTableState *node = lfirst(lc);

		if (IsA(node, ModifyTableState) && node->rootResultRelInfo == rel)
			return node;
	}
	return NULL;
}

static bool
insert_needs_room(QueryDesc *query, ResultRelInfo *rel, SdTable *table)
{
	ModifyTableState *writer;
	ModifyTable *modify;

	if (table->held == NIL)
		return false;
	writer = writer_of(query, rel);
	if (writer == NULL || writer->operation != CMD_INSERT)
		return true;
	modify = castNode(ModifyTable, writer->ps.plan);
	return !updates_mark(modify, table) && sd_insert_needs_room(modify, table);
}

/* is a column of a key set by the UPDATE? */
static bool
sets_key(SdTable *table, Bitmapset *updated)
{
	ListCell   *lc;

	foreach(lc, table->held)
	{
		SdHeldKey  *key = lfirst(lc);

		for (int i = 0; i < key->n; i++)
			if (bms_is_member(key->atts[i] - FirstLowInvalidHeapAttributeNumber, updated))
				return true;
	}
	return false;
}

/* has the table such a trigger, a user's or any? */
static bool
has_before_row(TriggerDesc *desc, int event, bool users)
{
	for (int i = 0; i < desc->numtriggers; i++)
		if (TRIGGER_TYPE_MATCHES(desc->triggers[i].tgtype, TRIGGER_TYPE_ROW,
								 TRIGGER_TYPE_BEFORE, event) &&
			!(users && sd_is_own_trigger(&desc->triggers[i])))
			return true;
	return false;
}

/*
 * Take the events from the trigger for which the statement does not need it.
 * What a BEFORE trigger of a user makes of the row is not known as yet.
 */
void
sd_choose_room_trigger(QueryDesc *query, ResultRelInfo *rel, SdTable *table)
{
	TriggerDesc *desc = rel->ri_TrigDesc;

	for (int i = 0; i < desc->numtriggers; i++)
	{
		Trigger    *trigger = &desc->triggers[i];

		if (trigger->tgfoid != sd_objects()->room_trigger)
			continue;
		if (desc->trig_insert_before_row && !insert_needs_room(query, rel, table))
		{
			trigger->tgtype &= ~TRIGGER_TYPE_INSERT;
			desc->trig_insert_before_row = has_before_row(desc, TRIGGER_TYPE_INSERT, false);
		}
		if (!sets_key(table, ExecGetUpdatedCols(rel, query->estate)) &&
			!has_before_row(desc, TRIGGER_TYPE_UPDATE, true))
			trigger->tgtype &= ~TRIGGER_TYPE_UPDATE;
	}
}
