/*
 * orders.h
 *		A statement on distributed tables tells their shards what they cannot know.
 */
#ifndef SOFTDELETE_ORDERS_H
#define SOFTDELETE_ORDERS_H

#include "postgres.h"

#include "engine/order.h"
#include "nodes/parsenodes.h"

extern void sd_give_orders(Query *query);
extern SdOrder *sd_take_orders(Query *query);
extern SdOrder *sd_order_of(RangeTblEntry *rte);

#endif							/* SOFTDELETE_ORDERS_H */
