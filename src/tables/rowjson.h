/*
 * rowjson.h
 *		A row as jsonb, and back.
 */
#ifndef SOFTDELETE_ROWJSON_H
#define SOFTDELETE_ROWJSON_H

#include "postgres.h"

#include "executor/tuptable.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

extern Jsonb *sd_values_to_json(int n, char *const *names, const Oid *types,
								const Datum *values, const bool *nulls);
extern Jsonb *sd_row_to_json(TupleTableSlot *slot, const AttrNumber *atts, int natts);
extern void sd_row_from_json(Relation rel, Jsonb *row, TupleTableSlot *slot);

#endif							/* SOFTDELETE_ROWJSON_H */
