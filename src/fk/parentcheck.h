/*
 * parentcheck.h
 *		What PostgreSQL's own foreign-key check may see of a deleted parent.
 */
#ifndef SOFTDELETE_PARENTCHECK_H
#define SOFTDELETE_PARENTCHECK_H

#include "postgres.h"

#include "storage/itemptr.h"
#include "tables/table.h"

extern bool sd_deleted_parent_ok(SdTable *table, int2vector *atts, ItemPointer tid, Oid tableoid,
								 const Datum *checked);
extern void sd_hint_kept_link(void *frame);

#endif							/* SOFTDELETE_PARENTCHECK_H */
