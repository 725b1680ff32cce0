/*
 * frame.c
 *		The statements that the executor is working on.
 *
 * A frame stands on the C stack of whoever runs the statement and is in the
 * list while the executor works on it (SD_BEGIN_FRAME).  Owns the list.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "engine/frame.h"
#include "engine/statement.h"
#include "executor/executor.h"
#include "lib/ilist.h"
#include "miscadmin.h"

SdFrame    *sd_frame = NULL;

/*
 * The purge that the executor works on, its RI actions included, or NULL.
 */
SdStatement *
sd_erasing(void)
{
	SdFrame    *frame = sd_frame;

	while (frame && frame->statement == NULL &&
		   (frame->query->estate->es_top_eflags & EXEC_FLAG_SKIP_TRIGGERS))
		frame = frame->outer;
	if (frame && frame->statement &&
		(frame->statement->task == SD_TASK_PURGE ||
		 frame->statement->task == SD_TASK_ERASE))
		return frame->statement;
	return NULL;
}
