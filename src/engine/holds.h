/*
 * holds.h
 *		Rows that are on hold by themselves, whatever deletion they belong to.
 */
#ifndef SOFTDELETE_HOLDS_H
#define SOFTDELETE_HOLDS_H

#include "postgres.h"

#include "access/htup.h"
#include "tables/table.h"

extern void sd_holds_init(void);
extern void sd_lock_holds(Oid root);
extern void sd_forget_holds(void);
extern bool sd_has_row_holds(Oid root);
extern void sd_refuse_truncate_held(Oid root);
extern bool sd_row_is_held(SdTable *table, HeapTuple tuple, TupleDesc desc);

#endif							/* SOFTDELETE_HOLDS_H */
