/*
 * ctids.h
 *		A list of ctids that outlives transactions, in a temporary file.
 */
#ifndef SOFTDELETE_CTIDS_H
#define SOFTDELETE_CTIDS_H

#include "postgres.h"

#include "storage/itemptr.h"

typedef struct BufFile SdCtids;

extern SdCtids *sd_ctids_begin(void);
extern void sd_ctids_add(SdCtids *list, ItemPointer tid);
extern void sd_ctids_rewind(SdCtids *list);
extern int	sd_ctids_read(SdCtids *list, ItemPointer tids, int count);
extern void sd_ctids_end(SdCtids *list);

#endif							/* SOFTDELETE_CTIDS_H */
