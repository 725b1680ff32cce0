/*
 * keycomments.h
 *		What a key of live rows was, by its columns' names of today.
 */
#ifndef SOFTDELETE_KEYCOMMENTS_H
#define SOFTDELETE_KEYCOMMENTS_H

#include "postgres.h"

extern void sd_rename_in_key_comments(Oid relid, const char *old, const char *new);

#endif							/* SOFTDELETE_KEYCOMMENTS_H */
