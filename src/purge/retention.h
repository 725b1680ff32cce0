/*
 * retention.h
 *		How long a table keeps its deleted rows.
 */
#ifndef SOFTDELETE_RETENTION_H
#define SOFTDELETE_RETENTION_H

#include "postgres.h"

#include "utils/timestamp.h"

extern void sd_check_retention(Interval *retention);
extern void sd_check_older_than(Interval *older_than);

#endif							/* SOFTDELETE_RETENTION_H */
