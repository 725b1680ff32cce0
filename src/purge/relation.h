/*
 * relation.h
 *		The relation that a purge is working on, and its expired rows.
 */
#ifndef SOFTDELETE_RELATION_H
#define SOFTDELETE_RELATION_H

#include "postgres.h"

#include "purge/ctids.h"
#include "purge/run.h"
#include "utils/portal.h"

extern void sd_open_relation(PurgeRun *run, Oid relid);
extern void sd_close_relation(PurgeRun *run);
extern Portal sd_open_expired(PurgeRun *run, ItemPointer after);
extern bool sd_fetch_range(PurgeRun *run, ItemPointer after, PurgeRows *batch);
extern void sd_room_for_rows(PurgeRun *run, PurgeRows *batch);
extern void sd_fetch_rows(PurgeRun *run, Portal portal, PurgeRows *batch);
extern bool sd_list_expired(PurgeRun *run, ItemPointer after, SdCtids *list);
extern void sd_read_rows(PurgeRun *run, ItemPointer tids, int n, PurgeRows *batch);

#endif							/* SOFTDELETE_RELATION_H */
