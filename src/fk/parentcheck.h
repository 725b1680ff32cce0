/*
 * parentcheck.h
 *		What PostgreSQL's own foreign-key check may see of a deleted parent.
 */
#ifndef SOFTDELETE_PARENTCHECK_H
#define SOFTDELETE_PARENTCHECK_H

#include "postgres.h"

extern void sd_hint_kept_link(void *frame);

#endif							/* SOFTDELETE_PARENTCHECK_H */
