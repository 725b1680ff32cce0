/*
 * utility.h
 *		Utility commands that managed tables have a say in.
 */
#ifndef SOFTDELETE_UTILITY_H
#define SOFTDELETE_UTILITY_H

extern void sd_utility_init(void);

#endif							/* SOFTDELETE_UTILITY_H */
