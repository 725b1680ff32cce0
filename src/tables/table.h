/*
 * table.h
 *		What is known of a managed table, and what its rows and triggers say.
 */
#ifndef SOFTDELETE_TABLE_H
#define SOFTDELETE_TABLE_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "fmgr.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

/* how a row says that it is deleted */
typedef enum SdKind
{
	SD_TIMESTAMP,				/* a point in time; NULL while live */
	SD_BOOLEAN,					/* is_deleted, or is_active inverted */
	SD_STATUS					/* text or enum with one deleted value */
} SdKind;

/* which of the users' triggers a soft delete fires */
typedef enum SdTriggerMode
{
	SD_TRIGGERS_UPDATE,			/* those for UPDATE, as what happens is one */
	SD_TRIGGERS_DELETE,			/* those for DELETE; for INSERT at a restore */
	SD_TRIGGERS_BOTH
} SdTriggerMode;

typedef struct SdTable
{
	Oid			relid;
	Oid			root;			/* topmost partitioned ancestor, or relid */
	SdKind		kind;
	char	   *deleted_value;	/* of SD_STATUS; "true" or "false" */
	SdTriggerMode trigger_mode;
	bool		hide;			/* are deleted rows hidden? */
	AttrNumber	marker;
	bool		of_domain;		/* the marker, which so may have a default unseen */
	AttrNumber	id;				/* deletion_id */
	AttrNumber	time;			/* when; the marker itself for SD_TIMESTAMP */
	AttrNumber	former;			/* former status, or InvalidAttrNumber */
	bool		partitioned;
	bool		disabled;		/* ALTER TABLE ... DISABLE TRIGGER was used */
	bool		moves;			/* a partition key holds one of these, so that
								 * marking may move a row */
	bool		distributed;	/* its rows are in shards, elsewhere: see cluster.c */
	bool		reference;		/* likewise, each node has all of them */
	AttrNumber	dist_column;	/* by which they are spread, or InvalidAttrNumber */
	bool		shard;			/* it is a shard itself */
	bool		opens_nothing;	/* an UPDATE of the mark takes no lock on anything,
								 * see rowlock.c */
	Node	   *live;			/* "column IS NULL" and the like, for varno 1 */
	Node	   *deleted;
	Node	   *live_filter;	/* what is true of the same rows as live and costs less
								 * to evaluate, but no index matches it; or live */
	List	   *children;		/* SdKey: foreign keys that refer to it */
	List	   *parents;		/* SdKey: its own foreign keys */
	List	   *held;			/* SdHeldKey: unique keys that deleted rows hold */
	Oid			deleted_index;	/* has an entry for each deleted row; InvalidOid: none */
	bool		had_deleted;	/* it had some when it was looked at last */

	/* of our triggers for UPDATE, see triggerset.c */
	bool		quiet;			/* nobody else has a BEFORE ROW or statement trigger ... */
	bool		others_after;	/* ... but somebody an AFTER ROW trigger */
	int			mark_trigger;	/* its place in the descriptor */
	Bitmapset  *loud_columns;	/* an UPDATE of these fires them; the offset is that
								 * of updatedCols */
	Bitmapset  *key_columns;	/* of the primary key, likewise */

	/* of our triggers for INSERT, likewise */
	bool		quiet_insert;	/* nobody else has a BEFORE ROW or statement trigger ... */
	bool		others_after_insert;	/* ... but somebody an AFTER ROW trigger */
	int			born_trigger;	/* their places in the descriptor, -1: it is not there */
	int			room_trigger;

	bool		below_known;	/* for sd_has_children() */
	bool		below;			/* keys refer to partitions of it by themselves */

	/* private to table.c, and reader.c that fills them in */
	bool		deleted_is_true;	/* SD_BOOLEAN: which value is the deleted one */
	Oid			marker_collation;
	Datum		deleted_datum;
	FmgrInfo	equal;
} SdTable;

extern bool sd_is_own_trigger(const Trigger *trigger);
extern bool sd_slot_is_deleted(SdTable *table, TupleTableSlot *slot);
extern bool sd_tuple_is_deleted(SdTable *table, HeapTuple tuple, TupleDesc desc);
extern void sd_check_enabled(SdTable *table);

#endif							/* SOFTDELETE_TABLE_H */
