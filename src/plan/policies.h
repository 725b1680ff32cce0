/*
 * policies.h
 *		Row security's policies see live rows, whatever the user sees.
 */
#ifndef SOFTDELETE_POLICIES_H
#define SOFTDELETE_POLICIES_H

#include "postgres.h"

#include "nodes/parsenodes.h"

extern void sd_mark_policies(Query *query);

#endif							/* SOFTDELETE_POLICIES_H */
