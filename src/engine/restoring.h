/*
 * restoring.h
 *		How a statement that restores is shown.
 */
#ifndef SOFTDELETE_RESTORING_H
#define SOFTDELETE_RESTORING_H

#include "postgres.h"

#include "executor/spi.h"

extern void sd_show_as_update(SPIPlanPtr plan, Oid relid);

#endif							/* SOFTDELETE_RESTORING_H */
