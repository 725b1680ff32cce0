/*
 * livekeys.h
 *		Unique constraints that became indexes of live rows, by their names.
 */
#ifndef SOFTDELETE_LIVEKEYS_H
#define SOFTDELETE_LIVEKEYS_H

#include "postgres.h"

#include "nodes/plannodes.h"

/* the comments that sql/parts/67_keys.sql writes, too */
#define SD_LIVE_KEY_COMMENT "softdelete: unique among live rows; was "
#define SD_STAND_IN_COMMENT "softdelete: stands for the unique index of the same name"

/* what a command renames has a partner of the same name, or neither */
typedef struct SdKeyRename
{
	Oid			index;			/* to be renamed with its constraint */
	Oid			constraint;		/* to be renamed with its index */
} SdKeyRename;

extern Oid	sd_stand_in_of(Oid index);
extern PlannedStmt *sd_live_keys_begin(PlannedStmt *pstmt, SdKeyRename *rename);
extern void sd_live_keys_end(Node *command, SdKeyRename *rename);

#endif							/* SOFTDELETE_LIVEKEYS_H */
