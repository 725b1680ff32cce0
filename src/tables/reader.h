/*
 * reader.h
 *		Reading what is known of a managed table from its trigger.
 */
#ifndef SOFTDELETE_READER_H
#define SOFTDELETE_READER_H

#include "postgres.h"

#include "tables/table.h"

extern Oid	sd_topmost(Relation rel);
extern SdTable *sd_read_table(Relation rel, TriggerDesc *triggers, const Trigger *trigger);

#endif							/* SOFTDELETE_READER_H */
