/*
 * rowbykey.h
 *		One row of a managed table, by the values of its primary key.
 */
#ifndef SOFTDELETE_ROWBYKEY_H
#define SOFTDELETE_ROWBYKEY_H

#include "postgres.h"

#include "engine/statement.h"
#include "fmgr.h"
#include "tables/table.h"
#include "utils/rel.h"

/* a statement on one row, its parameters being the key's values */
typedef struct SdByKey
{
	Oid			relid;
	SdTable    *table;
	int			n;
	Oid			types[FUNC_MAX_ARGS + 1];
	Datum		values[FUNC_MAX_ARGS + 1];
	bool		has_null;		/* part of the key is NULL: no such row */
	char	   *where;			/* "t.id = $1 AND ... " */
	char	   *text;			/* "(id)=(7)" */
	char	   *literals;		/* "7", or "3, 'a'", as one would give them */
} SdByKey;

/* what is known of the row; raises P0002 where there is none */
typedef struct SdRowState
{
	bool		deleted;
	int64		id;				/* deletion id, 0 if none */
} SdRowState;

extern SdByKey *sd_by_key_from(FunctionCallInfo fcinfo, int first);
#define sd_by_key(fcinfo) sd_by_key_from(fcinfo, 1)
extern bool sd_probe(SdByKey *key, SdRowState *state);
extern void sd_require_managed(Oid relid);
extern Oid	sd_require_primary_key(Relation rel);
extern void sd_raise_no_row(SdByKey *key);
extern int	sd_by_key_execute(SdByKey *key, SdStatement *statement, Oid role);

#endif							/* SOFTDELETE_ROWBYKEY_H */
