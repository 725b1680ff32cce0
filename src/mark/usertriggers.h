/*
 * usertriggers.h
 *		Users' triggers: those for DELETE fire as rows are marked.
 */
#ifndef SOFTDELETE_USERTRIGGERS_H
#define SOFTDELETE_USERTRIGGERS_H

#include "postgres.h"

#include "engine/statement.h"
#include "executor/execdesc.h"

extern List *sd_choose_user_triggers(QueryDesc *query, SdStatement *statement);

#endif							/* SOFTDELETE_USERTRIGGERS_H */
