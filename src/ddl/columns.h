/*
 * columns.h
 *		What is kept by the names of columns follows them.
 */
#ifndef SOFTDELETE_COLUMNS_H
#define SOFTDELETE_COLUMNS_H

#include "postgres.h"

#include "nodes/nodes.h"

extern void sd_follow_columns(Node *command);

#endif							/* SOFTDELETE_COLUMNS_H */
