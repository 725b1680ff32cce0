/*
 * recognise.h
 *		Whose query is it: a user's, the engine's own or one of RI's?
 */
#ifndef SOFTDELETE_RECOGNISE_H
#define SOFTDELETE_RECOGNISE_H

#include "postgres.h"

#include "nodes/parsenodes.h"

extern bool sd_is_own_statement(Query *query);
extern bool sd_is_ri_query(Query *query, const char *query_string,
						   List **check_atts);
extern bool sd_is_ri_validation(Query *query, const char *query_string);

#endif							/* SOFTDELETE_RECOGNISE_H */
