/*
 * compat.h
 *		The differences between PostgreSQL 15, 16, 17 and 18, in one place.
 *
 * Each wrapper has the newest version's shape; the rest of the code is
 * written against that.  Nothing here may hold state or depend on another
 * header of the extension.
 */
#ifndef SOFTDELETE_COMPAT_H
#define SOFTDELETE_COMPAT_H

#include "postgres.h"

#include "commands/trigger.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "nodes/pathnodes.h"
#include "optimizer/restrictinfo.h"
#include "parser/parse_relation.h"
#include "utils/guc_tables.h"
#include "utils/rel.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "softdelete supports PostgreSQL 15 to 18"
#endif

/*
 * Column privileges moved from the range table entry (15) to a node of their
 * own (16).
 */
#if PG_VERSION_NUM >= 160000

typedef RTEPermissionInfo SdPerms;

static inline SdPerms *
sd_query_perms(Query *query, RangeTblEntry *rte)
{
	return getRTEPermissionInfo(query->rteperminfos, rte);
}

/* NULL when the entry carries no privileges (a child of an inheritance tree) */
static inline SdPerms *
sd_estate_perms(EState *estate, Index rti)
{
	RangeTblEntry *rte = exec_rt_fetch(rti, estate);

	if (rte->perminfoindex == 0)
		return NULL;
	return getRTEPermissionInfo(estate->es_rteperminfos, rte);
}

#else

typedef RangeTblEntry SdPerms;

static inline SdPerms *
sd_query_perms(Query *query, RangeTblEntry *rte)
{
	return rte;
}

static inline SdPerms *
sd_estate_perms(EState *estate, Index rti)
{
	return exec_rt_fetch(rti, estate);
}

#endif

/* make_restrictinfo: 16 added has_clone and is_clone and dropped nullable_relids */
static inline RestrictInfo *
sd_make_restrictinfo(PlannerInfo *root, Expr *clause, Index security_level)
{
#if PG_VERSION_NUM >= 160000
	return make_restrictinfo(root, clause, true, false, false, false,
							 security_level, NULL, NULL, NULL);
#else
	return make_restrictinfo(root, clause, true, false, false,
							 security_level, NULL, NULL, NULL);
#endif
}

/* ExecutorRun lost execute_once in 18 */
#if PG_VERSION_NUM >= 180000
#define SD_RUN_ARGS QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define SD_RUN_PASS queryDesc, direction, count
#else
#define SD_RUN_ARGS QueryDesc *queryDesc, ScanDirection direction, \
	uint64 count, bool execute_once
#define SD_RUN_PASS queryDesc, direction, count, execute_once
#endif

/* 16 renamed the ACL and ownership checks to take the catalog's OID */
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "utils/acl.h"
#define sd_owns_table(relid, role) \
	object_ownercheck(RelationRelationId, (relid), (role))
#define sd_may_execute(funcid, role) \
	(object_aclcheck(ProcedureRelationId, (funcid), (role), ACL_EXECUTE) == ACLCHECK_OK)
#else
#include "utils/acl.h"
#define sd_owns_table(relid, role) pg_class_ownercheck((relid), (role))
#define sd_may_execute(funcid, role) \
	(pg_proc_aclcheck((funcid), (role), ACL_EXECUTE) == ACLCHECK_OK)
#endif

/* may the current user SET ROLE to this one?  16 made that an option of its own */
#if PG_VERSION_NUM >= 160000
#define sd_may_become(role) member_can_set_role(GetUserId(), (role))
#else
#define sd_may_become(role) is_member_of_role(GetUserId(), (role))
#endif

/*
 * Fire BEFORE DELETE ROW triggers for a row that is at hand and locked; false
 * where one of them keeps it.  16 and 18 added arguments.
 */
static inline bool
sd_exec_before_delete(EState *estate, ResultRelInfo *rel, HeapTuple tuple)
{
#if PG_VERSION_NUM >= 180000
	return ExecBRDeleteTriggers(estate, NULL, rel, NULL, tuple, NULL, NULL, NULL, false);
#elif PG_VERSION_NUM >= 160000
	return ExecBRDeleteTriggers(estate, NULL, rel, NULL, tuple, NULL, NULL, NULL);
#else
	return ExecBRDeleteTriggers(estate, NULL, rel, NULL, tuple, NULL);
#endif
}

/* the array of all settings */
static inline struct config_generic **
sd_guc_variables(int *n)
{
#if PG_VERSION_NUM >= 160000
	return get_guc_variables(n);
#else
	*n = GetNumConfigOptions();
	return get_guc_variables();
#endif
}

