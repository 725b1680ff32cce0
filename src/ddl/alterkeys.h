/*
 * alterkeys.h
 *		Foreign keys that an ALTER TABLE adds, validates or gives other values.
 */
#ifndef SOFTDELETE_ALTERKEYS_H
#define SOFTDELETE_ALTERKEYS_H

#include "postgres.h"

#include "nodes/parsenodes.h"

/* what an ALTER TABLE may do to foreign keys */
typedef struct SdKeyChange
{
	RangeVar   *relation;		/* whose keys it adds or validates, or whose
								 * rows they see for the first time, or NULL */
	List	   *columns;		/* String: their values may change */
	List	   *before;			/* SdKey: valid ones of before */
} SdKeyChange;

extern SdKeyChange *sd_key_change(AlterTableStmt *stmt);
extern void sd_check_new_keys(SdKeyChange *change);

#endif							/* SOFTDELETE_ALTERKEYS_H */
