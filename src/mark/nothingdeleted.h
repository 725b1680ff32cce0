/*
 * nothingdeleted.h
 *		Is nothing of a table deleted?
 */
#ifndef SOFTDELETE_NOTHINGDELETED_H
#define SOFTDELETE_NOTHINGDELETED_H

#include "postgres.h"

#include "storage/buf.h"
#include "utils/rel.h"

/* a look that can be taken again and again */
typedef struct SdDeletedIndex
{
	Relation	index;			/* NULL: not open */
	Buffer		meta;			/* its first page, pinned */
} SdDeletedIndex;

extern void sd_open_deleted_index(SdDeletedIndex *look, Oid index);
extern bool sd_is_nothing_deleted(SdDeletedIndex *look);
extern void sd_close_deleted_index(SdDeletedIndex *look);

#endif							/* SOFTDELETE_NOTHINGDELETED_H */
