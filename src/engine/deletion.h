/*
 * deletion.h
 *		The deletions of the running transaction.
 */
#ifndef SOFTDELETE_DELETION_H
#define SOFTDELETE_DELETION_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* rows of one table that the same transaction has restored again */
typedef struct SdBack
{
	Oid			relid;
	int64		n;
	SubTransactionId subid;
} SdBack;

/* what one transaction deletes under one role, actor and reason */
typedef struct SdDeletion
{
	int64		id;
	Oid			role;
	char	   *actor;			/* as they were set when the id was drawn */
	char	   *reason;
	bool		logged;			/* its log row was written, and may be there still */
	SubTransactionId subid;		/* the id was drawn in */
	List	   *back;			/* SdBack: rows in shards that came back in this transaction */
} SdDeletion;

extern int64 sd_deletion_id(Oid role, bool *drawn);
extern SdDeletion *sd_deletion_by_id(int64 id);
extern void sd_note_back(int64 id, Oid relid, int64 n);
extern int64 sd_count_back(int64 id, Oid relid);
extern void sd_deletion_init(void);

#endif							/* SOFTDELETE_DELETION_H */
