/*
 * erase.h
 *		Erasing rows without a statement.
 */
#ifndef SOFTDELETE_ERASE_H
#define SOFTDELETE_ERASE_H

#include "postgres.h"

#include "purge/run.h"

typedef enum SdErased
{
	SD_ERASED,					/* all of them */
	SD_CHANGED,					/* some are not what they were: undo it */
	SD_REFERRED					/* others refer to some: undo it */
} SdErased;

extern bool sd_may_erase_directly(Relation rel, SdTable *table);
extern void sd_find_key_columns(PurgeRun *run);
extern void sd_sort_rows(PurgeRows *batch);
extern SdErased sd_erase_directly(PurgeRun *run, PurgeRows *batch);

#endif							/* SOFTDELETE_ERASE_H */
