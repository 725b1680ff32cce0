/*
 * utility.c
 *		Utility commands that managed tables have a say in.
 *
 * ALTER TABLE sees every row while it adds or validates constraints, and a new
 * foreign key, or an old one over new rows or values, is held to deleted
 * parents, too.  SET CONSTRAINTS reaches the extension's deferred checks.
 * TRUNCATE is refused for partitions, too, which have no statement trigger.  A
 * column that a managed table needs cannot be dropped, not even with CASCADE,
 * nor its triggers (drops.c).  A managed table cannot go below one that is not.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "ddl/addkeys.h"
#include "ddl/alterkeys.h"
#include "ddl/columns.h"
#include "ddl/copy.h"
#include "ddl/dropconstraint.h"
#include "ddl/drops.h"
#include "ddl/hints.h"
#include "ddl/livekeys.h"
#include "ddl/refusals.h"
#include "ddl/retype.h"
#include "ddl/utility.h"
#include "fk/deferred.h"
#include "mark/born.h"
#include "mark/keptprobes.h"
#include "miscadmin.h"
#include "plan/planning.h"
#include "tcop/utility.h"
#include "utils/rel.h"

static ProcessUtility_hook_type prev_utility = NULL;
static object_access_hook_type prev_object_access = NULL;

/* Commands that run often, and that no managed table has a say in. */
static bool
is_of_no_concern(NodeTag tag)
{
	return tag == T_ExecuteStmt || tag == T_PrepareStmt || tag == T_DeallocateStmt ||
		tag == T_FetchStmt || tag == T_ClosePortalStmt || tag == T_TransactionStmt ||
		tag == T_VariableShowStmt;
}

static void
chain(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
	  ProcessUtilityContext context, ParamListInfo params, QueryEnvironment *queryEnv,
	  DestReceiver *dest, QueryCompletion *qc)
{
	if (prev_utility)
		prev_utility(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
	else
		standard_ProcessUtility(pstmt, queryString, readOnlyTree, context, params, queryEnv,
								dest, qc);
}

/* the commands that it may have a say in */
static void
look_at_command(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	SdKeyRename rename;
	PlannedStmt *const said = sd_live_keys_begin(pstmt, &rename);
	Node	   *command = said->utilityStmt;
	NodeTag		tag = nodeTag(command);
	SdAddedKeys added;
	PlannedStmt *const meant = sd_live_added_keys(sd_copy_visible(said), &added);
	int			depth = sd_bypass_depth;
	int			copy_depth = sd_copy_depth;
	SdDrops		drops;
	SdDdlHint	hint;
	SdCopyProbes copy;
	List	   *detached = NIL;
	SdKeyChange *change = NULL;

	if (tag == T_AlterTableStmt)
	{
		detached = sd_detached_partitions((AlterTableStmt *) command);
		change = sd_key_change((AlterTableStmt *) command);
		sd_refuse_drop_column((AlterTableStmt *) command);
		sd_explain_drop_constraint((AlterTableStmt *) command);
		sd_refuse_retype((AlterTableStmt *) command);
		sd_bypass_depth++;
	}
	else if (tag == T_AlterEnumStmt)
		sd_refuse_rename_value((AlterEnumStmt *) command);
	else if (tag == T_CopyStmt)
	{
		sd_copy_depth++;
		sd_copy_probes_begin(&copy);
	}
	sd_drops_begin(&drops);
	sd_ddl_hint_begin(&hint, meant->utilityStmt);
	PG_TRY();
	{
		chain(meant, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
	}
	PG_CATCH();
	{
		sd_bypass_depth = depth;
		sd_copy_depth = copy_depth;
		if (tag == T_CopyStmt)
			sd_copy_probes_end(&copy, false);
		sd_drops_end(&drops);
		PG_RE_THROW();
	}
	PG_END_TRY();
	sd_ddl_hint_end(&hint);
	if (tag == T_CopyStmt)
		sd_copy_probes_end(&copy, true);
	sd_bypass_depth = depth;
	sd_copy_depth = copy_depth;
	sd_drops_end(&drops);

	sd_drops_check(&drops);
	sd_live_keys_end(command, &rename);
	sd_finish_added_keys(&added);
	if (tag == T_RenameStmt || tag == T_AlterTableStmt)
		sd_follow_columns(command);
	if (tag == T_AlterTableStmt)
	{
		sd_check_new_keys(change);
		sd_refuse_new_parent((AlterTableStmt *) command);
		sd_warn_of_detached(detached);
	}

	else if (tag == T_CreateForeignTableStmt)
		sd_refuse_foreign_partition((CreateForeignTableStmt *) command);
	else if (tag == T_VariableSetStmt)
		sd_warn_of_setting((VariableSetStmt *) command);

	if (tag == T_CopyStmt)
		sd_born_copied();

	/* a ROLLBACK may have freed the command, SET CONSTRAINTS has not */
	if (tag == T_ConstraintsSetStmt)
		sd_set_constraints((ConstraintsSetStmt *) command);
}

static void
softdelete_utility(PlannedStmt *pstmt, const char *queryString,
				   bool readOnlyTree, ProcessUtilityContext context,
				   ParamListInfo params, QueryEnvironment *queryEnv,
				   DestReceiver *dest, QueryCompletion *qc)
{
	if (is_of_no_concern(nodeTag(pstmt->utilityStmt)))
		chain(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
	else
		look_at_command(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
}

static void
softdelete_object_access(ObjectAccessType access, Oid classId, Oid objectId,
						 int subId, void *arg)
{
	if (prev_object_access)
		prev_object_access(access, classId, objectId, subId, arg);
	/* comes here for each function of each plan */
	if (access == OAT_FUNCTION_EXECUTE)
		return;

	if (classId == RelationRelationId && access == OAT_TRUNCATE)
		sd_refuse_truncate(objectId);
	else if (classId == RelationRelationId && access == OAT_DROP && subId == 0 &&
			 !(((ObjectAccessDrop *) arg)->dropflags & PERFORM_DELETION_INTERNAL))
		sd_drops_note_relation(objectId);
	else if (classId == TriggerRelationId &&
			 (access == OAT_POST_CREATE ||
			  (access == OAT_DROP &&
			   !(((ObjectAccessDrop *) arg)->dropflags & PERFORM_DELETION_INTERNAL))))
		sd_drops_note(objectId, access == OAT_POST_CREATE);
}

void
sd_utility_init(void)
{
	prev_utility = ProcessUtility_hook;
	ProcessUtility_hook = softdelete_utility;
	prev_object_access = object_access_hook;
	object_access_hook = softdelete_object_access;
}