/* memory that a check hook hands over: 16 gave settings a context of their own */
#if PG_VERSION_NUM < 160000
#define guc_malloc(elevel, size) malloc(size)
#endif

/* is a column in RETURNING meant as it is by default, not OLD's or NEW's (18)? */
static inline bool
sd_var_is_plain(Var *var)
{
#if PG_VERSION_NUM >= 180000
	return var->varreturningtype == VAR_RETURNING_DEFAULT;
#else
	return true;
#endif
}

/* RETURNING of a DELETE has no NEW row (18) */
static inline void
sd_return_no_new_row(ExprState *state, ExprContext *econtext, ResultRelInfo *rel)
{
#if PG_VERSION_NUM >= 180000
	if (state->flags & EEO_FLAG_HAS_NEW)
	{
		econtext->ecxt_newtuple = ExecGetAllNullSlot(state->parent->state, rel);
		state->flags |= EEO_FLAG_NEW_IS_NULL;
	}
#endif
}

/* a function that does not return: 18 has another word for it, and puts it first */
#if PG_VERSION_NUM >= 180000
#define SD_NORETURN pg_noreturn
#else
#define SD_NORETURN pg_attribute_noreturn()
#endif

/* is it a foreign key with a PERIOD, whose last operator is no equality?  18 */
#if PG_VERSION_NUM >= 180000
#define sd_is_temporal(con) ((con)->conperiod)
#else
#define sd_is_temporal(con) false
#endif

/* a column that stands above outer joins says so, from 16 on */
static inline void
sd_var_is_nulled_by(Var *var, Relids joins)
{
#if PG_VERSION_NUM >= 160000
	var->varnullingrels = bms_copy(joins);
#endif
}

/* may the command give its column other values?  SET EXPRESSION: 17 */
static inline bool
sd_changes_values(AlterTableCmd *cmd)
{
#if PG_VERSION_NUM >= 170000
	if (cmd->subtype == AT_SetExpression)
		return true;
#endif
	return cmd->subtype == AT_AlterColumnType &&
		castNode(ColumnDef, cmd->def)->raw_default != NULL;	/* USING */
}

/* an index scan without ORDER BY operators; 18 added instrumentation */
#include "access/genam.h"
static inline IndexScanDesc
sd_index_beginscan(Relation heap, Relation index, Snapshot snapshot, int nkeys)
{
#if PG_VERSION_NUM >= 180000
	return index_beginscan(heap, index, snapshot, NULL, nkeys, 0);
#else
	return index_beginscan(heap, index, snapshot, nkeys, 0);
#endif
}

/* simple_heap_update(); does the new version need entries in the indexes?  16 has an argument for it */
#include "access/heapam.h"
#include "access/xact.h"
static inline bool
sd_simple_heap_update(Relation rel, ItemPointer old, HeapTuple tuple)
{
#if PG_VERSION_NUM >= 160000
	TU_UpdateIndexes update;

	simple_heap_update(rel, old, tuple, &update);
#else
	simple_heap_update(rel, old, tuple);
#endif
	return !HeapTupleIsHeapOnly(tuple);
}

/* VARDATA_ANY() and the like; postgres.h had them before 16 */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* heap_update() that waits */
static inline TM_Result
sd_heap_update(Relation rel, ItemPointer old, HeapTuple tuple)
{
	CommandId	command = GetCurrentCommandId(true);
	TM_FailureData failure;
	LockTupleMode mode;
#if PG_VERSION_NUM >= 160000
	TU_UpdateIndexes update;

	return heap_update(rel, old, tuple, command, InvalidSnapshot, true, &failure, &mode,
					   &update);
#else
	return heap_update(rel, old, tuple, command, InvalidSnapshot, true, &failure, &mode);
#endif
}

/*
 * From 18 on a violated RESTRICT key has an SQLSTATE and a wording of its
 * own; before, NO ACTION's.
 */
#if PG_VERSION_NUM >= 180000
#define SD_RESTRICT_HAS_OWN_ERROR 1
#else
#define SD_RESTRICT_HAS_OWN_ERROR 0
#endif

/* keys that end in a period are new in 18 */
#if PG_VERSION_NUM >= 180000
#define sd_without_overlaps(key) ((key)->without_overlaps)
#else
#define sd_without_overlaps(key) false
#endif

#endif							/* SOFTDELETE_COMPAT_H */
