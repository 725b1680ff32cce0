/*
 * oldrow.h
 *		RETURNING of a DELETE that marks shows the row as it was.
 */
#ifndef SOFTDELETE_OLDROW_H
#define SOFTDELETE_OLDROW_H

#include "postgres.h"

#include "executor/execdesc.h"

extern void sd_return_old_rows(QueryDesc *query);

#endif							/* SOFTDELETE_OLDROW_H */
