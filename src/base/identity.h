/*
 * identity.h
 *		Whom the engine runs SQL as.
 */
#ifndef SOFTDELETE_IDENTITY_H
#define SOFTDELETE_IDENTITY_H

#include "postgres.h"

/* who was current before sd_become() */
typedef struct SdIdentity
{
	Oid			role;
	int			context;
	int			guc_level;		/* 0: none was opened */
} SdIdentity;

extern void sd_become(Oid role, bool restricted, SdIdentity *before);
extern void sd_become_again(const SdIdentity *before);

#endif							/* SOFTDELETE_IDENTITY_H */
