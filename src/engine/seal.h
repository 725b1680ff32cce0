/*
 * seal.h
 *		What only a node of the cluster can have written.
 */
#ifndef SOFTDELETE_SEAL_H
#define SOFTDELETE_SEAL_H

#include "postgres.h"

/* a seal as text: the first half of the hash in hexadecimal */
#define SD_SEAL_LENGTH	32

extern void sd_seal(const char *text, size_t len, char *seal);
extern bool sd_is_sealed(const char *text, size_t len, const char *seal);

#endif							/* SOFTDELETE_SEAL_H */
