/*
 * manykeys.h
 *		Rows of a managed table by an array of keys.
 */
#ifndef SOFTDELETE_MANYKEYS_H
#define SOFTDELETE_MANYKEYS_H

#include "postgres.h"

#include "engine/statement.h"
#include "fmgr.h"
#include "tables/table.h"

/* what became of one key */
typedef enum SdOutcome
{
	SD_OUTCOME_OPEN,			/* nothing as yet */
	SD_OUTCOME_NOT_FOUND,
	SD_OUTCOME_DONE,			/* deleted, or restored */
	SD_OUTCOME_ALREADY,			/* it was so before */
	SD_OUTCOME_PARENT,			/* its parent is deleted */
	SD_OUTCOME_CONFLICT			/* a live row has a key of it */
} SdOutcome;

typedef struct SdKeyOutcome
{
	Datum		value;			/* in the column's type */
	SdOutcome	outcome;
	int64		id;				/* deletion that it belonged or belongs to, or 0 */
	int64		rows;
} SdKeyOutcome;

typedef struct SdManyKeys
{
	Oid			relid;
	SdTable    *table;
	AttrNumber	attnum;			/* the key's only column */
	Oid			type;			/* its type, of a domain the base type */
	char	   *match;			/* "t.id OPERATOR(pg_catalog.=) ANY ($1) AND $2 IS NULL" */
	int			n_given;
	Datum	   *given;			/* as the caller gave them */
	bool	   *nulls;
	int		   *index;			/* of each in keys; -1: NULL */
	bool	   *repeated;		/* an earlier one is the same */
	int			n;
	SdKeyOutcome *keys;			/* each once, in order */

	/* private to manykeys.c */
	FmgrInfo	compare;
	Oid			collation;
} SdManyKeys;

extern SdManyKeys *sd_many_keys(FunctionCallInfo fcinfo);
extern SdKeyOutcome *sd_many_find(SdManyKeys *many, Datum value);
extern void sd_many_probe(SdManyKeys *many);
extern Datum sd_many_array(SdManyKeys *many, SdKeyOutcome **keys, int n);

#endif							/* SOFTDELETE_MANYKEYS_H */
