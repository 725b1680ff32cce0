/*
 * primarykey.h
 *		The primary key of a table.
 */
#ifndef SOFTDELETE_PRIMARYKEY_H
#define SOFTDELETE_PRIMARYKEY_H

#include "postgres.h"

#include "utils/rel.h"

extern Oid	sd_primary_key(Relation rel);

#endif							/* SOFTDELETE_PRIMARYKEY_H */
