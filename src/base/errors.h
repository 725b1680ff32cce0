/*
 * errors.h
 *		SQLSTATEs of the extension's own.
 *
 * What a client may want to tell apart without reading messages.  They are of
 * class 55, so that PL/pgSQL's WHEN object_not_in_prerequisite_state, which means
 * the class, catches them, too.  Everything else has a code of PostgreSQL's.
 */
#ifndef SOFTDELETE_ERRORS_H
#define SOFTDELETE_ERRORS_H

#include "postgres.h"

/* delete: the row is deleted already */
#define SD_ERRCODE_ALREADY_DELETED	MAKE_SQLSTATE('5', '5', 'D', '0', '1')
/* restore, purge: the row is live; undo: nothing is left to restore */
#define SD_ERRCODE_NOT_DELETED		MAKE_SQLSTATE('5', '5', 'D', '0', '2')
/* restore: a row that it refers to is deleted */
#define SD_ERRCODE_PARENT_DELETED	MAKE_SQLSTATE('5', '5', 'D', '0', '3')
/* purge: the deletion is on hold */
#define SD_ERRCODE_ON_HOLD			MAKE_SQLSTATE('5', '5', 'D', '0', '4')

#endif							/* SOFTDELETE_ERRORS_H */
