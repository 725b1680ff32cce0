/*
 * keptprobes.h
 *		The looks for deleted keys that a statement keeps open for all its rows.
 */
#ifndef SOFTDELETE_KEPTPROBES_H
#define SOFTDELETE_KEPTPROBES_H

#include "postgres.h"

#include "fmgr.h"
#include "mark/keyprobe.h"
#include "tables/table.h"
#include "utils/resowner.h"

/* a COPY in progress */
typedef struct SdCopyProbes
{
	struct SdCopyProbes *outer;
	MemoryContext memory;		/* NULL: nothing has been opened */
	ResourceOwner owner;
} SdCopyProbes;

extern void sd_copy_probes_begin(SdCopyProbes *copy);
extern void sd_copy_probes_end(SdCopyProbes *copy, bool done);
extern SdProbe *sd_kept_probe(FmgrInfo *trigger, Relation rel, SdHeldKey *key);
extern bool sd_kept_is_nothing_deleted(FmgrInfo *trigger, SdTable *table);

#endif							/* SOFTDELETE_KEPTPROBES_H */
