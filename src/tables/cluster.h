/*
 * cluster.h
 *		What Citus has done with a table.
 */
#ifndef SOFTDELETE_CLUSTER_H
#define SOFTDELETE_CLUSTER_H

#include "postgres.h"

#include "base/guc.h"
#include "base/own_objects.h"
#include "tables/table.h"
#include "utils/rel.h"

/* Is this database one of a Citus cluster? */
static inline bool
sd_in_cluster(void)
{
	return sd_citus_loaded && OidIsValid(sd_objects()->citus);
}

extern void sd_read_cluster(SdTable *table, Relation rel);
extern bool sd_is_distributed(Oid relid);
extern int	sd_local_node(void);
extern char *sd_logical_relname(Oid relid);
extern Oid	sd_logical_oid(Oid relid);
extern char *sd_logical_name(Oid relid);

#endif							/* SOFTDELETE_CLUSTER_H */
