/*
 * retype.h
 *		ALTER COLUMN ... TYPE of a column that a managed table's state needs.
 */
#ifndef SOFTDELETE_RETYPE_H
#define SOFTDELETE_RETYPE_H

#include "postgres.h"

#include "nodes/parsenodes.h"

extern void sd_refuse_retype(AlterTableStmt *stmt);

#endif							/* SOFTDELETE_RETYPE_H */
