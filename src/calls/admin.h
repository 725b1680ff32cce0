/*
 * admin.h
 *		Checks that enabling and purging share.
 */
#ifndef SOFTDELETE_ADMIN_H
#define SOFTDELETE_ADMIN_H

#include "postgres.h"

#include "utils/timestamp.h"

extern void sd_check_retention(Interval *retention);

#endif							/* SOFTDELETE_ADMIN_H */
