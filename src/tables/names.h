/*
 * names.h
 *		Names of tables, columns, types and operators for SQL text.
 */
#ifndef SOFTDELETE_NAMES_H
#define SOFTDELETE_NAMES_H

#include "postgres.h"

#include "access/attnum.h"
#include "lib/stringinfo.h"

extern char *sd_qualified_name(Oid relid);
extern char *sd_column_name(Oid relid, AttrNumber attnum);
extern char *sd_column_type(Oid relid, AttrNumber attnum);
extern char *sd_operator_name(Oid operator);
extern void sd_append_equal(StringInfo buf,
							const char *left, Oid left_type,
							Oid operator_oid,
							const char *right, Oid right_type);

#endif							/* SOFTDELETE_NAMES_H */
