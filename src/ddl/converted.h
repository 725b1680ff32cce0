/*
 * converted.h
 *		Tables that Citus has made anew under their names.
 */
#ifndef SOFTDELETE_CONVERTED_H
#define SOFTDELETE_CONVERTED_H

#include "postgres.h"

extern void sd_note_converted(Oid relid, const char *schema, const char *name);
extern void sd_converted_init(void);

#endif							/* SOFTDELETE_CONVERTED_H */
