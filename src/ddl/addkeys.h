/*
 * addkeys.h
 *		New unique keys of managed tables, of live rows.
 */
#ifndef SOFTDELETE_ADDKEYS_H
#define SOFTDELETE_ADDKEYS_H

#include "postgres.h"

#include "nodes/plannodes.h"

/* what is left to do when the command is done */
typedef struct SdAddedKeys
{
	Oid			relid;			/* InvalidOid: nothing */
	List	   *before;			/* the indexes that it had */
	List	   *commands;		/* text: indexes for its new constraints */
	List	   *was;			/* text: those constraints */
	List	   *names;
} SdAddedKeys;

extern PlannedStmt *sd_live_added_keys(PlannedStmt *pstmt, SdAddedKeys *added);
extern void sd_finish_added_keys(SdAddedKeys *added);

#endif							/* SOFTDELETE_ADDKEYS_H */
