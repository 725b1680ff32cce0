/*
 * triggers.h
 *		What the row triggers share.
 */
#ifndef SOFTDELETE_TRIGGERS_H
#define SOFTDELETE_TRIGGERS_H

#include "postgres.h"

#include "engine/operation.h"
#include "fmgr.h"
#include "tables/foreignkeys.h"
#include "tables/table.h"

extern Datum sd_now_as(TupleDesc desc, AttrNumber attnum);
extern SdTable *sd_trigger_table(FunctionCallInfo fcinfo, const char *name);
extern void sd_check_stamp(SdOp *op, SdTable *table, TupleTableSlot *row);
extern void sd_note_marked(SdOp *op, SdTable *table, TupleTableSlot *row);
extern void sd_note_restored(SdOp *op, SdTable *table, int64 id,
							 TupleTableSlot *row, SdKey *via);
extern void sd_flush_loose(SdOp *op);

#endif							/* SOFTDELETE_TRIGGERS_H */
