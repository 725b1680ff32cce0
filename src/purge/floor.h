/*
 * floor.h
 *		Rows that wait for what their deletion took besides them.
 */
#ifndef SOFTDELETE_FLOOR_H
#define SOFTDELETE_FLOOR_H

#include "postgres.h"

#include "utils/array.h"
#include "utils/timestamp.h"

/* tables that keep their rows longer than the one that is purged */
typedef struct SdLonger
{
	Oid			table;			/* that one */
	ArrayType  *roots;			/* all of them: regclass[] */
	ArrayType  *above;			/* those that it refers to, directly or not */
} SdLonger;

extern SdLonger *sd_longer_tables(Oid root, Interval *retention);

#endif							/* SOFTDELETE_FLOOR_H */
