/*
 * rights.h
 *		Who owns a table, and what the user may do to it or see of it.
 */
#ifndef SOFTDELETE_RIGHTS_H
#define SOFTDELETE_RIGHTS_H

#include "postgres.h"

extern Oid	sd_owner_of(Oid relid);
extern bool sd_may_see(Oid relid);
extern char *sd_relation_name(Oid relid);
extern void sd_check_owner(Oid relid);

#endif							/* SOFTDELETE_RIGHTS_H */
