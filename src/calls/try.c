/*
 * try.c
 *		A restore that may meet a conflict, and then leaves nothing behind.
 *
 * A subtransaction around it, for calls that go on with other rows.  Conflicts
 * are what another row is the reason of; every other error is passed on.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/errors.h"
#include "calls/try.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

static bool
is_conflict(int code)
{
	return code == ERRCODE_UNIQUE_VIOLATION || code == ERRCODE_EXCLUSION_VIOLATION ||
		code == SD_ERRCODE_PARENT_DELETED;
}

/*
 * Returns 0 when restore(arg) is done, else the SQLSTATE of the conflict and, in
 * *why, its detail or message, in the current memory context.
 */
int
sd_try_restore(void (*restore) (void *), void *arg, char **why)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile int code = 0;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		restore(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (!is_conflict(error->sqlerrcode))
			ReThrowError(error);
		code = error->sqlerrcode;
		*why = pstrdup(error->detail ? error->detail : error->message);
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return code;
}
