/*
 * deletion.h
 *		The deletions of the running transaction.
 */
#ifndef SOFTDELETE_DELETION_H
#define SOFTDELETE_DELETION_H

#include "postgres.h"

/* what one transaction deletes under one role, actor and reason */
typedef struct SdDeletion
{
	int64		id;
	Oid			role;
	char	   *actor;			/* as they were set when the id was drawn */
	char	   *reason;
	bool		logged;			/* its log row was written, and may be there still */
	SubTransactionId subid;		/* the id was drawn in */
} SdDeletion;

extern int64 sd_deletion_id(Oid role, bool *drawn);
extern SdDeletion *sd_deletion_by_id(int64 id);
extern void sd_deletion_init(void);

#endif							/* SOFTDELETE_DELETION_H */
