/*
 * own_sql.h
 *		SQL on the extension's own tables, run as their owner.
 */
#ifndef SOFTDELETE_OWN_SQL_H
#define SOFTDELETE_OWN_SQL_H

#include "postgres.h"

extern int	sd_own_sql(const char *text, int nargs, Oid *types, Datum *values);
extern int	sd_write_own(const char *text, int nargs, Oid *types, Datum *values);
extern int	sd_own_sql_nulls(const char *text, int nargs, Oid *types,
							 Datum *values, const char *nulls);

#endif							/* SOFTDELETE_OWN_SQL_H */
