/*
 * tell.h
 *		What a restore has to tell: rows that stay deleted.
 */
#ifndef SOFTDELETE_TELL_H
#define SOFTDELETE_TELL_H

#include "postgres.h"

#include "nodes/pg_list.h"

extern void sd_tell_held(List *held);

#endif							/* SOFTDELETE_TELL_H */
