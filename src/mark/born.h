/*
 * born.h
 *		Rows that are inserted with the mark already set.
 */
#ifndef SOFTDELETE_BORN_H
#define SOFTDELETE_BORN_H

extern int	sd_copy_depth;

extern void sd_born_copied(void);

#endif							/* SOFTDELETE_BORN_H */
