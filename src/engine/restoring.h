/*
 * restoring.h
 *		How a statement that restores is shown.
 */
#ifndef SOFTDELETE_RESTORING_H
#define SOFTDELETE_RESTORING_H

#include "postgres.h"

#include "executor/spi.h"
#include "tables/table.h"

extern void sd_show_as_update(SPIPlanPtr plan, SdTable *table);

#endif							/* SOFTDELETE_RESTORING_H */
