/*
 * arguments.h
 *		An argument that a function was not given is an error.
 *
 * The library of one version may meet the SQL objects of another: installed, and
 * ALTER EXTENSION not yet run.  Functions declared then with fewer arguments than the
 * library reads would read memory that is not theirs.  So the macros by which
 * arguments are read look first.  The Makefile includes this before everything else.
 */
#ifndef SOFTDELETE_ARGUMENTS_H
#define SOFTDELETE_ARGUMENTS_H

#include "postgres.h"

#include "compat.h"
#include "fmgr.h"

SD_NORETURN extern void sd_raise_other_version(void);

static inline NullableDatum *
sd_argument(FunctionCallInfo fcinfo, int n)
{
	if (unlikely(n >= fcinfo->nargs))
		sd_raise_other_version();
	return &fcinfo->args[n];
}

#undef PG_GETARG_DATUM
#undef PG_ARGISNULL
#define PG_GETARG_DATUM(n) (sd_argument(fcinfo, n)->value)
#define PG_ARGISNULL(n) (sd_argument(fcinfo, n)->isnull)

#endif							/* SOFTDELETE_ARGUMENTS_H */
