/*
 * deletedindex.h
 *		An index in which every deleted row of a table has an entry.
 */
#ifndef SOFTDELETE_DELETEDINDEX_H
#define SOFTDELETE_DELETEDINDEX_H

#include "postgres.h"

#include "utils/rel.h"

extern Oid	sd_index_of_deleted(Relation rel, Node *deleted);

#endif							/* SOFTDELETE_DELETEDINDEX_H */
