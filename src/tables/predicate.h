/*
 * predicate.h
 *		SQL text: the condition "is live", and names quoted for it.
 */
#ifndef SOFTDELETE_PREDICATE_H
#define SOFTDELETE_PREDICATE_H

#include "postgres.h"

#include "catalog/pg_attribute.h"
#include "lib/stringinfo.h"
#include "tables/registry.h"

extern char *sd_predicate(Form_pg_attribute marker, SdKind kind,
						  const char *deleted_value, bool live,
						  const char *alias);
extern char *sd_status_predicate(Form_pg_attribute marker, bool live);
extern char *sd_table_predicate(SdTable *table, bool live, const char *alias);
extern char *sd_qualified_name(Oid relid);
extern char *sd_column_name(Oid relid, AttrNumber attnum);
extern char *sd_column_type(Oid relid, AttrNumber attnum);
extern void sd_append_equal(StringInfo buf,
							const char *left, Oid left_type,
							Oid operator_oid,
							const char *right, Oid right_type);

#endif							/* SOFTDELETE_PREDICATE_H */
