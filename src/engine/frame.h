/*
 * frame.h
 *		The statements that the executor is working on.
 */
#ifndef SOFTDELETE_FRAME_H
#define SOFTDELETE_FRAME_H

#include "postgres.h"

#include "engine/statement.h"
#include "executor/execdesc.h"

/* a data-modifying statement that the executor is working on */
typedef struct SdFrame
{
	struct SdFrame *outer;
	QueryDesc  *query;
	SdStatement *statement;		/* NULL: a user's */
	struct SdOp *op;			/* NULL until asked for */
	Oid			kept_parent;	/* of a reference that RI is about to refuse */
} SdFrame;

/*
 * Be in a frame.  To be used like PG_TRY(), which it contains: no return, break
 * or goto out of it.
 */
#define SD_BEGIN_FRAME(frame) \
	do { \
		(frame)->outer = sd_frame; \
		sd_frame = (frame); \
		PG_TRY(); \
		{

#define SD_END_FRAME(frame) \
		} \
		PG_FINALLY(); \
		{ \
			sd_frame = (frame)->outer; \
		} \
		PG_END_TRY(); \
	} while (0)

extern SdStatement *sd_erasing(void);

extern SdFrame *sd_frame;		/* innermost; NULL outside the executor */

#endif							/* SOFTDELETE_FRAME_H */
