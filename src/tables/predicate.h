/*
 * predicate.h
 *		SQL text: the condition "is live", and names quoted for it.
 */
#ifndef SOFTDELETE_PREDICATE_H
#define SOFTDELETE_PREDICATE_H

#include "postgres.h"

#include "catalog/pg_attribute.h"
#include "tables/table.h"

extern char *sd_predicate(Form_pg_attribute marker, SdKind kind,
						  const char *deleted_value, bool live,
						  const char *alias);
extern char *sd_status_predicate(Form_pg_attribute marker, bool live);
extern char *sd_table_predicate(SdTable *table, bool live, const char *alias);

#endif							/* SOFTDELETE_PREDICATE_H */
