/*
 * guc.h
 *		The settings of the extension.
 */
#ifndef SOFTDELETE_GUC_H
#define SOFTDELETE_GUC_H

#include "postgres.h"

/* what statements see of a managed table */
typedef enum SdVisibility
{
	SD_VISIBLE_LIVE,			/* rows that are not deleted */
	SD_VISIBLE_DELETED,			/* deleted rows only */
	SD_VISIBLE_ALL				/* every row */
} SdVisibility;

/* what shares one deletion id */
typedef enum SdDeletionScope
{
	SD_SCOPE_TRANSACTION,		/* all that a transaction deletes */
	SD_SCOPE_STATEMENT
} SdDeletionScope;

extern int	sd_visibility;		/* an SdVisibility */
extern int	sd_deletion_scope;	/* an SdDeletionScope */
extern bool sd_hard_delete;
extern char *sd_actor;			/* "" when not set */
extern char *sd_reason;			/* "" when not set */
extern bool sd_unfiltered;		/* the application is to see every row */
extern char *sd_cluster_key;	/* "" when not set */
extern bool sd_citus_loaded;	/* the library is, in this process */
extern int	sd_tool_depth;		/* > 0 while a tool of Citus copies tables */

extern void sd_one_connection_each(void);
extern bool sd_sees_whole_tables(void);
extern SdVisibility sd_visible(void);
extern void sd_guc_init(void);

#endif							/* SOFTDELETE_GUC_H */
