/*
 * trashquery.h
 *		SQL text: the deleted rows of one table, as softdelete.trash() has them.
 */
#ifndef SOFTDELETE_TRASHQUERY_H
#define SOFTDELETE_TRASHQUERY_H

#include "postgres.h"

#include "tables/table.h"

/* columns of trash(), and which of them is the key */
#define SD_TRASH_COLUMNS 10
#define SD_TRASH_KEY 2

extern bool sd_has_replaced(Oid relid);
extern char *sd_trash_rows(SdTable *table, bool by_key, bool filter);
extern char *sd_trash_query(SdTable *table, bool by_key, bool filter);

#endif							/* SOFTDELETE_TRASHQUERY_H */
