/*
 * deletionowner.h
 *		Who may say what is to become of a deletion.
 */
#ifndef SOFTDELETE_DELETIONOWNER_H
#define SOFTDELETE_DELETIONOWNER_H

#include "postgres.h"

extern void sd_check_owns_deletion(int64 id);

#endif							/* SOFTDELETE_DELETIONOWNER_H */
