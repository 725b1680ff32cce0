/*
 * livekeys.h
 *		Unique constraints that became indexes of live rows, by their names.
 */
#ifndef SOFTDELETE_LIVEKEYS_H
#define SOFTDELETE_LIVEKEYS_H

#include "postgres.h"

#include "nodes/pg_list.h"

extern List *sd_live_keys_of(Node *command);
extern void sd_follow_live_keys(Node *command, List *indexes);

#endif							/* SOFTDELETE_LIVEKEYS_H */
