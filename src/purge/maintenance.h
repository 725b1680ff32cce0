/*
 * maintenance.h
 *		A run of run_maintenance(), in steps of a transaction each.
 */
#ifndef SOFTDELETE_MAINTENANCE_H
#define SOFTDELETE_MAINTENANCE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "purge/ctids.h"
#include "purge/job.h"
#include "utils/timestamp.h"

/* tables that are purged together: one, or those of a cycle */
typedef struct SdGroup
{
	int			n;
	Oid		   *tables;
	Interval   *retentions;
} SdGroup;

typedef struct SdMaintenance
{
	/* as called */
	Oid			target;			/* InvalidOid: all */
	int			batch_size;
	long		pause;			/* ms */
	TimestampTz deadline;		/* 0: none */
	Interval   *older_than;		/* or NULL */

	MemoryContext context;		/* for as long as the call */
	MemoryContext step_context;
	TimestampTz now;
	TimestampTz told;			/* when the last NOTICE was sent */
	SdJob		all;
	SdJob		job;			/* the one at hand */
	SdKept		kept;			/* by those before it */
	SdGroup	   *groups;
	int			n_groups;
	char	  **policies;		/* names ... */
	Oid		   *policy_targets; /* ... and tables */
	int			n_policies;
	bool		policies_only;	/* the target is not managed */
	int64		taken;			/* rows, by policies */

	/* the job at hand */
	const char *job_name;
	const char *name;			/* of its table, NULL where it has none */
	const char *policy;
	SdGroup	   *group;
	Oid			root;
	Interval   *retention;
	List	   *leaves;
	bool		chained;		/* its rows refer to one another */
	Oid			leaf;
	SdCtids    *list;			/* what has expired in the leaf, unless it ... */
	bool		by_range;		/* ... is looked for in ranges of it ... */
	ItemPointerData last;		/* ... which end here so far */
	ItemPointer tids;			/* the batch at hand */
	int			n;
	bool		direct;			/* see PurgeRun */
	bool		crowded;
	bool		more;			/* of the policy at hand */
	bool		stopped;		/* the time was used up */
	int			failed;			/* jobs */
} SdMaintenance;

typedef bool (*SdWork) (SdMaintenance *m);

/* steps.c */
extern bool sd_step(SdMaintenance *m, void (*work) (SdMaintenance *m));
extern bool sd_go_on(SdMaintenance *m);
extern void sd_commit(SdMaintenance *m);
extern void sd_run_job(SdMaintenance *m, const char *job_name, Oid target, SdWork work);

/* purgejob.c */
extern void sd_plan_purge(SdMaintenance *m);
extern bool sd_purge_group(SdMaintenance *m);

/* policyjob.c */
extern void sd_plan_policies(SdMaintenance *m);
extern bool sd_run_policy(SdMaintenance *m);

#endif							/* SOFTDELETE_MAINTENANCE_H */
