/*
 * own_objects.h
 *		The extension's own objects in this database.
 */
#ifndef SOFTDELETE_OWN_OBJECTS_H
#define SOFTDELETE_OWN_OBJECTS_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/primnodes.h"

/* OIDs of the extension's own objects in this database */
typedef struct SdObjects
{
	bool		other_version;	/* than the library's: nothing below can be relied on */
	Oid			schema;			/* InvalidOid: not created here */
	Oid			owner;			/* whom the log is written as */
	Oid			stamp_trigger;	/* trigger functions */
	Oid			mark_trigger;
	Oid			guard_trigger;
	Oid			truncate_trigger;
	Oid			born_trigger;
	Oid			room_trigger;
	Oid			engine;			/* type engine, see sd_engine_arg() */
	Oid			stamp;			/* stamp(engine) */
	Oid			stamp_locked;	/* stamp(engine, tid, oid) */
	Oid			deleted_parent_ok;
	Oid			raise_deleted_row;
	Oid			former_unknown;
	Oid			trash;			/* trash(regclass) */
	Oid			remote;			/* remote(bigint, text), see plan/orders.c */
	Oid			remote_order;	/* remote_order(engine, oid, text, text) */
	Oid			stamped_at;		/* stamped_at(engine) */
	Oid			citus;			/* pg_dist_partition; InvalidOid: no such cluster */
	Oid			local_group;	/* pg_dist_local_group, likewise */
	Oid			log;			/* deletion_log */
	Oid			log_ids;		/* its sequence */
} SdObjects;

extern void sd_objects_init(void);
extern const SdObjects *sd_objects(void);
extern Expr *sd_engine_arg(void);
extern void sd_check_engine_arg(FunctionCallInfo fcinfo);

#endif							/* SOFTDELETE_OWN_OBJECTS_H */
