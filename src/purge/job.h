/*
 * job.h
 *		The log of maintenance: a row a job, kept up to date while it runs.
 */
#ifndef SOFTDELETE_JOB_H
#define SOFTDELETE_JOB_H

#include "postgres.h"

#include "purge/kept.h"

/* its states in softdelete.job_log */
#define SD_JOB_RUNNING	"running"
#define SD_JOB_DONE		"done"
#define SD_JOB_FAILED	"failed"
#define SD_JOB_STOPPED	"stopped"

typedef struct SdJob
{
	int64		id;				/* 0: not begun */
	int64		purged;
	SdKept		kept;
	int64		batches;
	const char *error;			/* NULL: none so far */
} SdJob;

extern void sd_job_sweep(void);
extern void sd_job_begin(SdJob *job, const char *name, Oid target);
extern void sd_job_write(SdJob *job, const char *status);

#endif							/* SOFTDELETE_JOB_H */
