/*
 * order.h
 *		What a shard is told with a statement.
 */
#ifndef SOFTDELETE_ORDER_H
#define SOFTDELETE_ORDER_H

#include "postgres.h"

#include "base/guc.h"
#include "engine/statement.h"
#include "utils/timestamp.h"

typedef struct SdOrder
{
	SdVisibility visibility;
	bool		hard_delete;
	SdTask		task;
	bool		each;			/* as in SdStatement */
	int64		id;				/* of the deletion that rows are marked by, or restored from */
	TimestampTz at;				/* when they are marked; 0: not sealed, tells visibility only */
	TimestampTz now;			/* of a purge ... */
	Interval   *retention;		/* ... and this; NULL: of none */
	Datum	   *held;			/* deletions that must stay */
	int			n_held;
	char	   *actor;
	char	   *reason;
} SdOrder;

/* what a relation's "ctename" begins with whose statement has an order, see plan/orders.c */
#define SD_ORDERED "softdelete order "

/* the order is the one that this session has drawn itself */
#define SD_LOCAL_ORDER "local"

extern char *sd_visibility_order(SdVisibility visibility);
extern char *sd_unsealed_order(const SdOrder *order);
extern char *sd_sealed_order(const SdOrder *order);
extern SdOrder *sd_read_order(const char *text, bool trusted);
extern SdStatement *sd_ordered_statement(const SdOrder *order, Oid relid);

#endif							/* SOFTDELETE_ORDER_H */
