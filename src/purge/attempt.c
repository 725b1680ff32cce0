/*
 * attempt.c
 *		Work that may fail and leave nothing behind.
 *
 * A subtransaction around it, so that rows which cannot go stall none of the
 * others.  Called by the rest of this folder, calls nothing of it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "purge/attempt.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* Is it one by which somebody cancels the purge, or ends the session? */
bool
sd_is_cancel(ErrorData *error)
{
	return ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION &&
		error->funcname != NULL && strcmp(error->funcname, "ProcessInterrupts") == 0;
}

/* raised by code in a procedural language, such as plpgsql's pl_exec.c? */
static bool
is_raised_by_user(ErrorData *error)
{
	return error->filename != NULL && strncmp(error->filename, "pl", 2) == 0;
}

/*
 * Errors that end the purge instead of keeping a row.  A user's trigger may
 * raise any SQLSTATE: that it cannot cancel everybody's purge is why a cancel
 * has to come from where PostgreSQL raises it, and the others not from where a
 * trigger does.  An internal error is the row's as well, as it is plpgsql's WHEN
 * OTHERS': so many languages raise their own errors as one.  Conflicts of a
 * transaction with one snapshot stay what they are when tried again.
 */
static bool
is_fatal(ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	if (category == ERRCODE_OPERATOR_INTERVENTION)
		return sd_is_cancel(error);
	if (is_raised_by_user(error))
		return false;
	if (category == ERRCODE_TRANSACTION_ROLLBACK)
		return IsolationUsesXactSnapshot();
	return category == ERRCODE_INSUFFICIENT_RESOURCES ||
		category == ERRCODE_SYSTEM_ERROR ||
		(error->sqlerrcode == ERRCODE_READ_ONLY_SQL_TRANSACTION && XactReadOnly);
}

/*
 * Run work(argument) in a subtransaction.  NULL, or the error with which it
 * failed and left nothing behind, in the current memory context.
 */
ErrorData *
sd_catch(void (*work) (void *), void *argument)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(argument);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

/*
 * The same for work of which a smaller part may succeed: false and why when it
 * failed.  Errors that no smaller part could avoid are passed on.
 */
bool
sd_attempt(void (*work) (void *), void *argument, const char **why)
{
	ErrorData  *error = sd_catch(work, argument);

	if (error == NULL)
		return true;
	if (is_fatal(error))
		ReThrowError(error);
	*why = error->sqlerrcode == SD_ERRCODE_ON_HOLD ? "on hold" : pstrdup(error->message);
	FreeErrorData(error);
	return false;
}
