/*
 * handoff.h
 *		A relation whose UPDATE fires its users' triggers for DELETE or INSERT.
 */
#ifndef SOFTDELETE_HANDOFF_H
#define SOFTDELETE_HANDOFF_H

#include "postgres.h"

#include "commands/trigger.h"
#include "nodes/execnodes.h"
#include "tables/table.h"

/* made by usertriggers.c, the rest is handoff.c's */
typedef struct SdHandoff
{
	SdTable    *table;
	EState	   *estate;
	ModifyTableState *node;
	ResultRelInfo *rel;			/* the executor's */
	ResultRelInfo *users;		/* with the users' triggers alone */
	TransitionCaptureState *capture;
	bool		captures_old;	/* in a MERGE: what it captures of updated rows */
	bool		captures_new;
	TupleTableSlot *locked;		/* for sd_lock_row() */
	int			moments;		/* at which they fire, see userevents.h */
	ExecProcNodeMtd exec;		/* the node's own function */
	bool		restore;		/* INSERT, else DELETE */
	bool		applies;		/* to the row at hand; in a MERGE the BEFORE
								 * stand-in decides */
} SdHandoff;

extern SdHandoff *sd_make_handoff(EState *estate, ModifyTableState *node,
								  ResultRelInfo *rel, SdTable *table,
								  TransitionCaptureState *capture, bool restore,
								  int moments);
extern void sd_arm_handoffs(EState *estate, List *handoffs);

#endif							/* SOFTDELETE_HANDOFF_H */
