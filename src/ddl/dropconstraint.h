/*
 * dropconstraint.h
 *		ALTER TABLE ... DROP CONSTRAINT of a key that became a live index.
 */
#ifndef SOFTDELETE_DROPCONSTRAINT_H
#define SOFTDELETE_DROPCONSTRAINT_H

#include "postgres.h"

#include "nodes/parsenodes.h"

extern void sd_explain_drop_constraint(AlterTableStmt *stmt);

#endif							/* SOFTDELETE_DROPCONSTRAINT_H */
