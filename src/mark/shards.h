/*
 * shards.h
 *		A statement on a shard follows the order that came with it.
 */
#ifndef SOFTDELETE_SHARDS_H
#define SOFTDELETE_SHARDS_H

#include "postgres.h"

#include "executor/execdesc.h"

extern bool sd_follow_order(QueryDesc *query);

#endif							/* SOFTDELETE_SHARDS_H */
