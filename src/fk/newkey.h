/*
 * newkey.h
 *		The check of a foreign key that ALTER TABLE has added or validated.
 */
#ifndef SOFTDELETE_NEWKEY_H
#define SOFTDELETE_NEWKEY_H

#include "postgres.h"

#include "tables/foreignkeys.h"

extern void sd_check_new_key(SdKey *key);

#endif							/* SOFTDELETE_NEWKEY_H */
