/*
 * refusals.h
 *		Commands that a managed table refuses.
 */
#ifndef SOFTDELETE_REFUSALS_H
#define SOFTDELETE_REFUSALS_H

#include "postgres.h"

#include "nodes/parsenodes.h"

extern bool sd_is_table(Oid relid);
extern void sd_refuse_drop_column(AlterTableStmt *stmt);
extern void sd_refuse_rename_value(AlterEnumStmt *stmt);
extern void sd_refuse_foreign_partition(CreateForeignTableStmt *stmt);
extern void sd_refuse_new_parent(AlterTableStmt *stmt);
extern void sd_refuse_truncate(Oid relid);

#endif							/* SOFTDELETE_REFUSALS_H */
