/*
 * heldabove.h
 *		Rows that went along with a row that is on hold by itself.
 */
#ifndef SOFTDELETE_HELDABOVE_H
#define SOFTDELETE_HELDABOVE_H

#include "postgres.h"

#include "purge/run.h"

extern void sd_leave_held_above(PurgeRun *run, PurgeRows *batch);

#endif							/* SOFTDELETE_HELDABOVE_H */
