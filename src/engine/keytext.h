/*
 * keytext.h
 *		The text of the engine's queries along a foreign key.
 */
#ifndef SOFTDELETE_KEYTEXT_H
#define SOFTDELETE_KEYTEXT_H

#include "postgres.h"

#include "engine/keyaccess.h"
#include "engine/keyset.h"
#include "lib/stringinfo.h"

extern char *sd_key_query_text(SdQueryKind kind, SdKeySet *set, bool many,
							   SdKeyWay way, Oid operator);

/* pieces of such queries, for restorequery.c */
extern const char *sd_only(Oid relid);
extern void sd_append_match(StringInfo buf, SdKey *key, const char *alias,
							bool child, bool many, const Oid *types);
extern void sd_append_keys(StringInfo buf, int n, bool many);

#endif							/* SOFTDELETE_KEYTEXT_H */
